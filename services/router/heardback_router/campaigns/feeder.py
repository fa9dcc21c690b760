"""Background task: hands the messages of approved campaigns on, batch by batch, and ends those that are done.

A batch and the place after it are one transaction: whatever stops the process, the next one goes on exactly
there, and a message that was handed on has an id that a repeat finds again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.campaigns import domain
from heardback_router.campaigns.change_store import PostgresChanges
from heardback_router.campaigns.claims import unfinished
from heardback_router.campaigns.domain import Campaign, ChangeRecord
from heardback_router.campaigns.drafting import draft_of, said_of
from heardback_router.campaigns.evidence import PostgresEvidence
from heardback_router.campaigns.people import Person
from heardback_router.campaigns.progress import PostgresProgress
from heardback_router.campaigns.store import InHand, PostgresCampaigns
from heardback_router.loops.store import PostgresLoops
from heardback_router.messages.domain import Result
from heardback_router.outreach.ports import Outreach
from heardback_router.wording import CustomerText
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database, is_unavailable

BATCH = 200
POLL_SECONDS = 2.0
MACHINE = "router"
_FIRST = InHand(datetime(2000, 1, 1, tzinfo=UTC), "", "")
_log = structlog.get_logger(__name__)


class Feeder:
    def __init__(self, database: Database, outreach: Outreach, clock: Clock, *, batch: int = BATCH) -> None:
        self._database = database
        self._outreach = outreach
        self._clock = clock
        self._batch = batch
        self._store = PostgresCampaigns()
        self._changes = PostgresChanges()
        self._evidence = PostgresEvidence()
        self._loops = PostgresLoops()
        self._progress = PostgresProgress()

    async def run(self, stop: asyncio.Event) -> None:
        """Feeds until told to stop. An unavailable database only delays it."""
        while not stop.is_set():
            try:
                if await self.round():
                    continue
            except Exception as error:
                if not is_unavailable(error):
                    raise
                _log.warning("campaigns.database_unavailable", error=type(error).__name__)
            try:
                await asyncio.wait_for(stop.wait(), POLL_SECONDS)
            except TimeoutError:
                continue

    async def round(self) -> int:
        """One batch of every campaign that is sending, so that none waits for another; how many messages."""
        handed, place = 0, _FIRST
        while True:
            async with self._database.worker() as connection:
                found = await self._store.next_in_hand(connection, place)
            if found is None:
                return handed
            handed += await self.feed(found.tenant_id, found.id)
            place = found

    async def feed(self, tenant_id: str, campaign_id: str) -> int:
        """Hands on the next batch of one campaign, if it is still sending; how many messages."""
        at = self._clock.now()
        async with self._database.tenant(tenant_id) as connection:
            campaign = await self._store.get(connection, tenant_id, campaign_id, lock=True)
            if campaign is None or campaign.state != "sending":
                return 0
            changes = await self._changes.get(connection, tenant_id, campaign.change_ids)
            items = await self._evidence.items(connection, tenant_id, campaign.item_ids, cues=False)
            if again := next(unfinished(items, changes), None):
                await self._pause(connection, tenant_id, campaign, again.detail, at)
                return 0
            if campaign.fed >= campaign.recipients:
                await self._end(connection, tenant_id, campaign, at)
                return 0
            people = await self._store.batch(connection, tenant_id, campaign_id, campaign.fed, self._batch)
            drafts = [draft_of(tenant_id, campaign, person, changes) for person, _ in people]
            await self._outreach.enqueue(connection, tenant_id, drafts, at)
            await self._show(connection, tenant_id, [person for person, _ in people], changes)
            await self._store.save(connection, tenant_id, domain.fed(campaign, len(people)))
        return len(drafts)

    async def _show(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        people: Sequence[Person],
        changes: Sequence[ChangeRecord],
    ) -> None:
        """Their loops know what they are told."""
        told: dict[tuple[CustomerText, Result], list[str]] = defaultdict(list)
        for person in people:
            for stake in person.stakes:
                if stake.loop_id is not None:
                    told[said_of(stake, person, changes)].append(stake.loop_id)
        for (message, result), loop_ids in told.items():
            await self._loops.put_message(connection, tenant_id, loop_ids, message, result)

    async def _pause(
        self, connection: AsyncConnection, tenant_id: str, campaign: Campaign, because: str, at: datetime
    ) -> None:
        """What is being told is not true any more; a person lets it go on once it is."""
        await self._outreach.pause(connection, tenant_id, campaign.id, at)
        await self._store.save(connection, tenant_id, domain.paused(campaign, at))
        await self._store.note(connection, tenant_id, campaign.id, "paused", MACHINE, at, because)

    async def _end(
        self, connection: AsyncConnection, tenant_id: str, campaign: Campaign, at: datetime
    ) -> None:
        """Once every message has ended. What reached nobody may be told by another campaign."""
        if not await self._progress.all_ended(connection, tenant_id, campaign.id):
            return
        untold = await self._progress.untold(connection, tenant_id, campaign.id)
        await self._store.forget_untold(connection, tenant_id, untold)
        await self._store.save(connection, tenant_id, domain.finished(campaign, at))
        await self._store.note(connection, tenant_id, campaign.id, "done", MACHINE, at)
