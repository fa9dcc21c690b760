"""Labelled sentences made from frames, for negation, contrast, change, plain requests and short answers."""

import random
import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from heardback_scoring.training.tasks import SENTIMENTS, Example, Labels

_SLOT = re.compile(r"\{(\w+)\}")


def framed_examples(seed: int) -> list[Example]:
    """`many` sentences of every frame text, seeded; each sentence once."""
    found: dict[str, Example] = {}
    data = tomllib.loads(files(__package__).joinpath("frames.toml").read_text(encoding="utf8"))
    chosen = random.Random(seed)
    for frame in data["frame"]:
        labels = Labels(sentiment=SENTIMENTS.index(frame["label"]))
        for text in frame["texts"]:
            for _ in range(frame["many"]):
                filled = fill(text, data["words"], chosen)
                found[filled] = Example("frames", filled, labels)
    return list(found.values())


def fill(frame: str, words: Mapping[str, Sequence[str]], chosen: random.Random) -> str:
    """The frame with every slot filled by a word of that name, never the same word twice in one sentence."""
    used: set[str] = set()

    def word(slot: re.Match[str]) -> str:
        free: list[Any] = [w for w in words[slot[1]] if w not in used]
        pick = str(chosen.choice(free))
        used.add(pick)
        return pick

    return _SLOT.sub(word, frame)
