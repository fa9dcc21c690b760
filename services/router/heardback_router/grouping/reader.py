"""Reading from Postgres why feedback stands where it does. Inside the caller's transaction."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.grouping.explaining import Placed
from heardback_router.grouping.held import OpenFeedback

FEEDBACK_SHOWN = 100

_OF_ITEM = text("""
SELECT feedback_id, item_id, joined_because, grouping, moved, place, embedding
FROM router.item_feedback WHERE tenant_id = :tenant AND item_id = :item
ORDER BY accepted_at DESC, feedback_id LIMIT :most
""")
_ONE = text("""
SELECT feedback_id, item_id, joined_because, grouping, moved, place, embedding
FROM router.item_feedback WHERE tenant_id = :tenant AND feedback_id = :id
""")
# What ties the feedback of an item together, without the rest of it.
_TIES = text("""
SELECT feedback_id, item_id, joined_because, json_build_object('with', grouping -> 'with') AS grouping, moved,
    NULL AS place, NULL AS embedding
FROM router.item_feedback WHERE tenant_id = :tenant AND item_id = :item
""")


class PostgresGroups:
    async def newest(self, connection: AsyncConnection, tenant_id: str, item_id: str) -> Sequence[Placed]:
        """The newest feedback of the item, newest first."""
        values = {"tenant": tenant_id, "item": item_id, "most": FEEDBACK_SHOWN}
        return [_placed(row) for row in await connection.execute(_OF_ITEM, values)]

    async def one(self, connection: AsyncConnection, tenant_id: str, feedback_id: str) -> Placed | None:
        row = (await connection.execute(_ONE, {"tenant": tenant_id, "id": feedback_id})).first()
        return _placed(row) if row else None

    async def ties(self, connection: AsyncConnection, tenant_id: str, item_id: str) -> list[Placed]:
        """All feedback of the item, with nothing but what it was joined by."""
        return [
            _placed(row) for row in await connection.execute(_TIES, {"tenant": tenant_id, "item": item_id})
        ]


def _placed(row: Row[Any]) -> Placed:
    held = None
    if row.place is not None:
        moved = row.moved is not None
        held = OpenFeedback.of_place(row.feedback_id, row.item_id, row.place, row.embedding, moved)
    return Placed(row.feedback_id, row.item_id, row.joined_because, row.grouping, row.moved, held)
