"""Corrections as events for `judgement.changed`, from which scoring learns."""

import base64
from collections.abc import Sequence
from datetime import datetime

from heardback_router.backlog.announce import SOURCE
from heardback_router.corrections.domain import Word
from heardback_shared.contracts.envelope import Envelope, to_bytes
from heardback_shared.contracts.events import FEEDBACK_CORRECTED, Embedding, FeedbackCorrected
from heardback_shared.contracts.topics import JUDGEMENT
from heardback_shared.ids import derived_id
from heardback_shared.stream.ports import Outgoing


def feedback_corrected(
    tenant_id: str, feedback_id: str, word: Word, at: datetime, embedding: Embedding | None
) -> Outgoing:
    """What was said about its causes; where that is nothing, as if nobody had said anything."""
    if not word.about_causes:
        return taken_back(tenant_id, feedback_id, at)
    said = FeedbackCorrected(
        feedback_id=feedback_id, right=word.right, wrong=word.wrong, embedding=embedding, at=at
    )
    return _outgoing(tenant_id, said)


def taken_back(tenant_id: str, feedback_id: str, at: datetime) -> Outgoing:
    return _outgoing(tenant_id, FeedbackCorrected(feedback_id=feedback_id, taken_back=True, at=at))


def embedding_of(values: bytes | None, model: str | None) -> Embedding | None:
    """As the router keeps it."""
    if values is None or model is None:
        return None
    return Embedding(model=model, values=base64.b64encode(values).decode())


def erased(tenant_id: str, feedback_ids: Sequence[str], at: datetime) -> list[Outgoing]:
    return [taken_back(tenant_id, feedback_id, at) for feedback_id in feedback_ids]


def _outgoing(tenant_id: str, said: FeedbackCorrected) -> Outgoing:
    model = said.embedding.model if said.embedding else ""
    envelope = Envelope(
        id=derived_id("ev", "corrected", tenant_id, said.feedback_id, said.at.isoformat(), model),
        source=SOURCE,
        type=FEEDBACK_CORRECTED,
        data=to_bytes(said),
        time=said.at,
        subject=said.feedback_id,
        tenant_id=tenant_id,
        key=f"{tenant_id}:{said.feedback_id}",
    )
    return Outgoing(JUDGEMENT.name, envelope)
