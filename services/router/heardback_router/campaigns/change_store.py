"""Change records in Postgres."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.campaigns.domain import ChangeRecord
from heardback_router.campaigns.tables import change_items, changes
from heardback_router.wording import CustomerText, InternalText, translated
from heardback_shared.db.bulk import insert_rows

_OF_ITEMS = text("""
SELECT DISTINCT found.change_id
FROM unnest(CAST(:items AS text[])) AS asked (item_id)
CROSS JOIN LATERAL (
    SELECT change_id FROM router.change_item WHERE tenant_id = :tenant AND item_id = asked.item_id) AS found
""")


class PostgresChanges:
    async def record(self, connection: AsyncConnection, tenant_id: str, change: ChangeRecord) -> bool:
        added = await insert_rows(
            connection,
            changes,
            [_row(tenant_id, change)],
            on_conflict="ON CONFLICT DO NOTHING",
            returning=("id",),
        )
        if not added:
            return False
        places = [
            {"tenant_id": tenant_id, "item_id": item_id, "change_id": change.id}
            for item_id in dict.fromkeys(change.item_ids)
        ]
        await insert_rows(connection, change_items, places)
        return True

    async def review(self, connection: AsyncConnection, tenant_id: str, change: ChangeRecord) -> None:
        await connection.execute(
            update(changes)
            .where(changes.c.tenant_id == tenant_id, changes.c.id == change.id)
            .values(reviewed_by=change.reviewed_by, reviewed_at=change.reviewed_at)
        )

    async def get(
        self, connection: AsyncConnection, tenant_id: str, change_ids: Sequence[str]
    ) -> Sequence[ChangeRecord]:
        wanted = text("ANY(:wanted)").bindparams(bindparam("wanted", list(change_ids), type_=ARRAY(TEXT)))
        query = select(changes).where(changes.c.tenant_id == tenant_id, changes.c.id == wanted)
        found = {row["id"]: _change(row) for row in (await connection.execute(query)).mappings()}
        return [found[change_id] for change_id in dict.fromkeys(change_ids) if change_id in found]

    async def lock(self, connection: AsyncConnection, tenant_id: str, change_id: str) -> ChangeRecord | None:
        """Nobody else changes it until the transaction ends."""
        query = select(changes).where(changes.c.tenant_id == tenant_id, changes.c.id == change_id)
        row = (await connection.execute(query.with_for_update())).mappings().first()
        return _change(row) if row else None

    async def of_items(
        self, connection: AsyncConnection, tenant_id: str, item_ids: Sequence[str]
    ) -> Sequence[ChangeRecord]:
        rows = await connection.execute(_OF_ITEMS, {"tenant": tenant_id, "items": list(item_ids)})
        found = await self.get(connection, tenant_id, [row.change_id for row in rows])
        return sorted(found, key=lambda change: (change.recorded_at, change.id), reverse=True)


def _row(tenant_id: str, change: ChangeRecord) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "id": change.id,
        "result": change.result,
        "what": change.what.text,
        "tell": change.tell.text,
        "translations": {language: said.text for language, said in change.translations},
        "on_date": change.on,
        "reference": change.reference,
        "item_ids": list(dict.fromkeys(change.item_ids)),
        "recorded_by": change.recorded_by,
        "recorded_at": change.recorded_at,
        "reviewed_by": change.reviewed_by,
        "reviewed_at": change.reviewed_at,
    }


def _change(row: Mapping[Any, Any]) -> ChangeRecord:
    return ChangeRecord(
        id=row["id"],
        result=row["result"],
        what=InternalText(row["what"]),
        tell=CustomerText(row["tell"]),
        on=row["on_date"],
        reference=row["reference"],
        item_ids=tuple(row["item_ids"]),
        recorded_by=row["recorded_by"],
        recorded_at=row["recorded_at"],
        reviewed_by=row["reviewed_by"],
        reviewed_at=row["reviewed_at"],
        translations=translated(row["translations"]),
    )
