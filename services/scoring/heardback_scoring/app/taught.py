"""What one tenant and its people taught scoring: policies of its own, and root causes that were corrected."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from heardback_scoring.domain.corrections import MOST, Correction, Corrections
from heardback_scoring.domain.root_cause import Causes
from heardback_scoring.domain.severity_policy import SeverityPolicy
from heardback_scoring.domain.taxonomy import Taxonomy
from heardback_shared.contracts.events import Embedding, FeedbackCorrected
from heardback_shared.contracts.score import RootCause

REMEMBERED = 5 * MOST
"""Corrections kept per tenant, the newest. All hold for their own feedback, `MOST` are learnt from."""


@dataclass(frozen=True, slots=True)
class Told:
    """Corrections that hold for their own feedback only: nothing can be learnt from them.

    They came without an embedding, or with one of another model than reads now.
    """

    right: Mapping[str, frozenset[str]] = field(default_factory=dict)
    version: str = field(init=False)
    """`+2told.1a2b3c4d`, the same for the same ones; empty without any."""

    def __post_init__(self) -> None:
        lines = [f"{name}\n{','.join(sorted(self.right[name]))}\n" for name in sorted(self.right)]
        digest = hashlib.sha256("".join(lines).encode()).hexdigest()[:8]
        object.__setattr__(self, "version", f"+{len(lines)}told.{digest}" if lines else "")

    def causes(self, feedback_id: str, taxonomy: Taxonomy) -> Causes | None:
        """None where nobody said anything, or only what this taxonomy does not know."""
        right = self.right.get(feedback_id)
        if right is None:
            return None
        known = [category for category in taxonomy.categories if f"{category[0]}/{category[1]}" in right]
        if right and not known:
            return None
        return Causes(
            tuple(RootCause(domain=d, category=name, confidence=1.0) for d, name, c in known if c.cause)
        )


@dataclass(frozen=True, slots=True)
class Taught:
    """A policy is None where the tenant has none of its own. `corrected` is by feedback, the oldest first."""

    severity: SeverityPolicy | None = None
    taxonomy: Taxonomy | None = None
    corrected: Mapping[str, FeedbackCorrected] = field(default_factory=dict)

    def corrected_by(self, correction: FeedbackCorrected) -> "Taught":
        """With one correction more. One taken back is kept as such, so that no late word revives it."""
        before = self.corrected.get(correction.feedback_id)
        if before is not None and (before == correction or before.at > correction.at):
            return self
        both = {**self.corrected, correction.feedback_id: correction}
        newest = sorted(both.values(), key=lambda c: (c.at, c.feedback_id))[-REMEMBERED:]
        return replace(self, corrected={c.feedback_id: c for c in newest})

    def split(self, model: str) -> tuple[Corrections, Told]:
        """Those that this model (name@revision) can learn from, and those that are only remembered."""
        learnt = {k: one for k, c in self.corrected.items() if (one := _learnable(c, model)) is not None}
        newest = Corrections.of(learnt.values())
        kept = {one.feedback_id for one in newest}
        told = {
            k: frozenset(c.right)
            for k, c in self.corrected.items()
            if c.right is not None and not c.taken_back
        }
        return newest, Told({k: right for k, right in told.items() if k not in kept})


NOTHING_TAUGHT = Taught()
NOTHING_TOLD = Told()


def _learnable(correction: FeedbackCorrected, model: str) -> Correction | None:
    embedding = correction.embedding
    if embedding is None or embedding.model != model or correction.taken_back:
        return None
    right = None if correction.right is None else frozenset(correction.right)
    try:
        return Correction(correction.feedback_id, vector_of(embedding), right, frozenset(correction.wrong))
    except ValueError:
        return None


def vector_of(embedding: Embedding) -> NDArray[np.float32]:
    """Raises ValueError where the values are not base64 of two bytes each."""
    return np.frombuffer(embedding.data, "<f2").astype(np.float32)
