"""Tiers and segments by rules: what a draft would change, and going over all customers when rules change."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.app.cards import WriteCards
from heardback_ingest.app.settling import SettleClasses
from heardback_ingest.customer_ports import ClassRun, ClassRuns, Policies, Profile, Profiles, classes_of
from heardback_ingest.domain.classes import (
    HISTORY,
    ClassesPolicy,
    Move,
    counts_differently,
    move_of,
    standing_in,
)
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.ids import new_id

CHUNK = 200
"""Customers per transaction."""
STEPS = 20
"""Chunks of one tenant between two looks, so that others get their turn and a stop is heard."""
PREVIEWED = 100_000
"""Customers one preview looks at."""
LISTED = 200
"""Moves that are listed one by one; all are counted."""
AGAIN = timedelta(days=1)
"""Facts get outdated by time alone, so all customers are gone over this often."""
AUTOMATIC = "heardback"


class NoRunError(Exception):
    """There is no such run, or it is not in a state that can be changed like that."""


@dataclass(frozen=True, slots=True)
class Preview:
    policy: str
    against: str
    looked_at: int
    whole: bool
    """False where there are more customers than one preview looks at."""
    counts: Mapping[tuple[str, str], int]
    """Customers by (tier before, tier after), those who stay among them; "-" is none."""
    faster: int
    slower: int
    waiting: int
    segments: int
    moves: tuple[Move, ...]


class Classes:
    def __init__(
        self,
        database: Database,
        profiles: Profiles,
        runs: ClassRuns,
        settling: SettleClasses,
        cards: WriteCards,
        policies: Policies,
        clock: Clock,
    ) -> None:
        self._database = database
        self._profiles = profiles
        self._runs = runs
        self._settling = settling
        self._cards = cards
        self._policies = policies
        self._clock = clock

    async def preview(self, tenant_id: str, draft: ClassesPolicy) -> Preview:
        """What each customer's class would become if the draft came in force now. Keeps nothing."""
        now = self._clock.now()
        counts: Counter[tuple[str, str]] = Counter()
        tally: Counter[str] = Counter()
        moves: list[Move] = []
        after, looked, against = "", 0, ""
        while looked < PREVIEWED:
            async with self._database.tenant(tenant_id) as c:
                against = (await classes_of(self._policies, c, tenant_id)).name
                page = await self._profiles.page(c, tenant_id, after, CHUNK)
                known = {p.customer_id: (p.fields, p.settled) for p in page}
                found = await self._settling.by(draft, c, tenant_id, known, now) if page else {}
            if not page:
                break
            after, looked = page[-1].customer_id, looked + len(page)
            for customer_id, (before, would, _) in found.items():
                was = before.tier if before else None
                counts[was or "-", would.tier or "-"] += 1
                move = move_of(customer_id, before, would)
                if move is None:
                    continue
                tally[move.clocks] += 1
                tally["waiting"] += move.waits is not None
                tally["segments"] += move.segment_before != move.segment_after
                if len(moves) < LISTED:
                    moves.append(move)
        return Preview(
            draft.name,
            against,
            looked,
            looked < PREVIEWED,
            counts,
            tally["faster"],
            tally["slower"],
            tally["waiting"],
            tally["segments"],
            tuple(moves),
        )

    async def waiting(self, tenant_id: str, after: str, limit: int) -> list[Profile]:
        """Customers for whom a lower tier waits, in order of id."""
        async with self._database.tenant(tenant_id) as c:
            return await self._profiles.page(c, tenant_id, after, limit, waiting=True)

    async def history(self, tenant_id: str, customer_id: str, limit: int) -> list[Mapping[str, Any]]:
        async with self._database.tenant(tenant_id) as c:
            return await self._profiles.class_history(c, tenant_id, customer_id, limit)

    async def reconsider(self, c: AsyncConnection, tenant_id: str, ids: list[str], now: datetime) -> None:
        """Settles the class anew of those for whom something waits, as a matter may have been closed; of all
        of them where rules ask for their history."""
        policy = await classes_of(self._policies, c, tenant_id)
        by_history = any(condition.field in HISTORY for rule in policy.rules for condition in rule.when)
        found = await self._profiles.read(c, tenant_id, ids)
        concerned = [i for i, p in found.items() if by_history or (p.settled and "keeps" in p.settled)]
        if concerned:
            await self._profiles.lock(c, tenant_id, concerned)
            await self._settle(c, tenant_id, await self._profiles.read(c, tenant_id, concerned), now)

    async def _settle(
        self, c: AsyncConnection, tenant_id: str, profiles: Mapping[str, Profile], now: datetime
    ) -> tuple[int, int]:
        """(moved, waiting). The profiles are locked."""
        known = {i: (p.fields, p.settled) for i, p in profiles.items()}
        records = await self._settling.of_changed(c, tenant_id, known, now)
        stored = [replace(profiles[i], settled=records[i]) for i in sorted(records)]
        await self._profiles.put(c, tenant_id, stored, now)
        await self._cards.write(c, tenant_id, stored, now)
        moved = 0
        for i, record in records.items():
            after = standing_in(record)
            assert after is not None
            moved += counts_differently(standing_in(profiles[i].settled), after)
        return moved, sum("keeps" in record for record in records.values())

    async def newest(self, tenant_id: str) -> ClassRun | None:
        async with self._database.tenant(tenant_id) as c:
            return await self._runs.newest(c, tenant_id)

    async def start(self, tenant_id: str, actor: str) -> ClassRun:
        """A pass over all customers; one that is running is given back as it is."""
        now = self._clock.now()
        async with self._database.tenant(tenant_id) as c:
            newest = await self._runs.newest(c, tenant_id, for_update=True)
            if newest is not None and newest.state == "running":
                return newest
            policy = await classes_of(self._policies, c, tenant_id)
            run = ClassRun(new_id("cr"), policy.name, "running", "", 0, 0, 0, actor, now, now)
            await self._runs.put(c, tenant_id, run)
        return run

    async def turn(self, tenant_id: str, state: str) -> ClassRun:
        """Stops the newest run where it is, or lets it go on from there. Raises NoRunError."""
        wanted_from = {"stopped": "running", "running": "stopped"}[state]
        async with self._database.tenant(tenant_id) as c:
            newest = await self._runs.newest(c, tenant_id, for_update=True)
            if newest is None or newest.state not in (wanted_from, state):
                raise NoRunError
            run = replace(newest, state=state, updated_at=self._clock.now())
            await self._runs.put(c, tenant_id, run)
        return run

    async def step(self, tenant_id: str) -> bool:
        """The next chunk of the running pass; False when there is nothing to do. What a chunk did and how far
        the pass has come are one transaction, so that a crash goes on where it stood."""
        now = self._clock.now()
        async with self._database.tenant(tenant_id) as c:
            run = await self._runs.newest(c, tenant_id, for_update=True)
            if run is None or run.state != "running":
                return False
            policy = await classes_of(self._policies, c, tenant_id)
            if run.policy != policy.name:  # another version came in force meanwhile: all over again
                run = replace(run, policy=policy.name, cursor="")
            page = [p.customer_id for p in await self._profiles.page(c, tenant_id, run.cursor, CHUNK)]
            if not page:
                await self._runs.put(c, tenant_id, replace(run, state="done", updated_at=now))
                return False
            await self._profiles.lock(c, tenant_id, page)
            profiles = await self._profiles.read(c, tenant_id, page)
            moved, waiting = await self._settle(c, tenant_id, profiles, now)
            progress = replace(
                run,
                cursor=page[-1],
                looked_at=run.looked_at + len(page),
                moved=run.moved + moved,
                waiting=run.waiting + waiting,
                updated_at=now,
            )
            await self._runs.put(c, tenant_id, progress)
        return True

    async def keep_going(self) -> None:
        """Starts what is due, in every tenant, and works it off. A run that a person stopped stays stopped
        until they let it go on, or another policy comes in force."""
        async with self._database.worker() as c:
            tenants = await self._runs.tenants(c)
        for tenant_id in tenants:
            if await self._due(tenant_id):
                await self.start(tenant_id, AUTOMATIC)
            for _ in range(STEPS):
                if not await self.step(tenant_id):
                    break

    async def _due(self, tenant_id: str) -> bool:
        async with self._database.tenant(tenant_id) as c:
            newest = await self._runs.newest(c, tenant_id)
            policy = await classes_of(self._policies, c, tenant_id)
        if newest is None:
            return True
        if newest.policy != policy.name:
            return newest.state != "running"
        return newest.state == "done" and self._clock.now() - newest.updated_at >= AGAIN
