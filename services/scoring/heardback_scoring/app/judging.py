"""What a tenant's own policies decide: how bad it is, and what it is about. Pure, so that it can be replayed.

Nothing is looked at but what is kept: the accepted feedback, its readings as the score has them, and one
vector of its words in the precision in which it is kept.
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC

import numpy as np

from heardback_scoring.app.listening import Said
from heardback_scoring.app.understanding import Understanding
from heardback_scoring.domain import severity
from heardback_scoring.domain.intensity import strongest, tells_consequence, wishes
from heardback_scoring.domain.root_cause import (
    UNCLEAR,
    Causes,
    EmbeddedTaxonomy,
    Vectors,
    nearest_causes,
)
from heardback_scoring.domain.severity_policy import SeverityPolicy
from heardback_shared.contracts.events import Embedding, FeedbackAccepted
from heardback_shared.contracts.score import Cue, ModelRef, Severity, Trajectory

TOGETHER = 16
"""Texts are compared this many at a time, the last of them filled up: the last bit of a float sum depends on
the shape of the whole product, and one feedback read again must give what it gave among others."""


@dataclass(frozen=True, slots=True)
class Felt:
    """What severity takes from the readings of a feedback; see `domain.severity.SeverityInputs`."""

    mood: float | None
    path: Trajectory | None
    silent: bool
    intensity: float
    wish: bool
    consequence: bool
    cues: tuple[Cue, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A feedback whose causes are wanted. `vector` is as kept; None where a text has no embedding."""

    feedback_id: str
    said: Sequence[Said]
    vector: Vectors | None


def felt_in(
    said: Sequence[Said], mood: float | None, path: Trajectory | None, silent: bool, cues: tuple[Cue, ...]
) -> Felt:
    """With what the words themselves tell: how strongly it is put, and whether a wish is left open."""
    texts = [one.text for one in said]
    return Felt(
        mood,
        path,
        silent,
        strongest(texts),
        any(map(wishes, texts)),
        any(map(tells_consequence, texts)),
        cues,
    )


def severity_of(feedback: FeedbackAccepted, felt: Felt, policy: SeverityPolicy) -> Severity:
    """Days are counted from the UTC day on which the feedback was accepted."""
    content, path = feedback.content, felt.path
    return severity.assess(
        severity.SeverityInputs(
            lowest=path.lowest if path else felt.mood,
            end=path.end if path else felt.mood,
            silent=felt.silent,
            intensity=felt.intensity,
            wish=felt.wish,
            consequence=felt.consequence,
            cues=felt.cues,
            metric=content.metric,
            customer=feedback.customer,
            touchpoint=content.touchpoint,
            conversation=content.kind == "transcript",
            resolution=content.resolution,
            today=feedback.accepted_at.astimezone(UTC).date(),
        ),
        policy,
    )


def causes_of(asked: Sequence[Asked], by: Understanding) -> list[Causes]:
    """A person's word about this very feedback; else learnt from examples where texts have embeddings,
    by keywords where not, unclear without texts. In order.
    """
    causes = [UNCLEAR] * len(asked)
    learnt: list[tuple[int, Vectors, str]] = []
    for place, one in enumerate(asked):
        told = by.told(one.feedback_id)
        if told is not None:
            causes[place] = told
        elif one.said and one.vector is not None and by.embedded is not None:
            learnt.append((place, one.vector, "\n".join(said.spoken for said in one.said)))
        elif one.said:
            causes[place] = by.keywords.causes([said.text for said in one.said])
    if by.embedded is not None:
        for place, found in _nearest(learnt, by.embedded):
            causes[place] = found
    return causes


def _nearest(
    learnt: Sequence[tuple[int, Vectors, str]], embedded: EmbeddedTaxonomy
) -> Iterator[tuple[int, Causes]]:
    for start in range(0, len(learnt), TOGETHER):
        block = learnt[start : start + TOGETHER]
        vectors = np.zeros((TOGETHER, len(block[0][1])), np.float32)
        vectors[: len(block)] = [vector for _, vector, _ in block]
        texts = [text for _, _, text in block] + [""] * (TOGETHER - len(block))
        found = nearest_causes(vectors, texts, embedded)
        yield from ((place, one) for (place, _, _), one in zip(block, found, strict=False))


def as_kept(vector: Vectors) -> Vectors:
    """In the precision of two bytes, in which vectors are kept."""
    return vector.astype("<f2").astype(np.float32)


def embedding_of(vector: Vectors, model: ModelRef) -> Embedding:
    """A kept vector as events carry it."""
    values = base64.b64encode(vector.astype("<f2").tobytes()).decode()
    return Embedding(model=model.version, values=values)
