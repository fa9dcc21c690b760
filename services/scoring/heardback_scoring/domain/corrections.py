"""What people said about root causes that were read wrongly: data with a digest that a taxonomy learns."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

MOST = 2000
"""Corrections kept per taxonomy; the oldest goes first."""


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """One person's word about one feedback. Holds its embedding, never its text.

    `right` are the paths (domain/category) of its causes: these and no others, so empty says that there is
    none. None leaves that open, and only `wrong` is known not to be a cause.
    """

    feedback_id: str
    vector: NDArray[np.float32]
    right: frozenset[str] | None = None
    wrong: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.feedback_id:
            raise ValueError("feedback_id: name the feedback, or the correction can never be taken back")
        if self.right is None and not self.wrong:
            raise ValueError("right, wrong: give the right causes (none is legal) or a wrong one")
        both = sorted((self.right or frozenset()) & self.wrong)
        if both:
            raise ValueError(f"right, wrong: {both[0]} cannot be both; leave it out of one")
        length = float(np.linalg.norm(self.vector))
        if self.vector.ndim != 1 or not np.isclose(length, 1.0, atol=1e-3):
            raise ValueError(f"vector: must be one row of length 1, not {length:.3f}")

    @property
    def fingerprint(self) -> bytes:
        """Equal for corrections that teach the same."""
        right = "-" if self.right is None else ",".join(sorted(self.right))
        said = f"{self.feedback_id}\n{right}\n{','.join(sorted(self.wrong))}\n".encode()
        return said + self.vector.astype("<f4").tobytes()


@dataclass(frozen=True, slots=True, eq=False)
class Corrections:
    """At most one per feedback and `MOST` in all, the oldest first. Every change is a new set."""

    entries: tuple[Correction, ...] = ()

    @classmethod
    def of(cls, corrections: Iterable[Correction]) -> Self:
        """In the order given: the later word about the same feedback counts, and takes the later place."""
        latest: dict[str, Correction] = {}
        for correction in corrections:
            latest.pop(correction.feedback_id, None)
            latest[correction.feedback_id] = correction
        return cls(tuple(latest.values())[-MOST:])

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Correction]:
        return iter(self.entries)

    def with_one(self, correction: Correction) -> "Corrections":
        return Corrections.of((*self.entries, correction))

    def without(self, feedback_id: str) -> "Corrections":
        """As if nobody had ever corrected this feedback; for erasure, and for a correction taken back."""
        return Corrections(tuple(c for c in self.entries if c.feedback_id != feedback_id))

    def about(self, feedback_id: str) -> Correction | None:
        return next((c for c in self.entries if c.feedback_id == feedback_id), None)

    @property
    def version(self) -> str:
        """`+12corrections.1a2b3c4d`, the same for the same corrections in any order; empty without any."""
        if not self.entries:
            return ""
        whole = hashlib.sha256()
        for one in sorted(hashlib.sha256(c.fingerprint).digest() for c in self.entries):
            whole.update(one)
        plural = "s" if len(self.entries) > 1 else ""
        return f"+{len(self.entries)}correction{plural}.{whole.hexdigest()[:8]}"


NO_CORRECTIONS = Corrections()
