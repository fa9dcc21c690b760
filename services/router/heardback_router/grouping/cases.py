"""Cases in Postgres: the items of one customer about one matter, which came over several channels.

They stay items of their own, with one owner, and the customer hears once, when the last of them is resolved.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.domain import Item, Resolution
from heardback_router.backlog.store import item_of
from heardback_router.grouping.telling import Mate, told_once
from heardback_router.loops.domain import change_id
from heardback_router.wording import translated

ITEMS_SHOWN = 100

_MATES = text("""
SELECT id, state, resolution FROM router.item
WHERE tenant_id = :tenant AND case_id = :case AND id <> :item AND state <> 'merged' ORDER BY opened_at, id
""")
_STAKES = text("""
SELECT l.item_id, l.customer_id, l.feedback_id
FROM unnest(CAST(:items AS text[])) AS asked (item_id)
CROSS JOIN LATERAL (
    SELECT item_id, customer_id, feedback_id, accepted_at FROM router.item_feedback
    WHERE tenant_id = :tenant AND item_id = asked.item_id AND customer_id IS NOT NULL) AS l
ORDER BY l.accepted_at, l.feedback_id
""")
_TOLD_AT = text("""
SELECT l.customer_id, max(said.at) AS at
FROM unnest(CAST(:items AS text[])) AS asked (item_id)
CROSS JOIN LATERAL (
    SELECT id, customer_id FROM router.loop
    WHERE tenant_id = :tenant AND item_id = asked.item_id AND customer_id IS NOT NULL AND merged_into IS NULL
    ) AS l
CROSS JOIN LATERAL (
    SELECT at FROM router.telling
    WHERE tenant_id = :tenant AND loop_id = l.id AND step = 'told' AND way <> 'nobody') AS said
GROUP BY l.customer_id
""")
_LOCK_MATES = text("""
SELECT found.* FROM (
    SELECT id FROM router.item WHERE tenant_id = :tenant AND case_id = :case AND id <> :item
        AND state IN ('open', 'in_progress') ORDER BY id LIMIT :most) AS asked
CROSS JOIN LATERAL (
    SELECT * FROM router.item WHERE tenant_id = :tenant AND id = asked.id LIMIT 1 FOR UPDATE) AS found
""")
_CASE = text("""
SELECT * FROM router.item WHERE tenant_id = :tenant AND case_id = :case ORDER BY opened_at, id LIMIT :most
""")
_OPEN = frozenset({"open", "in_progress"})


class PostgresCases:
    async def unresolved(self, connection: AsyncConnection, tenant_id: str, item: Item) -> set[str]:
        """The other items of its case that somebody still has to resolve."""
        mates = await self._mates(connection, tenant_id, item)
        return {item_id for item_id, (state, _) in mates.items() if state in _OPEN}

    async def resolutions(
        self, connection: AsyncConnection, tenant_id: str, item: Item, resolution: Resolution
    ) -> list[Resolution]:
        """The resolution of an item, in one part for each thing that the customers behind it are told."""
        found = await self._mates(connection, tenant_id, item)
        if item.case_id is None or not found:
            return [resolution]
        stakes = await self._stakes(connection, tenant_id, list(found))
        mates = [
            Mate(
                item_id,
                state in _OPEN,
                stakes.get(item_id, {}),
                outcome["tell_customer"] if outcome else None,
                datetime.fromisoformat(outcome["at"]) if outcome else None,
                **(_resolved(tenant_id, item_id, outcome) if outcome else {}),
            )
            for item_id, (state, outcome) in found.items()
        ]
        told_at = await self._told_at(connection, tenant_id, [item.id, *found])
        return told_once(resolution, item.case_id, mates, told_at)

    async def lock_unresolved(self, connection: AsyncConnection, tenant_id: str, item: Item) -> list[Item]:
        """The other unresolved items of its case, locked until the transaction ends."""
        if item.case_id is None:
            return []
        values = {"tenant": tenant_id, "case": item.case_id, "item": item.id, "most": ITEMS_SHOWN}
        return [item_of(row) for row in (await connection.execute(_LOCK_MATES, values)).mappings()]

    async def items(self, connection: AsyncConnection, tenant_id: str, case_id: str) -> list[Item]:
        """All items that are or were part of the case, oldest first, at most ITEMS_SHOWN."""
        values = {"tenant": tenant_id, "case": case_id, "most": ITEMS_SHOWN}
        return [item_of(row) for row in (await connection.execute(_CASE, values)).mappings()]

    async def _mates(
        self, connection: AsyncConnection, tenant_id: str, item: Item
    ) -> dict[str, tuple[str, Mapping[str, Any] | None]]:
        """(state, resolution) of the other items of its case."""
        if item.case_id is None:
            return {}
        values = {"tenant": tenant_id, "case": item.case_id, "item": item.id}
        return {row.id: (row.state, row.resolution) for row in await connection.execute(_MATES, values)}

    async def _stakes(
        self, connection: AsyncConnection, tenant_id: str, item_ids: Sequence[str]
    ) -> dict[str, dict[str, tuple[str, ...]]]:
        """Per item and customer their feedback."""
        stakes: dict[str, dict[str, tuple[str, ...]]] = {}
        for row in await connection.execute(_STAKES, {"tenant": tenant_id, "items": list(item_ids)}):
            of_item = stakes.setdefault(row.item_id, {})
            of_item[row.customer_id] = (*of_item.get(row.customer_id, ()), row.feedback_id)
        return stakes

    async def _told_at(
        self, connection: AsyncConnection, tenant_id: str, item_ids: Sequence[str]
    ) -> dict[str, datetime]:
        rows = await connection.execute(_TOLD_AT, {"tenant": tenant_id, "items": list(item_ids)})
        return {row.customer_id: row.at for row in rows}


def _resolved(tenant_id: str, item_id: str, outcome: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "result": outcome.get("result", "done"),
        "reference": outcome.get("reference"),
        "change_id": change_id(tenant_id, item_id, outcome["number"]),
        "translations": translated(outcome.get("translations", {})),
    }
