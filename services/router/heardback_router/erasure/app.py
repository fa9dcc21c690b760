"""Carries an erasure through everything that was composed about the customer.

Ingest erases what it keeps and leaves word in one transaction; this follows within seconds. Each step is a
small transaction that can be done again: after a crash the sweep goes on with what is left.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.corrections.app import Corrections
from heardback_router.erasure.store import Erased, PostgresErased
from heardback_router.outreach.deciding import ERASED
from heardback_router.outreach.ending import Ending
from heardback_router.outreach.store import Change, PostgresMessages
from heardback_shared.clock import Clock
from heardback_shared.contact.ports import Contacts
from heardback_shared.db.database import Database, is_unavailable
from heardback_shared.db.outbox import Outbox
from heardback_shared.db.planning import look_up_by_key
from heardback_shared.metrics import Metrics

AT_ONCE = 100
EVERY_SECONDS = 2.0
ROUTER = "router"

_log = structlog.get_logger(__name__)

Step = Callable[[AsyncConnection, Erased], Awaitable[int]]


class Erasing:
    def __init__(
        self,
        database: Database,
        store: PostgresErased,
        messages: PostgresMessages,
        ending: Ending,
        contacts: Contacts,
        corrections: Corrections,
        outbox: Outbox,
        *,
        clock: Clock,
        metrics: Metrics,
        at_once: int = AT_ONCE,
    ) -> None:
        self._database = database
        self._store = store
        self._messages = messages
        self._ending = ending
        self._contacts = contacts
        self._corrections = corrections
        self._outbox = outbox
        self._clock = clock
        self._metrics = metrics
        self._at_once = at_once

    async def run(self, stop: asyncio.Event) -> None:
        """Looks now and then until told to stop. An unavailable database only delays it."""
        while not stop.is_set():
            try:
                await self.sweep()
            except Exception as error:
                if not is_unavailable(error):
                    raise
                _log.warning("erasing.database_unavailable", error=type(error).__name__)
            try:
                await asyncio.wait_for(stop.wait(), EVERY_SECONDS)
            except TimeoutError:
                continue

    async def sweep(self) -> int:
        """Every erasure that is still on its way, once; how many were carried through. One that fails is
        looked at again with the next sweep and keeps no other waiting."""
        done, last = 0, None
        while True:
            async with self._database.worker() as connection:
                due = await self._store.due(connection, last, self._at_once)
            for who in due:
                done += await self._carried(who)
            if not due:
                return done
            last = due[-1]

    async def _carried(self, who: Erased) -> int:
        try:
            await self._carry(who)
        except Exception as error:
            if is_unavailable(error):
                raise
            _log.error("erasing.failed", tenant_id=who.tenant_id, error=type(error).__name__)
            self._metrics.erasures.labels("failed").inc()
            return 0
        self._metrics.erasures.labels("done").inc()
        return 1

    async def _carry(self, who: Erased) -> None:
        steps: tuple[Step, ...] = (self._stop, self._blank_messages, self._blank_handovers, self._end)
        for step in steps:
            while await self._made(step, who):
                continue
        self._outbox.wake()

    async def _made(self, step: Step, who: Erased) -> int:
        async with self._database.tenant(who.tenant_id) as connection:
            await look_up_by_key(connection)
            return await step(connection, who)

    async def _stop(self, connection: AsyncConnection, who: Erased) -> int:
        """What is on its way ends here. Under the lock of the person, so that nobody is deciding just now."""
        now, tenant_id = self._clock.now(), who.tenant_id
        known = await self._contacts.recipients(connection, tenant_id, [who.customer_id], now)
        await self._contacts.lock(connection, tenant_id, [known[who.customer_id].person_id])
        handed = await self._store.open_handovers(connection, who, self._at_once)
        await self._store.stop_channels(connection, who, handed, ERASED, now)
        outgoing = list(await self._ending.settle(connection, tenant_id, handed, now))
        for handover_id in handed:
            outgoing += await self._ending.end(connection, tenant_id, handover_id, "failed", ERASED, now)
        waiting = await self._store.waiting(connection, who, self._at_once)
        kept = await self._messages.find(connection, tenant_id, waiting, lock=True)
        changes = [Change(one, "cancelled", "erased", ERASED) for one in kept]
        await self._messages.keep(connection, tenant_id, changes, now)
        outgoing += await self._ending.tell(connection, tenant_id, changes, now)
        await self._outbox.add(connection, outgoing)
        return len(handed) + len(changes)

    async def _blank_messages(self, connection: AsyncConnection, who: Erased) -> int:
        return await self._store.blank_messages(connection, who, self._clock.now(), self._at_once)

    async def _blank_handovers(self, connection: AsyncConnection, who: Erased) -> int:
        return await self._store.blank_handovers(connection, who, self._clock.now(), self._at_once)

    async def _end(self, connection: AsyncConnection, who: Erased) -> int:
        await self._store.blank_loops(connection, who)
        feedback_ids = await self._store.feedback(connection, who)
        erased = await self._corrections.erase(connection, who.tenant_id, feedback_ids)
        await self._outbox.add(connection, erased)
        await self._store.end(connection, who, ROUTER, self._clock.now())
        return 0
