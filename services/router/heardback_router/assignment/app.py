"""Giving out queues: in the transaction in which something comes in or room is made, and by a sweep."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.assignment.domain import (
    Allocation,
    CapacityPolicy,
    Person,
    Waiting,
    allocate,
)
from heardback_router.assignment.ports import Drained
from heardback_router.assignment.queueing import waiting_of
from heardback_router.assignment.record import inputs_of, outcome_of
from heardback_router.assignment.store import PER_TIER, Member, PostgresPeople, PostgresQueues
from heardback_router.backlog.domain import ROUTER, Item
from heardback_router.backlog.log import Entry, entered, write
from heardback_router.backlog.store import PostgresItems
from heardback_router.configuration.policies import Policies
from heardback_router.configuration.source import PolicySource
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database, is_unavailable
from heardback_shared.db.outbox import Outbox
from heardback_shared.db.planning import look_up_by_key
from heardback_shared.ids import derived_id
from heardback_shared.stream.ports import Outgoing

_log = structlog.get_logger(__name__)

SWEEP_SECONDS = 20.0
"""How often queues are looked at without cause: somebody may be back, or an item may have been returned."""

ROUNDS = 20
"""At most so many rounds for one team in one transaction; the sweep goes on."""


class Assignment:
    """Gives waiting items to people. Every method works inside the caller's transaction."""

    def __init__(self, items: PostgresItems, people: PostgresPeople, queues: PostgresQueues) -> None:
        self._items = items
        self._people = people
        self._queues = queues

    async def drain(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        teams: Iterable[str],
        policies: Policies,
        at: datetime,
    ) -> Drained:
        """Gives out what these teams' people have room for. One drain of a team waits for the other."""
        await look_up_by_key(connection)
        items: dict[str, Item] = {}
        outgoing: list[Outgoing] = []
        for team in sorted(set(teams)):
            for _ in range(ROUNDS):
                given, announced = await self._round(connection, tenant_id, team, policies, at)
                items |= given
                outgoing += announced
                if len(given) < PER_TIER:
                    break  # fewer than are looked at of any tier, so nothing was hidden behind them
        return Drained(items, outgoing)

    async def would_get(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        team: str,
        waiting: Waiting,
        capacity: CapacityPolicy,
        at: datetime,
    ) -> Allocation:
        """Who would get this item if it were the only one that waits. Writes nothing."""
        people = await self._present(connection, tenant_id, team, [waiting], capacity)
        return allocate([waiting], people, capacity, at, team=team)

    async def _round(
        self, connection: AsyncConnection, tenant_id: str, team: str, policies: Policies, at: datetime
    ) -> tuple[dict[str, Item], list[Outgoing]]:
        capacity = policies.capacity
        found = await self._queues.waiting(
            connection, tenant_id, team, only_for_owner=not capacity.gives(team)
        )
        if not found:
            return {}, []
        owed = await self._queues.lock_turns(connection, tenant_id, team)
        queue = await self._queue(connection, tenant_id, found)
        people = await self._present(connection, tenant_id, team, queue, capacity)
        allocation = allocate(queue, people, capacity, at, team=team, owed=owed)
        if not allocation.given:
            return {}, []
        inputs = inputs_of(team, queue, people, owed, capacity, at)
        first = allocation.given[0]
        of_first = next(item for item in found if item.id == first.item_id)
        record_id = derived_id("al", tenant_id, team, first.item_id, of_first.version)
        await self._queues.record(connection, tenant_id, record_id, inputs, outcome_of(allocation), at)
        await self._queues.keep_turns(connection, tenant_id, team, allocation.owed)
        return await self._give(connection, tenant_id, found, allocation, record_id, policies, at)

    async def _give(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        found: Sequence[Item],
        allocation: Allocation,
        record_id: str,
        policies: Policies,
        at: datetime,
    ) -> tuple[dict[str, Item], list[Outgoing]]:
        before = {item.id: item for item in found}
        made = []
        for given in allocation.given:
            data = {"assignee": given.person, "time_zone": given.time_zone, "allocation": record_id}
            entry = Entry("assigned", ROUTER, given.because, data)
            made.append(entered(before[given.item_id], [entry], at, policies.weighing))
        outgoing = await write(self._items, connection, tenant_id, made)
        return {item.id: item for ((_, item),) in made}, outgoing

    async def _queue(
        self, connection: AsyncConnection, tenant_id: str, found: Sequence[Item]
    ) -> list[Waiting]:
        touched = [item.id for item in found if item.version > 1]
        let_lie = await self._queues.let_lie(connection, tenant_id, touched) if touched else {}
        return [replace(waiting_of(i), not_to=frozenset(let_lie.get(i.id, ()))) for i in found]

    async def _present(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        team: str,
        queue: Sequence[Waiting],
        capacity: CapacityPolicy,
    ) -> list[Person]:
        """The team's people, and the owners the queue asks for who are none of them."""
        members = await self._people.members(connection, tenant_id, team)
        known = {member.person for member in members}
        owners = sorted({w.owner for w in queue if w.owner is not None} - known)
        loads = await self._queues.loads(connection, tenant_id, team, [*known, *owners])
        return [
            *(person_of(member, loads.get(member.person, {}), capacity) for member in members),
            *(
                Person(owner, capacity.cap_of(team, None), loads.get(owner, {}), member=False)
                for owner in owners
            ),
        ]


class AssignWaiting:
    """The background task: gives out what was returned, or what somebody who is back has room for."""

    def __init__(
        self,
        database: Database,
        assignment: Assignment,
        people: PostgresPeople,
        policies: PolicySource,
        outbox: Outbox,
        clock: Clock,
    ) -> None:
        self._database = database
        self._assignment = assignment
        self._people = people
        self._policies = policies
        self._outbox = outbox
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Sweeps until told to stop. An unavailable database only delays it."""
        while not stop.is_set():
            try:
                await self.sweep()
            except Exception as error:
                if not is_unavailable(error):
                    raise
                _log.warning("assigning.database_unavailable", error=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), SWEEP_SECONDS)

    async def sweep(self) -> None:
        """Every team that has people, one transaction each."""
        async with self._database.worker() as connection:
            teams_of = await self._people.teams_with_people(connection)
        for tenant_id, teams in teams_of.items():
            for team in teams:
                await self.give_out(tenant_id, team)

    async def give_out(self, tenant_id: str, team: str) -> None:
        async with self._database.tenant(tenant_id) as connection:
            policies = await self._policies.of(connection, tenant_id)
            drained = await self._assignment.drain(connection, tenant_id, [team], policies, self._clock.now())
            await self._outbox.add(connection, drained.outgoing)
        if drained.outgoing:
            self._outbox.wake()


def person_of(member: Member, load: Mapping[str, int], capacity: CapacityPolicy) -> Person:
    return Person(
        member.person,
        capacity.cap_of(member.team, member.cap),
        load,
        frozenset(member.tiers),
        frozenset(member.skills),
        member.time_zone,
        member.away_until,
    )
