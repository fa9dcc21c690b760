"""Scored feedback as the router meets it."""

from datetime import datetime, timedelta
from typing import Any

from heardback_shared.contracts.customer import CustomerSnapshot
from heardback_shared.contracts.envelope import Envelope, to_bytes
from heardback_shared.contracts.events import FEEDBACK_SCORED, FeedbackAccepted, FeedbackScored
from heardback_shared.contracts.feedback import FeedbackContent
from heardback_shared.contracts.score import (
    Band,
    Contribution,
    Cue,
    Handover,
    Language,
    ModelRef,
    Probabilities,
    RootCause,
    Score,
    SentimentReading,
    Severity,
)
from heardback_shared.contracts.topics import SCORED
from heardback_shared.ids import derived_id
from heardback_shared.stream.ports import Incoming, Record
from tests.support.clock import NOON


def band_of(severity: float) -> Band:
    return "P1" if severity >= 75 else "P2" if severity >= 50 else "P3" if severity >= 25 else "P4"


def score(
    severity: float = 60.0,
    cause: str | None = "operations/billing",
    *,
    cues: tuple[str, ...] = (),
    status: Any = "scored",
    mood: float = -0.9,
    further: tuple[tuple[str, float], ...] = (),
    confidence: float = 0.8,
) -> Score:
    """`further` are causes after the first, with their confidences."""
    domain, _, category = (cause or "").partition("/")
    return Score(
        status=status,
        sentiment=SentimentReading(
            label="negative" if mood < 0 else "positive",
            score=mood,
            probabilities=Probabilities(
                negative=0.03 + max(-mood, 0), neutral=0.04, positive=0.03 + max(mood, 0)
            ),
        ),
        satisfaction=-0.8,
        cues=tuple(Cue(name=c, probability=0.9, turn=0, span=(0, 4), by="pattern") for c in cues),
        root_causes=(
            RootCause(domain=domain, category=category, confidence=confidence),
            *(
                RootCause(domain=path.split("/")[0], category=path.split("/")[1], confidence=sure)
                for path, sure in further
            ),
        )
        if cause
        else (),
        runners_up=(RootCause(domain="product", category="defect", confidence=0.2),),
        severity=Severity(
            score=severity,
            band=band_of(severity),
            contributions=(Contribution(factor="sentiment", points=severity, because="it is angry"),),
            policy="default@1",
        ),
        handover=Handover(now=False, because="nothing calls for it"),
        language=Language(code="en", confidence=0.99),
        models=(ModelRef(name="lexicon", revision="1", sha256="0" * 64),),
        taxonomy="taxonomy@1",
    )


def scored(
    number: int = 1,
    *,
    customer: str | None = "c-1",
    tier: Any = None,
    revision: int = 1,
    pass_number: int = 1,
    context: dict[str, Any] | None = None,
    comment: str = "The invoice is wrong again and nobody answers me",
    accepted_at: datetime = NOON,
    reading: Score | None = None,
    channel: str | None = "email",
    owner: str | None = None,
) -> FeedbackScored:
    return FeedbackScored(
        accepted=FeedbackAccepted(
            feedback_id=derived_id("fb", number),
            revision=revision,
            pass_number=pass_number,
            accepted_at=accepted_at,
            content=FeedbackContent(
                kind="survey",
                source="typeform",
                external_id=f"r-{number}",
                revision=revision,
                channel=channel,
                touchpoint="delivery",
                context=context or {},
                comment=comment,
            ),
            customer=CustomerSnapshot(id=customer, tier=tier, owner=owner) if customer else None,
        ),
        score=reading or score(),
        scored_at=accepted_at + timedelta(seconds=1),
    )


def incoming(feedback: FeedbackScored, *, tenant: str = "default", event_id: str | None = None) -> Incoming:
    accepted = feedback.accepted
    customer = accepted.customer.id if accepted.customer else None
    event = Envelope(
        id=event_id
        or derived_id("ev", tenant, accepted.feedback_id, accepted.revision, accepted.pass_number),
        source="/heardback/scoring",
        type=FEEDBACK_SCORED,
        data=to_bytes(feedback),
        time=feedback.scored_at,
        subject=accepted.feedback_id,
        tenant_id=tenant,
        key=f"{tenant}:{customer or accepted.feedback_id}",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    return Incoming(Record(SCORED.name, 0, 0, None, event.data), event)
