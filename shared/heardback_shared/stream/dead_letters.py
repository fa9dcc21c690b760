"""Records that cannot be handled, kept whole: original bytes, key and headers, where they lay, and why."""

import base64
from datetime import datetime

from heardback_shared import __version__
from heardback_shared.contracts.envelope import Envelope, to_bytes
from heardback_shared.contracts.events import FEEDBACK_DEAD, DeadLetter
from heardback_shared.contracts.topics import DEAD
from heardback_shared.ids import derived_id
from heardback_shared.stream.ports import Outgoing, Record

NO_TENANT = "-"


def dead_letter(
    record: Record,
    *,
    service: str,
    error: BaseException,
    attempts: int,
    failed_at: datetime,
    event: Envelope | None = None,
) -> DeadLetter:
    """The same record always becomes the same letter id, so that writing it twice is one letter."""
    return DeadLetter(
        id=derived_id("dl", service, record.topic, record.partition, record.offset, failed_key(record)),
        service=service,
        version=__version__,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=None if record.key is None else record.key.decode("utf-8", "replace"),
        headers=tuple((name, value.decode("utf-8", "replace")) for name, value in record.headers),
        value=base64.b64encode(record.value or b"").decode(),
        error=type(error).__name__,
        reason=str(error) or type(error).__name__,
        attempts=attempts,
        failed_at=failed_at,
        tenant_id=event.tenant_id if event else None,
        subject=event.subject if event else None,
        event_id=event.id if event else None,
    )


def failed_key(record: Record) -> str:
    """Tells apart records at the same offset of a log that was emptied and filled again."""
    event_id = next((value for name, value in record.headers if name == "ce_id"), b"")
    return event_id.decode("utf-8", "replace")


def to_outgoing(letter: DeadLetter) -> Outgoing:
    event = Envelope(
        id=letter.id,
        source=f"/heardback/{letter.service}",
        type=FEEDBACK_DEAD,
        data=to_bytes(letter),
        time=letter.failed_at,
        subject=letter.subject,
        tenant_id=letter.tenant_id or NO_TENANT,
        key=letter.id,
        causation_id=letter.event_id,
    )
    return Outgoing(DEAD.name, event)
