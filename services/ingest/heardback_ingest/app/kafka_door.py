"""The topic `feedback.submitted`: accept what is right, keep and announce what is not."""

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import structlog

from heardback_ingest.app.accept import SOURCE, Accept, Submitted
from heardback_ingest.app.submitted import NotAcceptableError, submission_of
from heardback_ingest.ports import DeadLetters, StoredLetter
from heardback_shared import __version__
from heardback_shared.clock import Clock
from heardback_shared.contracts.envelope import Envelope, EnvelopeError, to_bytes
from heardback_shared.contracts.events import FEEDBACK_REJECTED, FeedbackRejected
from heardback_shared.contracts.topics import REJECTED
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox
from heardback_shared.ids import derived_id
from heardback_shared.metrics import Metrics
from heardback_shared.stream.dead_letters import failed_key
from heardback_shared.stream.ports import Incoming, Outgoing, Record

_log = structlog.get_logger(__name__)

DOOR = "kafka"
TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\Z")


class Tenants(Protocol):
    async def exists(self, tenant_id: str) -> bool: ...


class KafkaDoor:
    def __init__(
        self,
        accept: Accept,
        tenants: Tenants,
        database: Database,
        letters: DeadLetters,
        outbox: Outbox,
        clock: Clock,
        metrics: Metrics,
        *,
        default_tenant: str,
    ) -> None:
        self._accept = accept
        self._tenants = tenants
        self._database = database
        self._letters = letters
        self._outbox = outbox
        self._clock = clock
        self._metrics = metrics
        self._default_tenant = default_tenant

    async def __call__(self, batch: Sequence[Incoming]) -> Sequence[Outgoing]:
        """Handles a batch of events; nothing more is to be sent, since all goes through the outbox."""
        fine: dict[str, list[tuple[Incoming, Submitted]]] = defaultdict(list)
        for incoming in batch:
            tenant_id = incoming.event.tenant_id or self._default_tenant
            try:
                if not await self._tenants.exists(tenant_id):
                    raise NotAcceptableError((("/tenantid", "must name a tenant that exists"),))
                submission = submission_of(incoming.event)
            except NotAcceptableError as error:
                await self._reject(incoming.record, error, error.errors, incoming.event)
            else:
                fine[tenant_id].append((incoming, Submitted(submission, trace(incoming.event))))
        for tenant_id, rows in fine.items():
            results = await self._accept(tenant_id, DOOR, [submitted for _, submitted in rows])
            for (incoming, _), result in zip(rows, results, strict=True):
                if result.outcome == "rejected":
                    problem = NotAcceptableError(tuple(("/data" + p, d) for p, d in result.errors))
                    await self._reject(incoming.record, problem, problem.errors, incoming.event, counted=True)
        return ()

    async def reject_record(self, record: Record, error: EnvelopeError) -> None:
        """A record that is no event at all."""
        await self._reject(record, error, (), None)

    async def _reject(
        self,
        record: Record,
        error: Exception,
        errors: tuple[tuple[str, str], ...],
        event: Envelope | None,
        *,
        counted: bool = False,
    ) -> None:
        """Keeps the bytes untouched and announces the rejection, in one transaction; again is the same."""
        now = self._clock.now()
        tenant_id = self._default_tenant
        if event and event.tenant_id and await self._tenants.exists(event.tenant_id):
            tenant_id = event.tenant_id
        letter = letter_of(record, error, tenant_id, now)
        async with self._database.tenant(tenant_id) as c:
            await self._letters.add(c, [letter])
            await self._outbox.add(c, [_announced(letter, errors, event)])
        self._outbox.wake()
        _log.warning("kafka_door.rejected", letter=letter.id, error=letter.error, tenant_id=tenant_id)
        if not counted:
            self._metrics.accepted.labels(DOOR, "rejected").inc()


def letter_of(record: Record, error: Exception, tenant_id: str, now: datetime) -> StoredLetter:
    """What is kept of a record from a topic that cannot be taken; the same record is the same id."""
    return StoredLetter(
        tenant_id=tenant_id,
        id=derived_id("dl", "ingest", record.topic, record.partition, record.offset, failed_key(record)),
        service="ingest",
        version=__version__,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        headers=record.headers,
        value=record.value or b"",
        error=type(error).__name__,
        reason=str(error).replace("\x00", "\ufffd"),
        attempts=1,
        failed_at=now,
    )


def trace(event: Envelope) -> str | None:
    """The event's traceparent, if it is one."""
    return event.traceparent if event.traceparent and TRACEPARENT.match(event.traceparent) else None


def _announced(letter: StoredLetter, errors: tuple[tuple[str, str], ...], event: Envelope | None) -> Outgoing:
    data = FeedbackRejected(
        dead_letter_id=letter.id,
        reason=letter.reason,
        errors=tuple({"pointer": p, "detail": d} for p, d in errors),
        topic=letter.topic,
        partition=letter.partition,
        offset=letter.offset,
        rejected_at=letter.failed_at,
    )
    envelope = Envelope(
        id=derived_id("ev", letter.id, "rejected"),
        source=SOURCE,
        type=FEEDBACK_REJECTED,
        data=to_bytes(data),
        time=letter.failed_at,
        subject=letter.id,
        tenant_id=letter.tenant_id,
        key=letter.id,
        traceparent=trace(event) if event else None,
        causation_id=event.id.replace("\x00", "\ufffd") if event else None,
    )
    return Outgoing(REJECTED.name, envelope)
