"""A satisfaction model made by hand, and conversations for it."""

from collections.abc import Mapping, Sequence
from zlib import crc32

import numpy as np

from heardback_scoring.domain.satisfaction import (
    BUCKETS,
    FALLING,
    RISING,
    STATISTICS,
    CustomerTurn,
    Dialogue,
    SatisfactionModel,
)
from heardback_scoring.domain.words import Text

WIDTH = 4


def by_hand(
    weights: Mapping[str, float] | None = None,
    words: Mapping[str, float] | None = None,
    cues: Sequence[str] = (),
    encoder: str = "e" * 64,
) -> SatisfactionModel:
    """Each mood weighs 0.1 in its own direction, other statistics as given, else nothing; words as given."""
    chosen = dict.fromkeys(RISING, 0.1) | dict.fromkeys(FALLING, -0.1) | dict(weights or {})
    names = [*STATISTICS, *cues, *(f"last {cue}" for cue in cues)]
    said = np.zeros(BUCKETS, dtype=np.float32)
    for word, weight in (words or {}).items():
        said[crc32(word.encode()) % BUCKETS] = weight
    return SatisfactionModel(
        encoder=encoder,
        cues=tuple(cues),
        low=np.full(len(names), -1.0),
        high=np.full(len(names), 3.0),
        statistics=np.array([chosen.get(name, 0.0) for name in names]),
        mean=np.zeros(WIDTH, dtype=np.float32),
        last=np.zeros(WIDTH, dtype=np.float32),
        rarity=np.ones(BUCKETS, dtype=np.float32),
        said=said,
        said_last=said,
        start=-0.1,
        half_width=0.2,
    )


def turn(text: str, score: float = 0.0, cues: Mapping[str, float] | None = None) -> CustomerTurn:
    embedding = np.full(WIDTH, 0.5, dtype=np.float32)
    return CustomerTurn(Text.of(text), max(0.0, -score), max(0.0, score), embedding, dict(cues or {}))


def dialogue(*turns: CustomerTurn, answers: Sequence[int] = (7,), customer_last: bool = True) -> Dialogue:
    return Dialogue(tuple(turns), tuple(answers), customer_last)
