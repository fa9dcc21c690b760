"""The use case: feedback in, scores out; one call to the model for the texts of the whole batch."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from heardback_scoring.app.dialogue import dialogue_of
from heardback_scoring.app.explaining import Judged, explained
from heardback_scoring.app.judging import Asked, as_kept, causes_of, felt_in, severity_of
from heardback_scoring.app.listening import Heard, Said, cues_of, listen
from heardback_scoring.app.ports import Explain
from heardback_scoring.app.understanding import Understanding
from heardback_scoring.domain import handover, sentiment
from heardback_scoring.domain.language import UNKNOWN
from heardback_scoring.domain.mismatch import mismatch_of
from heardback_scoring.domain.root_cause import Causes, Vectors, pooled
from heardback_scoring.domain.satisfaction import Dialogue
from heardback_scoring.domain.sentiment import ReadTurn
from heardback_scoring.inference.ports import TextReading
from heardback_scoring.inference.thread import InferenceBusy, InferenceClosed, TextsRefused
from heardback_shared.contracts.events import FeedbackAccepted
from heardback_shared.contracts.score import (
    Band,
    Cue,
    Handover,
    ModelRef,
    Score,
    ScoreStatus,
    SentimentReading,
    Trajectory,
    TurnReading,
)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Read:
    """The readings of one feedback's texts. `fallback` says why the fallback read `by_fallback` of them."""

    readings: Sequence[TextReading]
    by_fallback: int = 0
    fallback: str | None = None


@dataclass(frozen=True, slots=True)
class Understood:
    """A score, and the vector its causes were found by, as it is kept; None where there was none."""

    score: Score
    vector: Vectors | None


async def score_batch(
    feedbacks: Sequence[FeedbackAccepted], by: Understanding, explain: Explain | None = None
) -> list[Score]:
    """The scores of `understand_batch`, by the deployment's own policies."""
    return [one.score for one in await understand_batch(feedbacks, by, explain)]


async def understand_batch(
    feedbacks: Sequence[FeedbackAccepted],
    by: Understanding,
    explain: Explain | None = None,
    tenants: Sequence[str | None] | None = None,
) -> list[Understood]:
    """One score per feedback, in order. Same feedback, same model, same policies: same score.

    `tenants` says whose each feedback is, so that it is judged by that tenant's policies. `explain` says
    which get evidence, if not as `by` says; evidence is left out when the model is too busy.

    The day that renewal dates are measured against is that of `accepted_at`, so a replay counts the same
    days. When the model fails, the fallback reads what it failed on and the scores are `degraded`.
    Raises InferenceBusy or InferenceClosed when nothing can be read now but later.
    """
    judges = [by.for_tenant(tenant) for tenant in tenants] if tenants else [by] * len(feedbacks)
    heard = [listen(feedback.content, by) for feedback in feedbacks]
    reads = await _read_all(heard, by)
    vectors = [_pooled(said.said, read.readings) for said, read in zip(heard, reads, strict=True)]
    causes = _causes(feedbacks, heard, vectors, judges)
    judged = [
        _judged(feedback, said, read, cause, own)
        for feedback, said, read, cause, own in zip(feedbacks, heard, reads, causes, judges, strict=True)
    ]
    scores = await explained(judged, explain or by.explain, by.reader, by.policies.spoken, by.satisfaction)
    return [Understood(score, vector) for score, vector in zip(scores, vectors, strict=True)]


async def _read_all(heard: Sequence[Heard], by: Understanding) -> list[_Read]:
    texts = [said.spoken for one in heard for said in one.said]
    readings, failed, why = await _read_or_fall_back(texts, by)
    reads, start = [], 0
    for one in heard:
        end = start + len(one.said)
        fell = sum(1 for i in range(start, end) if i in failed)
        reads.append(_Read(readings[start:end], fell, why if fell else None))
        start = end
    return reads


async def _read_or_fall_back(
    texts: Sequence[str], by: Understanding
) -> tuple[list[TextReading], frozenset[int], str | None]:
    """(one reading per text, positions that the fallback read, why)."""
    if not texts:
        return [], frozenset(), None
    try:
        return await by.reader.read(texts), frozenset(), None
    except (InferenceBusy, InferenceClosed):
        raise
    except TextsRefused as refused:
        error: Exception = next(iter(refused.failures.values()))
        readings = list(refused.readings)
    except Exception as failure:  # whatever a model runtime raises: the fallback must answer
        error = failure
        readings = [None] * len(texts)
    missing = [i for i, reading in enumerate(readings) if reading is None]
    _log.warning("scoring.fell_back", error=type(error).__name__, texts=len(missing))
    by_fallback = dict(zip(missing, by.fallback.read([texts[i] for i in missing]), strict=True))
    whole = [reading or by_fallback[i] for i, reading in enumerate(readings)]
    return whole, frozenset(missing), f"The model failed ({type(error).__name__}); the fallback read it."


def _causes(
    feedbacks: Sequence[FeedbackAccepted],
    heard: Sequence[Heard],
    vectors: Sequence[Vectors | None],
    judges: Sequence[Understanding],
) -> list[Causes]:
    """In order; each tenant's feedback is compared with what that tenant taught."""
    found: dict[int, Causes] = {}
    rows: dict[int, list[int]] = {}
    for row, own in enumerate(judges):
        rows.setdefault(id(own), []).append(row)
    for members in rows.values():
        asked = [Asked(feedbacks[row].feedback_id, heard[row].said, vectors[row]) for row in members]
        found |= zip(members, causes_of(asked, judges[members[0]]), strict=True)
    return [found[row] for row in range(len(feedbacks))]


def _pooled(said: Sequence[Said], readings: Sequence[TextReading]) -> Vectors | None:
    """A text alone is its embedding; of several, each weighs √words × (½ + P(negative)). As it is kept."""
    embeddings = [r.embedding for r in readings]
    known = [e for e in embeddings if e is not None]
    if not said or len(known) != len(said):
        return None
    if len(known) == 1:
        return as_kept(known[0])
    weights = [
        max(len(s.text.words), 1) ** 0.5 * (0.5 + r.negative) for s, r in zip(said, readings, strict=True)
    ]
    return as_kept(pooled(known, weights))


def _judged(
    feedback: FeedbackAccepted, heard: Heard, read: _Read, causes: Causes, by: Understanding
) -> Judged:
    dialogue = None
    if by.satisfaction is not None and not read.by_fallback:
        dialogue = dialogue_of(feedback.content, heard.said, read.readings)
    return Judged(heard, read.readings, _score(feedback, heard, read, causes, dialogue, by), dialogue)


def _score(
    feedback: FeedbackAccepted,
    heard: Heard,
    read: _Read,
    causes: Causes,
    dialogue: Dialogue | None,
    by: Understanding,
) -> Score:
    policies, content = by.policies, feedback.content
    turns = [
        ReadTurn(s.index, len(s.text.words), r.negative, r.neutral, r.positive)
        for s, r in zip(heard.said, read.readings, strict=True)
    ]
    whole = sentiment.overall(turns, policies.sentiment)
    path = sentiment.trajectory(turns, policies.sentiment) if content.kind == "transcript" else None
    share = content.metric.share_of_best if content.metric else None
    mood = whole.score if whole else None
    contradiction = mismatch_of(policies.mismatch, mood, share)
    cues = cues_of(content, heard, read.readings, by)
    harm = severity_of(feedback, felt_in(heard.said, mood, path, heard.silent, cues), policies.severity)
    status, because = _status(heard, read, by)
    predicted = by.satisfaction.predict(dialogue) if by.satisfaction and dialogue else None
    satisfaction = sentiment.satisfaction(
        policies.sentiment,
        sentiment=mood,
        metric_share=share,
        path=path,
        resolution=content.resolution,
        predicted=predicted,
        answered=dialogue is not None and bool(dialogue.answers),
        mismatch=contradiction is not None,
    )
    return Score(
        status=status,
        because=because,
        sentiment=sentiment.nothing_said() if whole is None and heard.silent and heard.empty else whole,
        turns=_turn_readings(turns, by) if content.kind == "transcript" else (),
        trajectory=path,
        satisfaction=satisfaction,
        satisfaction_interval=_interval(satisfaction, dialogue, by),
        mismatch=contradiction,
        cues=cues,
        root_causes=causes.found,
        runners_up=causes.runners_up,
        severity=harm,
        handover=_handover(heard, cues, harm.band, whole, path, len(turns), by),
        language=heard.language,
        models=_models(read, dialogue, by),
        taxonomy=by.taxonomy_version,
        policies=by.versions,
    )


def _turn_readings(turns: Sequence[ReadTurn], by: Understanding) -> tuple[TurnReading, ...]:
    policy = by.policies.sentiment
    return tuple(
        TurnReading(index=t.index, sentiment=sentiment.reading(t.negative, t.neutral, t.positive, policy))
        for t in turns
    )


def _handover(
    heard: Heard,
    cues: Sequence[Cue],
    band: Band,
    whole: SentimentReading | None,
    path: Trajectory | None,
    turns_read: int,
    by: Understanding,
) -> Handover:
    return handover.decide(
        by.policies.handover,
        cues=cues,
        band=band,
        language=heard.language,
        readable=not heard.unreadable,
        sentiment=whole.score if whole else None,
        path=path,
        turns_read=turns_read,
    )


def _status(heard: Heard, read: _Read, by: Understanding) -> tuple[ScoreStatus, str | None]:
    if heard.unreadable:
        scored = ", ".join(sorted(by.policies.language.scored))
        code = heard.language.code
        told = "in a language that could not be told" if code == UNKNOWN else f"in language {code!r}"
        return "unscored", f"The text is {told}; only {scored} is scored."
    if read.fallback:
        return "degraded", read.fallback
    if heard.said and by.reader.scorer.degraded:
        return "degraded", by.why_degraded or "The fallback is the model in use."
    if heard.left_out:
        total = heard.left_out + len(heard.said)
        return "scored", f"{heard.left_out} of {total} texts are in a language that is not scored; left out."
    if heard.silent:
        return (
            "scored",
            "Nothing was said in words." if heard.empty else "There is no text; only the rest counts.",
        )
    return "scored", None


def _interval(
    satisfaction: float | None, dialogue: Dialogue | None, by: Understanding
) -> tuple[float, float] | None:
    if satisfaction is None or dialogue is None or not dialogue.answers or by.satisfaction is None:
        return None
    return sentiment.interval(satisfaction, by.satisfaction.half_width)


def _models(read: _Read, dialogue: Dialogue | None, by: Understanding) -> tuple[ModelRef, ...]:
    models = []
    if len(read.readings) > read.by_fallback:
        models.append(by.reader.scorer.model)
    if read.by_fallback:
        models.append(by.fallback.model)
    if dialogue is not None and by.satisfaction is not None:
        sha256 = by.satisfaction.sha256
        models.append(ModelRef(name="satisfaction", revision=sha256[:12], sha256=sha256))
    return tuple(models)
