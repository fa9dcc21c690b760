"""Loops in Postgres. Every method works inside the caller's transaction."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.loops.carrying import Carried, Stake, carried
from heardback_router.loops.domain import FIRST, LoopEvent, LoopStatus, loop_id
from heardback_router.loops.ports import Loop, LoopStep, Opening, Subject
from heardback_router.loops.tables import loop_events, loop_feedback, loops
from heardback_router.messages.domain import Result
from heardback_router.outreach.payload import Origin
from heardback_router.wording import CustomerText
from heardback_shared.db.bulk import insert_rows
from heardback_shared.ids import derived_id

MACHINE = "router"
_UPDATED = ", ".join(
    f"{c.name} = excluded.{c.name}" for c in loops.columns if c.name not in {"tenant_id", "id", "opened_at"}
)
_UPDATE = f"ON CONFLICT (tenant_id, id) DO UPDATE SET {_UPDATED}"
# Each row is looked up by itself: a join would let the planner read every loop of the tenant instead.
_FEEDBACK = """
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(feedback_id ORDER BY feedback_id), '{}') AS feedback_ids
    FROM router.loop_feedback WHERE tenant_id = :tenant AND loop_id = held.id) AS f
"""
_STAKES = text("""
SELECT held.*, CAST('{}' AS text[]) AS feedback_ids
FROM unnest(CAST(:items AS text[]), CAST(:customers AS text[])) AS asked (item_id, customer_id)
CROSS JOIN LATERAL (
    SELECT * FROM router.loop WHERE tenant_id = :tenant AND item_id = asked.item_id
        AND customer_id = asked.customer_id AND merged_into IS NULL LIMIT 1) AS held
""")
_FIND = text(f"""
SELECT held.*, f.feedback_ids FROM (
    SELECT * FROM router.loop WHERE tenant_id = :tenant AND id = :id) AS held {_FEEDBACK}
""")  # noqa: S608  (of constants)
_LOCK = text(f"""
SELECT held.*, f.feedback_ids FROM unnest(CAST(:ids AS text[])) AS asked (id)
CROSS JOIN LATERAL (
    SELECT * FROM router.loop WHERE tenant_id = :tenant AND id = asked.id LIMIT 1 FOR UPDATE) AS held
{_FEEDBACK}
""")  # noqa: S608  (of constants)
_IDS = text("""
SELECT id FROM router.loop WHERE tenant_id = :tenant AND item_id = :item AND merged_into IS NULL ORDER BY id
""")
_OF_ITEM = text(f"""
SELECT held.*, f.feedback_ids FROM (
    SELECT * FROM router.loop WHERE tenant_id = :tenant AND item_id = :item AND merged_into IS NULL) AS held
{_FEEDBACK} ORDER BY held.opened_at, held.id
""")  # noqa: S608  (of constants)
_LOGS = text("""
SELECT held.* FROM unnest(CAST(:ids AS text[])) AS asked (id)
CROSS JOIN LATERAL (
    SELECT * FROM router.loop_event WHERE tenant_id = :tenant AND loop_id = asked.id) AS held
ORDER BY held.loop_id, held.sequence
""")
_OF_FEEDBACK = text("""
SELECT asked.feedback_id, held.*, CAST('{}' AS text[]) AS feedback_ids
FROM unnest(CAST(:ids AS text[])) AS asked (feedback_id)
CROSS JOIN LATERAL (
    SELECT loop_id FROM router.loop_feedback
    WHERE tenant_id = :tenant AND feedback_id = asked.feedback_id LIMIT 1) AS mine
CROSS JOIN LATERAL (
    SELECT * FROM router.loop WHERE tenant_id = :tenant AND id = mine.loop_id LIMIT 1) AS held
""")
_SUBJECTS = text("""
SELECT asked.feedback_id, held.tier, held.cues FROM unnest(CAST(:ids AS text[])) AS asked (feedback_id)
CROSS JOIN LATERAL (
    SELECT customer ->> 'tier' AS tier,
        ARRAY(SELECT cue ->> 'name' FROM json_array_elements(score -> 'cues') AS cue) AS cues
    FROM router.item_feedback WHERE tenant_id = :tenant AND feedback_id = asked.feedback_id LIMIT 1) AS held
""")
_RAISED = text("""
SELECT asked.feedback_id, held.accepted_at FROM unnest(CAST(:ids AS text[])) AS asked (feedback_id)
CROSS JOIN LATERAL (
    SELECT accepted_at FROM router.item_feedback
    WHERE tenant_id = :tenant AND feedback_id = asked.feedback_id LIMIT 1) AS held
""")

_ORIGINS = text("""
SELECT asked.feedback_id, held.source, held.external_id
FROM unnest(CAST(:ids AS text[])) AS asked (feedback_id)
CROSS JOIN LATERAL (
    SELECT content ->> 'source' AS source, content ->> 'external_id' AS external_id
    FROM router.item_feedback WHERE tenant_id = :tenant AND feedback_id = asked.feedback_id LIMIT 1) AS held
""")


class PostgresLoops:
    async def open(
        self, connection: AsyncConnection, tenant_id: str, openings: Sequence[Opening], at: datetime
    ) -> Mapping[str, Loop]:
        if not openings:
            return {}
        held = await self._stakes(connection, tenant_id, openings)
        by_feedback: dict[str, Loop] = {}
        new: list[Loop] = []
        for opening in openings:
            named = opening.customer_id is not None
            stake = (opening.item_id, opening.customer_id or f"\x1e{opening.feedback_id}")
            loop = held.get(stake)
            if loop is None:
                opened = loop_id(tenant_id, opening.item_id, opening.feedback_id)
                loop = _acknowledged(opened, opening, at)
                new.append(loop)
                if named:
                    held[stake] = loop
            by_feedback[opening.feedback_id] = loop
        await self._add(connection, tenant_id, new)
        await self._link(connection, tenant_id, {f: loop.id for f, loop in by_feedback.items()})
        return by_feedback

    async def find(self, connection: AsyncConnection, tenant_id: str, loop_id: str) -> Loop | None:
        wanted: str | None = loop_id
        while wanted is not None:
            row = (await connection.execute(_FIND, {"tenant": tenant_id, "id": wanted})).mappings().first()
            if row is None:
                return None
            if row["merged_into"] is None:
                return _loop(row)
            wanted = row["merged_into"]
        return None

    async def lock(
        self, connection: AsyncConnection, tenant_id: str, loop_ids: Collection[str]
    ) -> Sequence[Loop]:
        if not loop_ids:
            return []
        rows = await connection.execute(_LOCK, {"tenant": tenant_id, "ids": sorted(set(loop_ids))})
        return [_loop(row) for row in rows.mappings() if row["merged_into"] is None]

    async def lock_item(self, connection: AsyncConnection, tenant_id: str, item_id: str) -> Sequence[Loop]:
        ids = (await connection.execute(_IDS, {"tenant": tenant_id, "item": item_id})).scalars().all()
        found = await self.lock(connection, tenant_id, list(ids))
        return sorted(found, key=lambda loop: (loop.opened_at, loop.id))

    async def append(self, connection: AsyncConnection, tenant_id: str, steps: Sequence[LoopStep]) -> None:
        events = [_event_row(tenant_id, step.after.id, step.event) for step in steps]
        await insert_rows(connection, loop_events, events)
        last = {step.after.id: step.after for step in steps}
        rows = [_row(tenant_id, loop) for loop in last.values()]
        await insert_rows(connection, loops, rows, on_conflict=_UPDATE)

    async def of_item(
        self, connection: AsyncConnection, tenant_id: str, item_id: str
    ) -> Sequence[tuple[Loop, Sequence[LoopEvent]]]:
        rows = await connection.execute(_OF_ITEM, {"tenant": tenant_id, "item": item_id})
        found = [_loop(row) for row in rows.mappings()]
        logs = await self._logs(connection, tenant_id, [loop.id for loop in found])
        return [(loop, logs[loop.id]) for loop in found]

    async def log(self, connection: AsyncConnection, tenant_id: str, loop_id: str) -> Sequence[LoopEvent]:
        return (await self._logs(connection, tenant_id, [loop_id]))[loop_id]

    async def of_feedback(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Sequence[str]
    ) -> Mapping[str, Loop]:
        asked = {"tenant": tenant_id, "ids": list(feedback_ids)}
        rows = await connection.execute(_OF_FEEDBACK, asked)
        return {row["feedback_id"]: _loop(row) for row in rows.mappings()}

    async def carry(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        feedback_ids: Sequence[str],
        source_id: str,
        target_id: str,
        at: datetime,
    ) -> Carried:
        leaving = await self.lock_item(connection, tenant_id, source_id)
        there = await self.lock_item(connection, tenant_id, target_id)
        result = carried(_stakes_of(leaving), _stakes_of(there), frozenset(feedback_ids))
        by_id = {loop.id: loop for loop in leaving}
        moved = [replace(by_id[one], item_id=target_id) for one in result.moved]
        merged = [replace(by_id[one], merged_into=into) for one, into in result.merged.items()]
        rows = [_row(tenant_id, loop) for loop in (*merged, *moved)]
        await insert_rows(connection, loops, rows, on_conflict=_UPDATE)
        await self._link(connection, tenant_id, result.linked)
        written = await self.raised(connection, tenant_id, [f for _, ids in result.opened for f in ids])
        for customer_id, ids in result.opened:
            opening = Opening(min(ids), target_id, customer_id, min(written.get(f, at) for f in ids))
            # A stake may be split off, come back, and be split off again.
            opened = derived_id("lp", tenant_id, target_id, min(ids), at.isoformat())
            loop = _acknowledged(opened, opening, at)
            await self._add(connection, tenant_id, [loop])
            await self._link(connection, tenant_id, dict.fromkeys(ids, loop.id))
        return result

    async def raised(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Collection[str]
    ) -> Mapping[str, datetime]:
        asked = {"tenant": tenant_id, "ids": sorted(feedback_ids)}
        rows = await connection.execute(_RAISED, asked)
        return {row.feedback_id: row.accepted_at for row in rows}

    async def put_message(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        loop_ids: Collection[str],
        message: CustomerText,
        result: Result | None = None,
    ) -> None:
        locked = await self.lock(connection, tenant_id, loop_ids)
        rows = [
            _row(tenant_id, replace(loop, message=message, result=result or loop.result)) for loop in locked
        ]
        await insert_rows(connection, loops, rows, on_conflict=_UPDATE)

    async def subjects(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Collection[str]
    ) -> Mapping[str, Subject]:
        asked = {"tenant": tenant_id, "ids": sorted(feedback_ids)}
        rows = await connection.execute(_SUBJECTS, asked)
        return {row.feedback_id: Subject(row.tier, frozenset(row.cues)) for row in rows}

    async def _stakes(
        self, connection: AsyncConnection, tenant_id: str, openings: Sequence[Opening]
    ) -> dict[tuple[str, str], Loop]:
        asked = {(o.item_id, o.customer_id) for o in openings if o.customer_id is not None}
        if not asked:
            return {}
        pairs = sorted(asked)
        values = {"tenant": tenant_id, "items": [i for i, _ in pairs], "customers": [c for _, c in pairs]}
        rows = (await connection.execute(_STAKES, values)).mappings()
        return {(row["item_id"], row["customer_id"]): _loop(row) for row in rows}

    async def _add(self, connection: AsyncConnection, tenant_id: str, new: Sequence[Loop]) -> None:
        await insert_rows(connection, loops, [_row(tenant_id, loop) for loop in new])
        first = [LoopEvent(1, 1, FIRST, loop.status.since, MACHINE) for loop in new]
        rows = [_event_row(tenant_id, loop.id, event) for loop, event in zip(new, first, strict=True)]
        await insert_rows(connection, loop_events, rows)

    async def _link(self, connection: AsyncConnection, tenant_id: str, linked: Mapping[str, str]) -> None:
        await insert_rows(
            connection,
            loop_feedback,
            [{"tenant_id": tenant_id, "feedback_id": f, "loop_id": loop} for f, loop in linked.items()],
            on_conflict="ON CONFLICT (tenant_id, feedback_id) DO UPDATE SET loop_id = excluded.loop_id",
        )

    async def _logs(
        self, connection: AsyncConnection, tenant_id: str, ids: Sequence[str]
    ) -> dict[str, list[LoopEvent]]:
        events: dict[str, list[LoopEvent]] = defaultdict(list)
        for row in (await connection.execute(_LOGS, {"tenant": tenant_id, "ids": list(ids)})).mappings():
            events[row["loop_id"]].append(_event(row))
        return events


class PostgresFeedbackOrigins:
    """Reads the content that came with the feedback, where the backlog keeps it."""

    async def of(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Sequence[str]
    ) -> Mapping[str, Origin]:
        rows = await connection.execute(_ORIGINS, {"tenant": tenant_id, "ids": list(feedback_ids)})
        return {r.feedback_id: Origin(r.feedback_id, r.source, r.external_id) for r in rows}


def _acknowledged(loop_id: str, opening: Opening, at: datetime) -> Loop:
    return Loop(
        loop_id,
        opening.item_id,
        opening.customer_id,
        (opening.feedback_id,),
        LoopStatus(FIRST, 1, 1, at),
        None,
        None,
        opening.raised_at,
        at,
    )


def _stakes_of(held: Sequence[Loop]) -> list[Stake]:
    return [Stake(loop.id, loop.customer_id, frozenset(loop.feedback_ids), loop.state) for loop in held]


def _row(tenant_id: str, loop: Loop) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "id": loop.id,
        "item_id": loop.item_id,
        "customer_id": loop.customer_id,
        "round": loop.status.round,
        "state": loop.status.state,
        "sequence": loop.status.sequence,
        "since": loop.status.since,
        "code": loop.status.code,
        "reason": loop.status.reason,
        "result": loop.result,
        "message": loop.message.text if loop.message else None,
        "raised_at": loop.raised_at,
        "opened_at": loop.opened_at,
        "merged_into": loop.merged_into,
    }


def _event_row(tenant_id: str, loop: str, event: LoopEvent) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "loop_id": loop,
        "sequence": event.sequence,
        "round": event.round,
        "state": event.state,
        "at": event.at,
        "actor": event.actor,
        "code": event.code,
        "reason": event.reason,
    }


def _event(row: Mapping[Any, Any]) -> LoopEvent:
    return LoopEvent(
        row["sequence"], row["round"], row["state"], row["at"], row["actor"], row["code"], row["reason"]
    )


def _loop(row: Mapping[Any, Any]) -> Loop:
    return Loop(
        id=row["id"],
        item_id=row["item_id"],
        customer_id=row["customer_id"],
        feedback_ids=tuple(row["feedback_ids"]),
        status=LoopStatus(
            row["state"], row["round"], row["sequence"], row["since"], row["code"], row["reason"]
        ),
        result=row["result"],
        message=CustomerText(row["message"]) if row["message"] else None,
        raised_at=row["raised_at"],
        opened_at=row["opened_at"],
        merged_into=row["merged_into"],
    )
