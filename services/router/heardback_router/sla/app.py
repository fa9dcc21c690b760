"""Use cases around clocks: an item's clocks now, and pinning open items to the policy in force."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.domain import ItemEvent
from heardback_router.backlog.log import entered, write
from heardback_router.backlog.ports import Items
from heardback_router.configuration.policies import Policies
from heardback_router.configuration.source import PolicySource
from heardback_router.sla.clocks import clocks_of, latest
from heardback_router.sla.store import PostgresTimers
from heardback_router.sla.telling import pin_entry
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox

_PINNING = frozenset({"opened", "sla_pinned"})


async def policies_naming(
    source: PolicySource, connection: AsyncConnection, tenant_id: str, logs: Iterable[Sequence[ItemEvent]]
) -> Policies:
    """The policies in force, with the older clock policies that these logs name."""
    policies = await source.of(connection, tenant_id)
    named = {str(e.data["sla"]) for log in logs for e in log if e.kind in _PINNING and e.data.get("sla")}
    names = sorted(named - {policies.sla.name})
    before = await source.sla(connection, tenant_id, names) if names else {}
    return replace(policies, sla_before=before)


class Clocks:
    """Clocks for those who show items."""

    def __init__(self, timers: PostgresTimers, policies: PolicySource, clock: Clock) -> None:
        self._timers = timers
        self._policies = policies
        self._clock = clock

    async def stored(
        self, connection: AsyncConnection, tenant_id: str, item_ids: Sequence[str]
    ) -> Mapping[str, list[dict[str, Any]]]:
        """As of the last look at each item: at its last change, and when something was due."""
        return await self._timers.clocks(connection, tenant_id, item_ids) if item_ids else {}

    async def now(self, connection: AsyncConnection, tenant_id: str, item_id: str) -> list[dict[str, Any]]:
        log = (await self._timers.logs(connection, tenant_id, [item_id]))[item_id]
        policies = await policies_naming(self._policies, connection, tenant_id, [log])
        return [
            clock.shown
            for clock in latest(clocks_of(log, self._clock.now(), policies.sla, policies.sla_before))
        ]


class Repin:
    """Pins the clock policy in force to items that have another: what they used stays used."""

    def __init__(
        self,
        database: Database,
        items: Items,
        timers: PostgresTimers,
        outbox: Outbox,
        policies: PolicySource,
        clock: Clock,
    ) -> None:
        self._database = database
        self._items = items
        self._timers = timers
        self._outbox = outbox
        self._policies = policies
        self._clock = clock

    async def all(self, tenant_id: str, batch: int = 200) -> int:
        """Every item of the tenant that is not closed; how many that were. Short transactions; stopped half
        way, it goes on where it was when called again."""
        pinned = 0
        while True:
            async with self._database.tenant(tenant_id) as connection:
                now = await self.some(connection, tenant_id, batch)
            self._outbox.wake()
            if not now:
                return pinned
            pinned += now

    async def some(self, connection: AsyncConnection, tenant_id: str, limit: int) -> int:
        """At most so many, in the caller's transaction; 0 when none is left."""
        policies = await self._policies.of(connection, tenant_id)
        name = policies.sla.name
        found = await self._timers.otherwise_pinned(connection, tenant_id, name, limit)
        at = self._clock.now()
        reason = f"The clock policy {name} was put in force for open items too."
        made = [entered(item, [pin_entry(item, name, reason)], at, policies.weighing) for item in found]
        await self._outbox.add(connection, await write(self._items, connection, tenant_id, made))
        return len(found)
