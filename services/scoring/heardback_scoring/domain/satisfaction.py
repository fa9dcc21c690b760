"""How content a customer is after a whole conversation, predicted from what was read of it.

The customer's words and their readings, and how the conversation went from outside (who spoke last, how much
was answered). What an agent wrote is not looked at, only its length.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from heardback_scoring.domain.words import Text, words_of

BUCKETS = 8192
"""Word and word-pair counts are kept in this many places, by hash."""
RISING = ("mean_score", "last_score", "lowest_score", "last_positive", "mean_positive")
FALLING = ("last_negative", "mean_negative", "most_negative")
SHAPE = (
    "customer_turns",
    "answers",
    "customer_last",
    "customer_words",
    "answer_words",
    "last_words",
    "longest_words",
    "exclaims",
    "questions",
    "one_turn",
    "last_exclaims",
    "last_asks",
)
STATISTICS = (*RISING, *FALLING, *SHAPE)
TRIED_TURNS = 8
SHOWN_TURNS = 3
LEAST_CHANGE = 0.02
_MOST_WORDS = 40
_MOST_MARKS = 6

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class CustomerTurn:
    """One customer text as it was read; the embedding is of unit length."""

    text: Text
    negative: float
    positive: float
    embedding: Vector
    cues: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Dialogue:
    """`turns` holds at least one; `answers` are the words of each turn of an agent or bot."""

    turns: tuple[CustomerTurn, ...]
    answers: tuple[int, ...]
    customer_last: bool

    def without(self, place: int) -> "Dialogue":
        """The same conversation had the customer not said this; there must be another turn."""
        return Dialogue(self.turns[:place] + self.turns[place + 1 :], self.answers, self.customer_last)


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """What the prediction is a linear function of."""

    statistics: NDArray[np.float64]
    mean: Vector
    """Embeddings of the customer's turns, weighted by √words and doubled from first to last."""
    last: Vector
    said: dict[int, int]
    """Words and pairs of words of all customer turns: how many turns hold them, by bucket."""
    said_last: dict[int, int]


def features_of(dialogue: Dialogue, cues: Sequence[str]) -> Features:
    """`cues` are the model's cues to be counted, in order."""
    turns = dialogue.turns
    weights = _weights(turns)
    mean = np.average(np.stack([t.embedding for t in turns]), axis=0, weights=weights)
    grams = [_grams(turn.text) for turn in turns]
    return Features(
        statistics=np.array([*_moods(turns, weights), *_shape(dialogue), *_cue_values(turns, cues)]),
        mean=np.asarray(mean, dtype=np.float32),
        last=turns[-1].embedding,
        said=_counts(grams),
        said_last=_counts(grams[-1:]),
    )


def _weights(turns: Sequence[CustomerTurn]) -> NDArray[np.float64]:
    lengths = [min(max(len(t.text.words), 1), _MOST_WORDS) for t in turns]
    return np.sqrt(lengths) * np.linspace(1.0, 2.0, len(turns))


def _moods(turns: Sequence[CustomerTurn], weights: NDArray[np.float64]) -> list[float]:
    """In the order of RISING and FALLING; each never falls (rises) when a turn is read as better."""
    negative = np.array([t.negative for t in turns])
    positive = np.array([t.positive for t in turns])
    score = positive - negative
    shares = weights / weights.sum()
    return [
        float(value)
        for value in (
            shares @ score,
            score[-1],
            score.min(),
            positive[-1],
            shares @ positive,
            negative[-1],
            shares @ negative,
            negative.max(),
        )
    ]


def _shape(dialogue: Dialogue) -> list[float]:
    texts = [t.text for t in dialogue.turns]
    words = [len(text.words) for text in texts]
    last = texts[-1].original
    exclaims = any("!" in text.original for text in texts)
    return [
        math.log1p(len(texts)),
        math.log1p(len(dialogue.answers)),
        float(dialogue.customer_last),
        math.log1p(sum(words) / len(words)),
        math.log1p(sum(dialogue.answers) / len(dialogue.answers)) if dialogue.answers else 0.0,
        math.log1p(words[-1]),
        math.log1p(max(words)),
        float(exclaims),
        float(min(sum(text.original.count("?") for text in texts), _MOST_MARKS)),
        float(len(texts) == 1),
        float(min(last.count("!"), _MOST_MARKS)),
        float("?" in last),
    ]


def _cue_values(turns: Sequence[CustomerTurn], cues: Sequence[str]) -> list[float]:
    anywhere = [max(t.cues.get(name, 0.0) for t in turns) for name in cues]
    return anywhere + [turns[-1].cues.get(name, 0.0) for name in cues]


def _grams(text: Text) -> set[int]:
    words = words_of(text.low)
    words += [mark for mark in "!?" if mark in text.low]
    pairs = [f"{one} {two}" for one, two in pairwise(words)]
    return {crc32(gram.encode("utf-8", "replace")) % BUCKETS for gram in (*words, *pairs)}


def _counts(grams: Iterable[set[int]]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for one in grams:
        for bucket in one:
            counts[bucket] = counts.get(bucket, 0) + 1
    return counts


def gram_values(counts: Mapping[int, int], rarity: Vector) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(buckets in order, values): log(1 + turns) × rarity, of length 1 together."""
    buckets = np.array(sorted(counts), dtype=np.int64)
    values = np.log1p([counts[b] for b in buckets.tolist()]) * rarity[buckets].astype(np.float64)
    length = float(np.linalg.norm(values))
    return buckets, values / length if length else values


@dataclass(frozen=True, slots=True, eq=False)
class SatisfactionModel:
    """A linear predictor; everything it knows are these arrays. Statistics are held within what training
    saw: a conversation of 200 turns, or one nobody answered, counts as the longest, or least answered, seen.
    """

    encoder: str
    """sha256 of the model whose readings it was trained on; of another's they mean nothing."""
    cues: tuple[str, ...]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    statistics: NDArray[np.float64]
    mean: Vector
    last: Vector
    rarity: Vector
    said: Vector
    said_last: Vector
    start: float
    half_width: float
    """Half of the interval that held 80 % of dialogues not trained on."""
    sha256: str = ""
    """Of the file it was read from."""

    def __post_init__(self) -> None:
        expected = len(STATISTICS) + 2 * len(self.cues)
        if not len(self.low) == len(self.high) == len(self.statistics) == expected:
            raise ValueError(f"{expected} statistics are expected, not {len(self.statistics)}")
        if not len(self.rarity) == len(self.said) == len(self.said_last) == BUCKETS:
            raise ValueError(f"{BUCKETS} buckets are expected, not {len(self.said)}")

    def predict(self, dialogue: Dialogue) -> float:
        """−1…1; the same for the same dialogue on every machine, to four decimals."""
        found = features_of(dialogue, self.cues)
        value = self.start + float(self.statistics @ np.clip(found.statistics, self.low, self.high))
        value += float(self.mean.astype(np.float64) @ found.mean.astype(np.float64))
        value += float(self.last.astype(np.float64) @ found.last.astype(np.float64))
        for counts, weights in ((found.said, self.said), (found.said_last, self.said_last)):
            buckets, values = gram_values(counts, self.rarity)
            value += float(weights[buckets].astype(np.float64) @ values)
        return max(-1.0, min(1.0, value))


def turns_that_counted(model: SatisfactionModel, dialogue: Dialogue) -> list[tuple[int, float]]:
    """(place, prediction − prediction had the customer not said it), −1…1, the greatest changes first.

    At most `SHOWN_TURNS` of at least `LEAST_CHANGE`. Tried are the last turn and those with the strongest
    mood, so that a long conversation is tried no more often than a short one. Empty for a
    conversation of one turn.
    """
    turns = dialogue.turns
    if len(turns) < 2:
        return []
    moods = sorted(range(len(turns) - 1), key=lambda i: (-abs(turns[i].positive - turns[i].negative), i))
    whole = model.predict(dialogue)
    tried = [len(turns) - 1, *moods[: TRIED_TURNS - 1]]
    changes = [(i, max(-1.0, min(1.0, whole - model.predict(dialogue.without(i))))) for i in tried]
    counted = sorted(
        (one for one in changes if abs(one[1]) >= LEAST_CHANGE), key=lambda c: (-abs(c[1]), c[0])
    )
    return counted[:SHOWN_TURNS]
