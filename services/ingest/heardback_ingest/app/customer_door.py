"""The topic `customer.updated`: take what is right as a PUT would, keep what is not with its bytes."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC

import structlog
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.app.customers import KeepCustomers, Telling
from heardback_ingest.app.kafka_door import Tenants, letter_of
from heardback_ingest.app.submitted import NotAcceptableError
from heardback_ingest.customer_ports import Sources
from heardback_ingest.ports import DeadLetters
from heardback_shared.clock import Clock
from heardback_shared.contracts.customer import CustomerUpdated
from heardback_shared.contracts.envelope import Envelope, EnvelopeError
from heardback_shared.contracts.events import CUSTOMER_UPDATED
from heardback_shared.db.database import Database
from heardback_shared.http.problems import field_errors
from heardback_shared.metrics import Metrics
from heardback_shared.stream.ports import Incoming, Outgoing, Record

_log = structlog.get_logger(__name__)


class CustomerDoor:
    """Idempotent by the event's source and id. Facts without `at` are as of the event's time."""

    def __init__(
        self,
        database: Database,
        customers: KeepCustomers,
        sources: Sources,
        tenants: Tenants,
        letters: DeadLetters,
        clock: Clock,
        metrics: Metrics,
        *,
        default_tenant: str,
    ) -> None:
        self._database = database
        self._customers = customers
        self._sources = sources
        self._tenants = tenants
        self._letters = letters
        self._clock = clock
        self._metrics = metrics
        self._default_tenant = default_tenant

    async def __call__(self, batch: Sequence[Incoming]) -> Sequence[Outgoing]:
        fine: defaultdict[str, list[tuple[Incoming, Telling]]] = defaultdict(list)
        for incoming in batch:
            tenant_id = incoming.event.tenant_id or self._default_tenant
            try:
                if not await self._tenants.exists(tenant_id):
                    raise NotAcceptableError((("/tenantid", "must name a tenant that exists"),))
                fine[tenant_id].append((incoming, _telling(incoming.event)))
            except NotAcceptableError as error:
                await self._reject(incoming.record, error, incoming.event)
        for tenant_id, rows in fine.items():
            await self._take(tenant_id, rows)
        return ()

    async def reject_record(self, record: Record, error: EnvelopeError) -> None:
        """A record that is no event at all."""
        await self._reject(record, error, None)

    async def _take(self, tenant_id: str, rows: Sequence[tuple[Incoming, Telling]]) -> None:
        once: dict[tuple[str, str], tuple[Incoming, Telling]] = {}
        for incoming, telling in rows:
            once.setdefault((incoming.event.source, incoming.event.id), (incoming, telling))
        taken: list[Telling] = []
        async with self._database.tenant(tenant_id) as c:
            new = await self._sources.first_time(c, tenant_id, sorted(once), self._clock.now())
            first = [pair for key, pair in once.items() if key in new]
            told = await self._customers.tell_within(c, tenant_id, [t for _, t in first]) if first else []
            for (incoming, telling), outcome in zip(first, told, strict=True):
                if outcome.refused:
                    await self._refuse(c, tenant_id, incoming, outcome.refused)
                else:
                    taken.append(telling)
        self._customers.measure(taken)

    async def _refuse(
        self, c: AsyncConnection, tenant_id: str, incoming: Incoming, refused: Sequence[tuple[str, str]]
    ) -> None:
        """The letter is written in the transaction that saw the event; replayed, it counts as new."""
        error = NotAcceptableError(tuple(("/data" + pointer, detail) for pointer, detail in refused))
        await self._letters.add(c, [letter_of(incoming.record, error, tenant_id, self._clock.now())])
        await self._sources.unsee(c, tenant_id, incoming.event.source, incoming.event.id)
        self._count(tenant_id, error)

    async def _reject(self, record: Record, error: Exception, event: Envelope | None) -> None:
        """Keeps the bytes untouched. Again is the same letter."""
        tenant_id = self._default_tenant
        if event and event.tenant_id and await self._tenants.exists(event.tenant_id):
            tenant_id = event.tenant_id
        async with self._database.tenant(tenant_id) as c:
            await self._letters.add(c, [letter_of(record, error, tenant_id, self._clock.now())])
        self._count(tenant_id, error)

    def _count(self, tenant_id: str, error: Exception) -> None:
        _log.warning("customer_door.rejected", error=type(error).__name__, tenant_id=tenant_id)
        self._metrics.stream_records.labels("customers", "dead").inc()


def _telling(event: Envelope) -> Telling:
    if event.type != CUSTOMER_UPDATED:
        raise NotAcceptableError((("/type", f"send {CUSTOMER_UPDATED}"),))
    try:
        told = CustomerUpdated.model_validate_json(event.data)
    except ValidationError as error:
        findings = tuple(("/data" + pointer, detail) for pointer, detail in field_errors(error))
        raise NotAcceptableError(findings) from error
    if b"\\u0000" in event.data or b"\x00" in event.data:
        raise NotAcceptableError((("/data", "must not contain the character U+0000"),))
    facts = told.facts()
    if not facts:
        raise NotAcceptableError((("/data", "tell at least one field besides source and customer_id"),))
    time = event.time.astimezone(UTC) if event.time is not None else None
    return Telling(told.customer_id, facts, told.source, told.at or time, told.provenance)
