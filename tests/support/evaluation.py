"""Labelled sets on disk and models whose answers are known, for tests of the evaluation."""

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from heardback_scoring.adapters.inline_reader import InlineReader
from heardback_scoring.adapters.models import OpenedModel
from heardback_scoring.adapters.policy_files import load_policies
from heardback_scoring.evaluation.data import LabelledSet, Split, find_sets
from heardback_scoring.evaluation.subject import Subject
from heardback_scoring.inference.lexicon import LexiconScorer
from heardback_scoring.inference.ports import TextReading
from heardback_scoring.training.as_written import EMPTY, NEVER, POSITIONS
from heardback_shared.contracts.score import ModelRef

Say = Callable[[str], TextReading]


class SayingScorer:
    """Says of each text what a function says."""

    degraded = False

    def __init__(self, say: Say, name: str = "saying") -> None:
        self._say = say
        self.model = ModelRef(name=name, revision="1", sha256="a" * 64)
        self.texts_read = 0

    def lengths(self, texts: Sequence[str]) -> list[int]:
        return [1] * len(texts)

    def read(self, texts: Sequence[str]) -> list[TextReading]:
        self.texts_read += len(texts)
        return [self._say(text) for text in texts]

    def warm_up(self) -> None:
        return None

    def close(self) -> None:
        return None


def said(
    negative: float, positive: float, *vector: float, cues: dict[str, float] | None = None
) -> TextReading:
    """A reading; with a vector it has that embedding, brought to unit length."""
    found = np.array(vector, np.float32)
    embedding = found / np.linalg.norm(found) if vector else None
    return TextReading(negative, 1 - negative - positive, positive, embedding, cues or {})


def subject_saying(say: Say) -> Subject:
    """A subject whose model says this of each text as it was written, names and all."""
    policies = load_policies()
    nothing: dict[str, Any] = {"words": {}, "phrases": ()}
    nothing |= dict.fromkeys(EMPTY, frozenset()) | dict.fromkeys(POSITIONS, (NEVER,))
    as_written = replace(policies, reading=policies.reading.model_copy(update=nothing))
    return Subject(OpenedModel(InlineReader(SayingScorer(say)), LexiconScorer()), as_written)


def write_rows(folder: Path, name: str, split: Split, rows: Sequence[dict[str, Any]]) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    write_lines(folder, name, split, lines.encode())


def write_lines(folder: Path, name: str, split: Split, lines: bytes) -> None:
    path = folder / name / f"{split}.jsonl.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(lines))


def the_set(folder: Path, name: str) -> LabelledSet:
    [found] = find_sets(folder, "dev", [name])[0]
    return found
