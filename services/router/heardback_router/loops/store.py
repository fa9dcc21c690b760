"""Loops in Postgres."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.loops.domain import LoopEvent
from heardback_router.loops.payload import Origin
from heardback_router.loops.ports import Loop
from heardback_router.loops.tables import loop_events, loop_feedback, loops
from heardback_shared.db.bulk import insert_rows

_ORIGINS = text("""
SELECT feedback_id, content ->> 'source' AS source, content ->> 'external_id' AS external_id
FROM router.item_feedback
WHERE tenant_id = :tenant_id AND feedback_id = ANY(CAST(:feedback_ids AS text[]))
""")


class PostgresLoops:
    async def add(
        self, connection: AsyncConnection, tenant_id: str, loops_: Sequence[Loop], actor: str
    ) -> frozenset[str]:
        added = await insert_rows(
            connection,
            loops,
            [_row(tenant_id, loop) for loop in loops_],
            on_conflict="ON CONFLICT DO NOTHING",
            returning=("id",),
        )
        new = frozenset(str(row.id) for row in added)
        opened = [loop for loop in loops_ if loop.id in new]
        await insert_rows(connection, loop_events, [_first_event(tenant_id, loop, actor) for loop in opened])
        await insert_rows(
            connection,
            loop_feedback,
            [
                {"tenant_id": tenant_id, "feedback_id": feedback_id, "loop_id": loop.id}
                for loop in opened
                for feedback_id in dict.fromkeys(loop.feedback_ids)
            ],
        )
        return new

    async def find(self, connection: AsyncConnection, tenant_id: str, loop_id: str) -> Loop | None:
        query = select(loops).where(loops.c.tenant_id == tenant_id, loops.c.id == loop_id)
        row = (await connection.execute(query)).mappings().first()
        return _loop(row) if row else None

    async def lock(
        self, connection: AsyncConnection, tenant_id: str, loop_ids: Sequence[str]
    ) -> Sequence[Loop]:
        query = select(loops).where(loops.c.tenant_id == tenant_id, loops.c.id == _any(loop_ids))
        rows = await connection.execute(query.order_by(loops.c.id).with_for_update())
        return [_loop(row) for row in rows.mappings()]

    async def append(
        self, connection: AsyncConnection, tenant_id: str, loop_id: str, event: LoopEvent
    ) -> None:
        await connection.execute(
            insert(loop_events).values(
                tenant_id=tenant_id,
                loop_id=loop_id,
                sequence=event.sequence,
                state=event.state,
                at=event.at,
                actor=event.actor,
                reason=event.reason,
            )
        )
        await connection.execute(
            update(loops)
            .where(loops.c.tenant_id == tenant_id, loops.c.id == loop_id)
            .values(state=event.state, sequence=event.sequence, since=event.at, reason=event.reason)
        )

    async def of_item(
        self, connection: AsyncConnection, tenant_id: str, item_id: str
    ) -> Sequence[tuple[Loop, Sequence[LoopEvent]]]:
        query = select(loops).where(loops.c.tenant_id == tenant_id, loops.c.item_id == item_id)
        query = query.order_by(loops.c.resolution_number, loops.c.id)
        found = [_loop(row) for row in (await connection.execute(query)).mappings()]
        logs = await connection.execute(
            select(loop_events)
            .where(
                loop_events.c.tenant_id == tenant_id,
                loop_events.c.loop_id == _any([loop.id for loop in found]),
            )
            .order_by(loop_events.c.sequence)
        )
        events: dict[str, list[LoopEvent]] = defaultdict(list)
        for row in logs.mappings():
            events[row["loop_id"]].append(
                LoopEvent(row["sequence"], row["state"], row["at"], row["actor"], row["reason"])
            )
        return [(loop, events[loop.id]) for loop in found]

    async def latest_of_feedback(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Sequence[str]
    ) -> Mapping[str, Loop]:
        rows = await connection.execute(
            select(loop_feedback.c.feedback_id, loops)
            .join(
                loops,
                (loops.c.tenant_id == loop_feedback.c.tenant_id) & (loops.c.id == loop_feedback.c.loop_id),
            )
            .where(loop_feedback.c.tenant_id == tenant_id, loop_feedback.c.feedback_id == _any(feedback_ids))
            .order_by(loops.c.opened_at, loops.c.resolution_number)
        )
        return {row["feedback_id"]: _loop(row) for row in rows.mappings()}


class PostgresFeedbackOrigins:
    """Reads the content that came with the feedback, where the backlog keeps it."""

    async def of(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Sequence[str]
    ) -> Mapping[str, Origin]:
        result = await connection.execute(
            _ORIGINS, {"tenant_id": tenant_id, "feedback_ids": list(feedback_ids)}
        )
        return {r.feedback_id: Origin(r.feedback_id, r.source, r.external_id) for r in result}


def _any(values: Sequence[str]) -> Any:
    return text("ANY(:wanted)").bindparams(bindparam("wanted", list(values), type_=ARRAY(TEXT)))


def _row(tenant_id: str, loop: Loop) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "id": loop.id,
        "item_id": loop.item_id,
        "resolution_number": loop.resolution_number,
        "customer_id": loop.customer_id,
        "feedback_ids": list(loop.feedback_ids),
        "message": loop.message,
        "state": loop.state,
        "sequence": loop.sequence,
        "since": loop.since,
        "reason": loop.reason,
        "opened_at": loop.opened_at,
        "expires_at": loop.expires_at,
    }


def _first_event(tenant_id: str, loop: Loop, actor: str) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "loop_id": loop.id,
        "sequence": 1,
        "state": loop.state,
        "at": loop.since,
        "actor": actor,
        "reason": loop.reason,
    }


def _loop(row: Mapping[Any, Any]) -> Loop:
    return Loop(
        id=row["id"],
        item_id=row["item_id"],
        resolution_number=row["resolution_number"],
        customer_id=row["customer_id"],
        feedback_ids=tuple(row["feedback_ids"]),
        message=row["message"],
        state=row["state"],
        sequence=row["sequence"],
        since=row["since"],
        reason=row["reason"],
        opened_at=row["opened_at"],
        expires_at=row["expires_at"],
    )
