"""Comparing newcomers with all open feedback of their topic, one by one. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from heardback_router.grouping.neighbourhood import Newcomer, Vector

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_HEAD = 2
"""A vector is sent as dimension, zero, values: two bytes each."""
_VALUES = np.arange(65_536, dtype="<u2").byteswap().view("<f2").astype(np.float32)
"""Float16 by its two bytes as they are sent, read as if they were little-endian."""


class Compared(NamedTuple):
    """An open feedback that was found near a newcomer."""

    newcomer: Newcomer
    feedback_id: str
    item_id: str
    at: datetime
    similarity: float
    """To four digits."""


@dataclass(frozen=True, slots=True, eq=False)
class OneTopic:
    """The open feedback of one topic: four columns of equal length, in no order."""

    feedback_ids: Sequence[str]
    item_ids: Sequence[str]
    times: NDArray[np.int64]
    """Microseconds since the year 2000."""
    vectors: Vector
    """A row each."""

    @classmethod
    def sent(cls, feedback_ids: Sequence[str], item_ids: Sequence[str], times: bytes, vectors: bytes) -> Self:
        """As PostgreSQL sends timestamps and halfvecs in binary, one after the other."""
        halves = np.frombuffer(vectors, "<u2").reshape(len(feedback_ids), -1)[:, _HEAD:]
        return cls(feedback_ids, item_ids, np.frombuffer(times, ">i8").astype(np.int64), _VALUES[halves])

    def nearest(self, asking: Sequence[Newcomer], window: timedelta, most: int) -> list[Compared]:
        """For each newcomer the nearest that came within the window of it, nearest first; of equally near
        ones those with the smaller id. All vectors are of one length."""
        asked = np.stack([_vector(newcomer) for newcomer in asking])
        # Not a product of matrices: its threads would take the cores from others while they wait.
        similarities = np.round(np.vecdot(asked[:, None, :], self.vectors[None]).astype(np.float64), 4)
        since = np.array([_moment(newcomer.at - window) for newcomer in asking])[:, None]
        until = np.array([_moment(newcomer.at + window) for newcomer in asking])[:, None]
        similarities[(self.times < since) | (self.times > until)] = -np.inf
        found = []
        for newcomer, places in zip(asking, self._first(similarities, most), strict=True):
            found += [self._one(newcomer, place, similarity) for similarity, place in places]
        return found

    def _first(self, similarities: NDArray[np.float64], most: int) -> list[list[tuple[float, int]]]:
        """Per row its greatest values that are any, and their places."""
        bars = np.full(len(similarities), -np.inf)
        if similarities.shape[1] > most:
            bars = np.partition(similarities, -most, axis=1)[:, -most]
        near = (similarities >= bars[:, None]) & (similarities > -np.inf)
        first: list[list[tuple[float, int]]] = [[] for _ in bars]
        rows, places = np.nonzero(near)
        for row, place, similarity in zip(
            rows.tolist(), places.tolist(), similarities[near].tolist(), strict=True
        ):
            first[row].append((similarity, place))
        for many in first:
            many.sort(key=lambda one: (-one[0], self.feedback_ids[one[1]]))
        return [many[:most] for many in first]

    def _one(self, newcomer: Newcomer, place: int, similarity: float) -> Compared:
        at = _EPOCH + int(self.times[place]) * _MICROSECOND
        return Compared(newcomer, self.feedback_ids[place], self.item_ids[place], at, similarity)


def _moment(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _vector(newcomer: Newcomer) -> Vector:
    if newcomer.vector is None:
        raise ValueError("only a newcomer with a vector can be compared")
    return newcomer.vector
