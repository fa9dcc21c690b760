"""The feedback of unresolved items in Postgres: it enters when placed, leaves and returns with its item."""

from collections.abc import Collection, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.domain import EventKind, ItemEvent
from heardback_router.grouping.held import OpenFeedback
from heardback_router.grouping.neighbourhood import Topic
from heardback_router.grouping.tables import open_fingerprints
from heardback_router.grouping.vectors import INDEXED_DIMENSION, packed, send_vectors
from heardback_shared.db.bulk import insert_rows
from heardback_shared.db.database import to_json

LEAVING: frozenset[EventKind] = frozenset({"resolved", "closed", "merged"})
RETURNING: frozenset[EventKind] = frozenset({"reopened"})

_HOLD = text("""
INSERT INTO router.open_feedback (tenant_id, feedback_id, item_id, at, entity, named, marks, placed_by, cause,
    model, dimension, embedding, indexed)
SELECT :tenant, id, item_id, at, entity, CAST(named AS jsonb), CAST(marks AS jsonb), placed_by, cause, model,
    dimension, embedding, indexed
FROM unnest(
    CAST(:ids AS text[]), CAST(:items AS text[]), CAST(:at AS timestamptz[]), CAST(:entities AS text[]),
    CAST(:named AS text[]), CAST(:marks AS text[]), CAST(:placed_by AS text[]), CAST(:causes AS text[]),
    CAST(:models AS text[]), CAST(:dimensions AS integer[]), CAST(:embeddings AS halfvec[]),
    CAST(:indexed AS boolean[])
) AS u (id, item_id, at, entity, named, marks, placed_by, cause, model, dimension, embedding, indexed)
ON CONFLICT (tenant_id, feedback_id) DO UPDATE SET item_id = excluded.item_id, at = excluded.at,
    entity = excluded.entity, named = excluded.named, marks = excluded.marks, placed_by = excluded.placed_by,
    cause = excluded.cause, model = excluded.model, dimension = excluded.dimension,
    embedding = excluded.embedding, indexed = excluded.indexed
""")
_LET_GO = (
    text("DELETE FROM router.open_feedback WHERE tenant_id = :tenant AND item_id = :item"),
    text("DELETE FROM router.open_fingerprint WHERE tenant_id = :tenant AND item_id = :item"),
)
# By the item as it was found under, and then by feedback: an index for the latter would only serve this.
_FORGET_PRINTS = text("""
DELETE FROM router.open_fingerprint f
USING unnest(CAST(:items AS text[]), CAST(:ids AS text[])) AS u (item, id)
WHERE f.tenant_id = :tenant AND f.item_id = u.item AND f.feedback_id = u.id
""")
_OF_ITEM = text("""
SELECT feedback_id, item_id, place, embedding, moved IS NOT NULL AS moved
FROM router.item_feedback WHERE tenant_id = :tenant AND item_id = :item
""")
_KEEP_PLACE = text("""
UPDATE router.item_feedback l SET place = CAST(u.place AS json)
FROM unnest(CAST(:ids AS text[]), CAST(:places AS text[])) AS u (id, place)
WHERE l.tenant_id = :tenant AND l.feedback_id = u.id
""")


async def hold(
    connection: AsyncConnection,
    tenant_id: str,
    held: Sequence[OpenFeedback],
    *,
    again: bool = False,
    large: Collection[Topic] = frozenset(),
) -> None:
    """Stores them, whatever was stored of them before. `again`: some of them may have been.

    Vectors of `large` topics enter the index at once; of others when the index is asked for them.
    """
    if not held:
        return
    await send_vectors(connection)
    if again:
        values = {"items": [one.item_id for one in held], "ids": [one.feedback_id for one in held]}
        await connection.execute(_FORGET_PRINTS, {"tenant": tenant_id, **values})
    await connection.execute(
        _HOLD,
        {
            "tenant": tenant_id,
            "ids": [one.feedback_id for one in held],
            "items": [one.item_id for one in held],
            "at": [one.at for one in held],
            "entities": [one.entity for one in held],
            "named": [to_json(one.named) for one in held],
            "marks": [to_json(one.marks) for one in held],
            "placed_by": [one.placed_by for one in held],
            "causes": [one.cause for one in held],
            "models": [one.model for one in held],
            "dimensions": [len(one.vector) if one.vector is not None else None for one in held],
            "embeddings": [packed(one.vector) if one.vector is not None else None for one in held],
            "indexed": [one.topic in large and _may_be_indexed(one) for one in held],
        },
    )
    rows = [
        {
            "tenant_id": tenant_id,
            "fingerprint": fingerprint,
            "at": one.at,
            "feedback_id": one.feedback_id,
            "item_id": one.item_id,
        }
        for one in held
        for fingerprint in one.fingerprints
    ]
    await insert_rows(connection, open_fingerprints, rows, on_conflict="ON CONFLICT DO NOTHING")


async def let_go(connection: AsyncConnection, tenant_id: str, item_id: str) -> None:
    """Nothing finds the item's feedback any more."""
    for statement in _LET_GO:
        await connection.execute(statement, {"tenant": tenant_id, "item": item_id})


async def of_item(connection: AsyncConnection, tenant_id: str, item_id: str) -> list[OpenFeedback]:
    """All feedback of the item as it would be held, from its links; whether it is held or not."""
    rows = await connection.execute(_OF_ITEM, {"tenant": tenant_id, "item": item_id})
    return [
        OpenFeedback.of_place(row.feedback_id, row.item_id, row.place, row.embedding, row.moved)
        for row in rows
        if row.place is not None
    ]


async def keep_places(connection: AsyncConnection, tenant_id: str, held: Sequence[OpenFeedback]) -> None:
    """Keeps with the links what people's rules changed in how these are found."""
    if held:
        values = {"ids": [o.feedback_id for o in held], "places": [to_json(o.place) for o in held]}
        await connection.execute(_KEEP_PLACE, {"tenant": tenant_id, **values})


async def follow(connection: AsyncConnection, tenant_id: str, events: Sequence[ItemEvent]) -> None:
    """Lets go the feedback of items that end with these entries, and holds again that of reopened ones."""
    for event in events:
        if event.kind in LEAVING:
            await let_go(connection, tenant_id, event.item_id)
        elif event.kind in RETURNING:
            await hold(connection, tenant_id, await of_item(connection, tenant_id, event.item_id))


def _may_be_indexed(one: OpenFeedback) -> bool:
    return one.vector is not None and len(one.vector) == INDEXED_DIMENSION
