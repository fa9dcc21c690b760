"""The worker: claims what is due, asks for every person whether, when and how, and gives it to a channel.

A decision and all that follows from it is one transaction under the person's lock: asked at the last moment,
so that a withdrawal a moment ago counts, and counted as a touch with the hand-over, so that two workers never
go over a cap together. A crash leaves everything as it was, and due.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.configuration.source import PolicySource
from heardback_router.outreach.channels import Channels, OpenChannels
from heardback_router.outreach.deciding import Due, by_rules, decide
from heardback_router.outreach.ending import Ending
from heardback_router.outreach.links import MessageAddresses
from heardback_router.outreach.settings import OutreachSettings
from heardback_router.outreach.states import ORDER
from heardback_router.outreach.store import Kept, PostgresMessages
from heardback_router.outreach.waking import Bell
from heardback_router.outreach.writing import Round, write
from heardback_shared.clock import Clock
from heardback_shared.contact.domain import Recipient
from heardback_shared.contact.ports import Contacts
from heardback_shared.db.database import Database, is_unavailable
from heardback_shared.db.outbox import Outbox
from heardback_shared.db.planning import look_up_by_key
from heardback_shared.metrics import Metrics

COUNTED = timedelta(days=8)
"""How far back touches are looked at; no cap looks further than a week."""
AFTER_FAILURE = timedelta(minutes=10)

_log = structlog.get_logger(__name__)


class Sending:
    def __init__(
        self,
        database: Database,
        store: PostgresMessages,
        contacts: Contacts,
        policies: PolicySource,
        channels: Channels,
        ending: Ending,
        addresses: MessageAddresses,
        outbox: Outbox,
        *,
        clock: Clock,
        metrics: Metrics,
        settings: OutreachSettings,
    ) -> None:
        self._database = database
        self._store = store
        self._contacts = contacts
        self._policies = policies
        self._channels = channels
        self._ending = ending
        self._addresses = addresses
        self._outbox = outbox
        self._clock = clock
        self._metrics = metrics
        self._settings = settings
        self._bell = Bell(settings.poll_seconds)

    def wake(self) -> None:
        """Call after a commit that made something due, so that it need not wait for the next look."""
        self._bell.ring()

    async def run(self, stop: asyncio.Event) -> None:
        """Sends until told to stop. An unavailable database only delays it."""
        while not stop.is_set():
            try:
                if await self.send_batch():
                    continue
            except Exception as error:
                if not is_unavailable(error):
                    raise
                _log.warning("outreach.database_unavailable", error=type(error).__name__)
            await self._bell.rest(stop)

    async def send_due(self) -> int:
        """Decides about everything that is due now; how many customers were looked at."""
        looked = 0
        while found := await self.send_batch():
            looked += found
        return looked

    async def send_batch(self) -> int:
        """One claim; how many customers that concerned."""
        now = self._clock.now()
        async with self._database.worker() as connection:
            oldest = await self._store.oldest_due(connection, now)
            lease_until = now + timedelta(seconds=self._settings.lease_seconds)
            claimed = await self._store.claim(connection, now, lease_until, self._settings.batch)
        self._metrics.message_lag.set((now - oldest).total_seconds() if oldest else 0.0)
        for tenant_id, customer_ids in claimed.items():
            await self._send_of(tenant_id, customer_ids)
        return sum(len(customer_ids) for customer_ids in claimed.values())

    async def _send_of(self, tenant_id: str, customer_ids: Sequence[str]) -> None:
        """One customer whose messages cannot be decided about must not keep all others waiting."""
        try:
            await self._decide(tenant_id, customer_ids)
        except Exception as error:
            if is_unavailable(error):
                raise
            if len(customer_ids) > 1:
                for customer_id in customer_ids:
                    await self._send_of(tenant_id, [customer_id])
                return
            _log.error("outreach.not_decided", tenant_id=tenant_id, error=type(error).__name__)
            await self._put_off(tenant_id, customer_ids, type(error).__name__)

    async def _put_off(self, tenant_id: str, customer_ids: Sequence[str], error: str) -> None:
        now = self._clock.now()
        because = f"It could not be prepared ({error}); it is tried again."
        async with self._database.tenant(tenant_id) as connection:
            until = now + AFTER_FAILURE
            await self._store.put_off(connection, tenant_id, customer_ids, now, until, because)

    async def _decide(self, tenant_id: str, customer_ids: Sequence[str]) -> None:
        now = self._clock.now()
        async with self._database.tenant(tenant_id) as connection:
            await look_up_by_key(connection)
            open_ = await self._channels.open(connection, tenant_id)
            recipients = await self._lock(connection, tenant_id, customer_ids, now)
            kept = await self._store.lock_due(connection, tenant_id, list(recipients), now)
            if not kept:
                return
            written = await self._written(connection, tenant_id, kept, recipients, open_, now)
            await self._channels.hand_over(connection, tenant_id, written.ready, open_, now)
            await self._store.keep(connection, tenant_id, written.changes, now)
            await self._contacts.note(connection, tenant_id, written.touches)
            outgoing = await self._ending.tell(connection, tenant_id, written.changes, now)
            await self._outbox.add(connection, outgoing)
        self._channels.wake()
        if outgoing:
            self._outbox.wake()

    async def _lock(
        self, connection: AsyncConnection, tenant_id: str, customer_ids: Sequence[str], now: datetime
    ) -> Mapping[str, Recipient]:
        """Read again under the lock: what was withdrawn while it was waited for counts. Who has become
        another person meanwhile is left for the next look."""
        before = await self._contacts.recipients(connection, tenant_id, customer_ids, now)
        people = {recipient.person_id for recipient in before.values()}
        await self._contacts.lock(connection, tenant_id, sorted(people))
        found = await self._contacts.recipients(connection, tenant_id, customer_ids, now)
        return {customer: one for customer, one in found.items() if one.person_id in people}

    async def _written(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        kept: Sequence[Kept],
        recipients: Mapping[str, Recipient],
        open_: OpenChannels,
        now: datetime,
    ) -> Round:
        policies = await self._policies.of(connection, tenant_id)
        stopped = await self._contacts.sending_stopped(connection, tenant_id)
        people = sorted({recipients[one.draft.customer_id].person_id for one in kept})
        touches = await self._contacts.touches(connection, tenant_id, people, now - COUNTED)
        behind = await self._behind(connection, tenant_id, kept)
        same = await self._contacts.ids_of(connection, tenant_id, [one.draft.customer_id for one in kept])
        found = Round(tenant_id, policies.contact.name, stopped, now)
        for person in people:
            mine = [one for one in kept if recipients[one.draft.customer_id].person_id == person]
            due = [_due(one, recipients[one.draft.customer_id], open_, behind) for one in mine]
            ids = sorted({other for one in mine for other in same[one.draft.customer_id]})
            heard = await self._store.heard(connection, tenant_id, ids) if len(ids) > 1 else ()
            ask = by_rules(policies.contact, stopped)
            decisions = decide(due, recipients, touches.get(person, ()), ask, now, heard)
            write(found, decisions, mine, recipients, open_, policies.messages, self._addresses)
        return found

    async def _behind(
        self, connection: AsyncConnection, tenant_id: str, kept: Sequence[Kept]
    ) -> frozenset[str]:
        """Messages that wait for an earlier step, where that is asked for."""
        loop_ids = sorted({loop_id for one in kept for loop_id in one.draft.loop_ids})
        if not self._settings.in_order or not loop_ids:
            return frozenset()
        first: dict[str, int] = {}
        for loop_id, step in await self._store.on_their_way(connection, tenant_id, loop_ids):
            first[loop_id] = min(first.get(loop_id, 99), ORDER.get(step, 99))  # type: ignore[call-overload]
        return frozenset(
            one.draft.id
            for one in kept
            if any(first.get(loop, 99) < ORDER.get(one.draft.step, 0) for loop in one.draft.loop_ids)
        )


def _due(one: Kept, recipient: Recipient, open_: OpenChannels, behind: frozenset[str]) -> Due:
    closed, down = open_.closed(one.draft, recipient)
    return Due(one.draft, one.since, one.tried, one.draft.id in behind, closed, down)
