"""The fallback scorer: words with a sentiment of their own, negation, intensity and contrast. English only.

It needs nothing but this package, so it answers when the model cannot. What it reads is marked degraded.
"""

import hashlib
import math
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from heardback_scoring.inference.ports import TextReading
from heardback_shared.contracts.score import ModelRef

TOKEN = re.compile(r"[:;]'?-?[()d/](?!\w)|<3|n't\b|[a-z][a-z'’-]*|\d+|[!?]+|[.,;]|[^\w\s]", re.IGNORECASE)
MAX_CHARACTERS = 20_000
"""What stands beyond is not read; a bound on the time one text can take."""
NEGATION_REACH = 3
NEGATED = -0.6
CONTRAST = ("but", "however", "although", "though", "yet", "unfortunately")
BEFORE_CONTRAST = 0.6
SUFFIXES = (("ing", ""), ("ed", ""), ("es", ""), ("s", ""), ("ly", ""))
LONGEST_PHRASE = 6


@dataclass(frozen=True, slots=True)
class Lexicon:
    version: str
    valence: dict[str, float]
    phrases: dict[tuple[str, ...], float]
    negations: frozenset[str]
    intensity: dict[str, float]
    sha256: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns the balance b of a text (−1…1) and the share s of words with sentiment into probabilities.

    Logits: ± slope · b for positive and negative, `neutral` − plain · s for neutral. The values were
    chosen by hand; the model card has what they reach on dev splits.
    """

    slope: float = 2.6
    negative: float = 0.0
    positive: float = 0.0
    neutral: float = 1.3
    plain: float = 1.8


def load_lexicon() -> Lexicon:
    """The packaged English lexicon."""
    raw = (files("heardback_scoring.inference") / "lexicon_en.toml").read_bytes()
    data: dict[str, Any] = tomllib.loads(raw.decode("utf8"))
    valence = {word: float(level) for level, words in data["valence"].items() for word in words.split()}
    valence.update({sign: float(value) for sign, value in data["signs"].items()})
    return Lexicon(
        version=str(data["version"]),
        valence=valence,
        phrases={tuple(_words(phrase)): float(value) for phrase, value in data["phrases"].items()},
        negations=frozenset(data["negations"]["words"].split()),
        intensity={word: float(value) for word, value in data["intensity"].items()},
        sha256=hashlib.sha256(raw).hexdigest(),
    )


class LexiconScorer:
    """Reads a text in microseconds, from words alone. Same text, same reading."""

    degraded = True

    def __init__(self, lexicon: Lexicon | None = None, calibration: Calibration | None = None) -> None:
        self._lexicon = lexicon or load_lexicon()
        self._calibration = calibration or Calibration()
        self._closed = False

    @property
    def model(self) -> ModelRef:
        return ModelRef(name="lexicon-en", revision=self._lexicon.version, sha256=self._lexicon.sha256)

    def lengths(self, texts: Sequence[str]) -> list[int]:
        return [max(1, len(TOKEN.findall(text[:MAX_CHARACTERS]))) for text in texts]

    def read(self, texts: Sequence[str]) -> list[TextReading]:
        if self._closed:
            raise RuntimeError("the lexicon scorer is closed")
        return [self._read_one(text) for text in texts]

    def warm_up(self) -> None:
        self.read(["warm"])

    def close(self) -> None:
        self._closed = True

    def _read_one(self, text: str) -> TextReading:
        balance, strength = weigh(text, self._lexicon)
        c = self._calibration
        logits = (
            c.negative - c.slope * balance,
            c.neutral - c.plain * strength,
            c.positive + c.slope * balance,
        )
        top = max(logits)
        weights = [math.exp(logit - top) for logit in logits]
        total = sum(weights)
        negative, neutral, positive = (weight / total for weight in weights)
        return TextReading(negative=negative, neutral=neutral, positive=positive, embedding=None)


def weigh(text: str, lexicon: Lexicon) -> tuple[float, float]:
    """Balance of a text, −1 (all negative) … 1, and its strength: how much sentiment it holds, 0…1."""
    tokens = TOKEN.findall(text[:MAX_CHARACTERS].replace("’", "'"))
    values = _values(tokens, lexicon)
    total = sum(values)
    size = sum(abs(value) for value in values)
    if size == 0:
        return 0.0, 0.0
    shout = 1 + 0.1 * min(3, sum(token.count("!") for token in tokens))
    return total * shout / math.sqrt((total * shout) ** 2 + 8), size / (size + 3)


def _words(text: str) -> list[str]:
    return [token.lower() for token in TOKEN.findall(text)]


def _values(tokens: Sequence[str], lexicon: Lexicon) -> list[float]:
    words = [token.lower() for token in tokens]
    values: list[float] = []
    index = 0
    while index < len(words):
        width, value = _match(words, index, lexicon)
        if value:
            first = tokens[index]
            loud = 1.2 if len(first) > 2 and first.isupper() else 1.0
            before = words[max(0, index - NEGATION_REACH) : index]
            values.append(value * loud * _turn(before, lexicon, whole_phrase=width > 1))
        elif words[index] in CONTRAST:
            values = [earlier * BEFORE_CONTRAST for earlier in values]
        index += width
    return values


def _match(words: Sequence[str], index: int, lexicon: Lexicon) -> tuple[int, float]:
    """How many words the entry at `index` takes, and its value (0 if there is none)."""
    for width in range(min(LONGEST_PHRASE, len(words) - index), 1, -1):
        found = lexicon.phrases.get(tuple(words[index : index + width]))
        if found is not None:
            return width, found
    word = words[index]
    if word in lexicon.negations:
        return 1, min(0.0, lexicon.valence.get(word, 0.0)) * 0.5
    if word in lexicon.valence:
        return 1, lexicon.valence[word]
    for suffix, other in SUFFIXES:
        stem = word.removesuffix(suffix) + other
        if stem != word and len(stem) > 3 and stem in lexicon.valence:
            return 1, lexicon.valence[stem]
    return 1, 0.0


def _turn(before: Sequence[str], lexicon: Lexicon, *, whole_phrase: bool) -> float:
    """What the words just before do to a value: turn it, strengthen it, weaken it."""
    factor = 1.0
    for distance, word in enumerate(reversed(before)):
        if word in {".", ",", ";", "!", "?"}:
            break
        if word in lexicon.negations and not whole_phrase:
            factor *= NEGATED
        elif word in lexicon.intensity:
            factor *= 1 + lexicon.intensity[word] * (1 - 0.25 * distance)
    return factor
