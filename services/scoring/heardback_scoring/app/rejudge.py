"""Judging again what was scored before, from what was kept of it. Pure: no model reads anything."""

from collections.abc import Sequence
from dataclasses import dataclass

from heardback_scoring.app.judging import Asked, Felt, causes_of, felt_in, severity_of
from heardback_scoring.app.listening import Heard, listen
from heardback_scoring.app.taught import vector_of
from heardback_scoring.app.understanding import Understanding
from heardback_scoring.domain.root_cause import Causes, Vectors
from heardback_shared.contracts.events import Embedding, FeedbackAccepted
from heardback_shared.contracts.score import RootCause, Score, Severity


@dataclass(frozen=True, slots=True)
class Kept:
    """One scored event as it was kept: all that its severity and its causes were judged from."""

    accepted: FeedbackAccepted
    score: Score
    embedding: Embedding | None


@dataclass(frozen=True, slots=True)
class Rejudged:
    """`because` says why the causes are as they were, where they could not be judged again."""

    severity: Severity
    root_causes: tuple[RootCause, ...]
    runners_up: tuple[RootCause, ...]
    taxonomy: str
    because: str | None = None


@dataclass(frozen=True, slots=True)
class What:
    """What is judged again; the rest stays as it was."""

    severity: bool = True
    causes: bool = True


def rejudge(kept: Sequence[Kept], by: Understanding, what: What = What()) -> list[Rejudged]:
    """In order. By the policies that judged first, it gives the same to the last bit.

    An embedding of another model cannot be compared: then the causes stay as they were, and it says so.
    """
    heard = [listen(one.accepted.content, by) for one in kept]
    severities = [
        severity_of(one.accepted, _felt(one.score, said), by.policies.severity)
        if what.severity
        else one.score.severity
        for one, said in zip(kept, heard, strict=True)
    ]
    unlike = [_unlike(one, by) if what.causes else None for one in kept]
    judged = [place for place, why in enumerate(unlike) if what.causes and why is None]
    asked = [Asked(kept[i].accepted.feedback_id, heard[i].said, _vector(kept[i])) for i in judged]
    found = dict(zip(judged, causes_of(asked, by), strict=True))
    return [
        _rejudged(one.score, severity, found.get(place), by.taxonomy_version, unlike[place])
        for place, (one, severity) in enumerate(zip(kept, severities, strict=True))
    ]


def _felt(score: Score, heard: Heard) -> Felt:
    # A customer who said nothing is shown as neutral, but severity knows no mood of theirs.
    mood = score.sentiment.score if score.sentiment and not heard.silent else None
    return felt_in(heard.said, mood, score.trajectory, heard.silent, score.cues)


def _vector(one: Kept) -> Vectors | None:
    return None if one.embedding is None else vector_of(one.embedding)


def _unlike(one: Kept, by: Understanding) -> str | None:
    now = by.reader.scorer.model.version
    if one.embedding is None or one.embedding.model == now or by.told(one.accepted.feedback_id) is not None:
        return None
    return f"Its embedding is of {one.embedding.model}; {now} reads now, and the two cannot be compared."


def _rejudged(
    score: Score, severity: Severity, causes: Causes | None, taxonomy: str, because: str | None
) -> Rejudged:
    if causes is None:
        return Rejudged(severity, score.root_causes, score.runners_up, score.taxonomy, because)
    return Rejudged(severity, causes.found, causes.runners_up, taxonomy)
