"""Background task: announces how customers stand, soon after something changed it.

The change leaves a mark in its own transaction, and the figures are counted after that one is over. So of two
items of a customer that change at once neither is overlooked, and nobody waits for anybody while changing
them. Several of these may run at once: whoever holds the tenant's lock counts, and equal figures are not
announced again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from heardback_router.backlog.announce import SOURCE
from heardback_router.standing.store import PostgresStandings, Waiting
from heardback_shared.clock import Clock
from heardback_shared.contracts.envelope import Envelope, to_bytes
from heardback_shared.contracts.events import CUSTOMER_STANDING, CustomerStanding
from heardback_shared.contracts.topics import STANDING
from heardback_shared.db.database import Database, is_unavailable
from heardback_shared.db.outbox import Outbox
from heardback_shared.db.planning import look_up_by_key
from heardback_shared.ids import derived_id
from heardback_shared.stream.ports import Outgoing

_log = structlog.get_logger(__name__)

REMEMBERED = timedelta(days=180)
"""Transfers, broken promises and breaches count for items that changed since then."""
BATCH = 1_000
POLL_SECONDS = 0.5


class AnnounceStandings:
    def __init__(self, database: Database, store: PostgresStandings, outbox: Outbox, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._outbox = outbox
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Announces until told to stop. An unavailable database only delays it."""
        while not stop.is_set():
            found = 0
            try:
                found = await self.announce()
            except Exception as error:
                if not is_unavailable(error):
                    raise
                _log.warning("standing.database_unavailable", error=type(error).__name__)
            if found == BATCH:
                continue
            try:
                await asyncio.wait_for(stop.wait(), POLL_SECONDS)
            except TimeoutError:
                continue

    async def announce(self) -> int:
        """Takes one batch of marks; how many they were."""
        async with self._database.worker() as connection:
            marks = await self._store.waiting(connection, BATCH)
        by_tenant: dict[str, list[Waiting]] = defaultdict(list)
        for mark in marks:
            by_tenant[mark.tenant_id].append(mark)
        for tenant_id, waiting in by_tenant.items():
            await self._announce(tenant_id, waiting)
        return len(marks)

    async def _announce(self, tenant_id: str, waiting: Sequence[Waiting]) -> None:
        async with self._database.tenant(tenant_id) as connection:
            await self._store.lock(connection, tenant_id)
            await look_up_by_key(connection)
            at = self._clock.now()
            customers = {mark.customer_id for mark in waiting if mark.customer_id is not None}
            whole = sorted({mark.item_id for mark in waiting if mark.customer_id is None})
            if whole:
                customers |= set(await self._store.behind(connection, tenant_id, whole))
            ids = sorted(customers)
            outgoing: list[Outgoing] = []
            for start in range(0, len(ids), BATCH):
                part = ids[start : start + BATCH]
                figures = await self._store.figures(connection, tenant_id, part, at - REMEMBERED)
                changed = await self._store.keep(connection, tenant_id, figures, at)
                outgoing += [standing_event(tenant_id, *one, at) for one in changed]
            await self._store.done(connection, tenant_id, [mark.id for mark in waiting])
            await self._outbox.add(connection, outgoing)
        if outgoing:
            self._outbox.wake()


def standing_event(
    tenant_id: str, customer_id: str, counter: int, figures: Mapping[str, int], at: datetime
) -> Outgoing:
    """The same counter of the same customer always has the same event id."""
    standing = CustomerStanding(customer_id=customer_id, counter=counter, at=at, **figures)
    envelope = Envelope(
        id=derived_id("ev", "standing", tenant_id, customer_id, counter),
        source=SOURCE,
        type=CUSTOMER_STANDING,
        data=to_bytes(standing),
        time=at,
        subject=customer_id,
        tenant_id=tenant_id,
        key=f"{tenant_id}:{customer_id}",
    )
    return Outgoing(STANDING.name, envelope)
