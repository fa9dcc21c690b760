"""The stream stage: accepted feedback in, scored feedback out. No state; a repeat gives the same event id."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from pydantic import ValidationError

from heardback_scoring.app.drift_monitor import DriftMonitor
from heardback_scoring.app.judging import embedding_of
from heardback_scoring.app.score_batch import Understood, understand_batch
from heardback_scoring.app.serving import Serving
from heardback_scoring.app.shadow import Shadow
from heardback_scoring.inference.thread import InferenceBusy, InferenceClosed
from heardback_shared.clock import Clock
from heardback_shared.contracts.envelope import Envelope, to_bytes
from heardback_shared.contracts.events import (
    FEEDBACK_ACCEPTED,
    FEEDBACK_SCORED,
    Embedding,
    FeedbackAccepted,
)
from heardback_shared.contracts.score import ModelRef, Score
from heardback_shared.contracts.topics import SCORED
from heardback_shared.errors import PermanentError, TransientError
from heardback_shared.ids import derived_id
from heardback_shared.metrics import Metrics
from heardback_shared.stream.ports import Incoming, Outgoing

SOURCE = "/heardback/scoring"


class ScoreEvents:
    """Handler of the scoring stage."""

    def __init__(
        self, serving: Serving, clock: Clock, metrics: Metrics, drift: DriftMonitor, shadow: Shadow
    ) -> None:
        self._serving = serving
        self._shadow = shadow
        self._drift = drift
        self._clock = clock
        self._metrics = metrics

    async def __call__(self, batch: Sequence[Incoming]) -> Sequence[Outgoing]:
        """One scored event per accepted one, in order. Raises PermanentError for any other record."""
        feedbacks = [accepted(incoming.event) for incoming in batch]
        try:
            with self._serving.borrowed() as by:
                understood = await understand_batch(feedbacks, by, tenants=[i.event.tenant_id for i in batch])
        except (InferenceBusy, InferenceClosed) as error:
            raise TransientError(str(error)) from error
        now, model = self._clock.now(), by.reader.scorer.model
        scores = [one.score for one in understood]
        self._drift.observe(model, feedbacks, scores)
        self._shadow.offer(batch, feedbacks, scores)
        for status, count in Counter(score.status for score in scores).items():
            self._metrics.scored.labels(status).inc(count)
        return [
            Outgoing(SCORED.name, scored(incoming.event, one.score, now, _embedding(one, model)))
            for incoming, one in zip(batch, understood, strict=True)
        ]


def accepted(event: Envelope) -> FeedbackAccepted:
    if event.type != FEEDBACK_ACCEPTED:
        raise PermanentError(f"event type {event.type} is not {FEEDBACK_ACCEPTED}")
    if event.tenant_id is None:
        raise PermanentError("the event names no tenant")
    try:
        return FeedbackAccepted.model_validate_json(event.data)
    except ValidationError as error:
        where = ", ".join(sorted({".".join(map(str, e["loc"])) or "the whole" for e in error.errors()}))
        raise PermanentError(f"not an accepted feedback; wrong at: {where}") from error


def _embedding(one: Understood, model: ModelRef) -> Embedding | None:
    return None if one.vector is None else embedding_of(one.vector, model)


def scored(event: Envelope, score: Score, at: datetime, embedding: Embedding | None = None) -> Envelope:
    """The accepted event rides along byte for byte: fields that this release does not know are kept, too."""
    data = b'{"accepted":%b,"score":%b,"scored_at":"%b"%b}' % (
        event.data,
        to_bytes(score),
        at.isoformat().replace("+00:00", "Z").encode(),
        b"" if embedding is None else b',"embedding":' + to_bytes(embedding),
    )
    return Envelope(
        id=scored_id(event.id, score),
        source=SOURCE,
        type=FEEDBACK_SCORED,
        data=data,
        time=at,
        subject=event.subject,
        tenant_id=event.tenant_id,
        key=event.key,
        traceparent=event.traceparent,
        causation_id=event.id,
    )


def scored_id(accepted_id: str, score: Score) -> str:
    """The same for the same accepted event, model revisions and policy versions."""
    models = "+".join(m.version for m in score.models) or "no model"
    return derived_id("ev", accepted_id, "scored", models, *score.policies)
