"""Plans of asking, their waves, and which survey got a moment, in PostgreSQL."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.app.sampling.ports import Kept, OpenedWave, Plan, State
from heardback_ingest.domain.sampling.plan import Reach, Size
from heardback_ingest.domain.sampling.precision import Target
from heardback_ingest.domain.sampling.response import Rate
from heardback_shared.db.database import to_json

_FIELDS = """id, survey, segment, weight, wait_days, CAST(size AS text) AS size, state, made_by, made_at,
    because, ended_at, ended_by"""
_ADD = text("""
INSERT INTO ingest.sampling_plan
    (tenant_id, id, survey, segment, weight, wait_days, size, state, made_by, made_at)
VALUES (:tenant, :id, :survey, :segment, :weight, :wait, CAST(:size AS jsonb), :state, :by, :at)
ON CONFLICT DO NOTHING
""")
_GET = f"SELECT {_FIELDS} FROM ingest.sampling_plan WHERE tenant_id = :tenant AND id = :id"  # noqa: S608
_NEWEST = text(f"""
SELECT {_FIELDS} FROM ingest.sampling_plan WHERE tenant_id = :tenant ORDER BY made_at DESC, id LIMIT :limit
""")  # noqa: S608
_LATEST = text(f"""
SELECT asked.name, found.* FROM unnest(CAST(:surveys AS text[])) AS asked(name)
CROSS JOIN LATERAL (
    SELECT {_FIELDS} FROM ingest.sampling_plan
    WHERE tenant_id = :tenant AND survey = asked.name AND (segment = :segment OR segment IS NULL)
    ORDER BY segment IS NULL, made_at DESC, id LIMIT 1
) AS found
""")  # noqa: S608
_LOCK = text("""
SELECT id FROM ingest.sampling_plan WHERE tenant_id = :tenant AND id = ANY (CAST(:ids AS text[]))
ORDER BY id FOR UPDATE
""")
_END = text("""
UPDATE ingest.sampling_plan SET state = :state, because = :because, ended_at = :at, ended_by = :by
WHERE tenant_id = :tenant AND id = :id
""")
_WAVES = text("""
SELECT number, invites, CAST(record AS text) AS record, opened_by, opened_at FROM ingest.sampling_wave
WHERE tenant_id = :tenant AND plan_id = :id ORDER BY number
""")
_OPEN = text("""
INSERT INTO ingest.sampling_wave (tenant_id, plan_id, number, invites, record, opened_by, opened_at)
VALUES (:tenant, :id, :number, :invites, CAST(:record AS jsonb), :by, :at)
""")
_KEEP = text("""
INSERT INTO ingest.survey_choice (tenant_id, slot, customer_id, record, asked_by, at)
VALUES (:tenant, :slot, :customer, CAST(:record AS jsonb), :by, :at) ON CONFLICT DO NOTHING
""")
_KEPT = text("""
SELECT slot, customer_id, CAST(record AS text), asked_by, at FROM ingest.survey_choice
WHERE tenant_id = :tenant AND slot = :slot
""")


class PostgresPlans:
    async def add(self, c: AsyncConnection, tenant_id: str, plan: Plan) -> bool:
        row = {
            "tenant": tenant_id,
            "id": plan.id,
            "survey": plan.survey,
            "segment": plan.segment,
            "weight": plan.weight,
            "wait": plan.wait_days,
            "size": to_json(asdict(plan.size)),
            "state": plan.state,
            "by": plan.made_by,
            "at": plan.made_at,
        }
        return (await c.execute(_ADD, row)).rowcount > 0

    async def get(
        self, c: AsyncConnection, tenant_id: str, plan_id: str, *, for_update: bool = False
    ) -> Plan | None:
        asked = text(_GET + " FOR UPDATE" if for_update else _GET)
        row = (await c.execute(asked, {"tenant": tenant_id, "id": plan_id})).first()
        return None if row is None else _plan(row)

    async def newest(self, c: AsyncConnection, tenant_id: str, limit: int) -> list[Plan]:
        return [_plan(row) for row in await c.execute(_NEWEST, {"tenant": tenant_id, "limit": limit})]

    async def latest_for(
        self, c: AsyncConnection, tenant_id: str, surveys: Sequence[str], segment: str | None
    ) -> Mapping[str, Plan]:
        asked = {"tenant": tenant_id, "surveys": list(surveys), "segment": segment}
        return {row.name: _plan(row) for row in await c.execute(_LATEST, asked)}

    async def lock(self, c: AsyncConnection, tenant_id: str, plan_ids: Sequence[str]) -> None:
        await c.execute(_LOCK, {"tenant": tenant_id, "ids": list(plan_ids)})

    async def end(
        self,
        c: AsyncConnection,
        tenant_id: str,
        plan_id: str,
        state: State,
        because: str,
        by: str,
        now: datetime,
    ) -> None:
        values = {"state": state, "because": because, "at": now, "by": by}
        await c.execute(_END, {"tenant": tenant_id, "id": plan_id, **values})

    async def waves(self, c: AsyncConnection, tenant_id: str, plan_id: str) -> list[OpenedWave]:
        rows = await c.execute(_WAVES, {"tenant": tenant_id, "id": plan_id})
        return [OpenedWave(row[0], row[1], orjson.loads(row[2]), row[3], row[4]) for row in rows]

    async def open_wave(self, c: AsyncConnection, tenant_id: str, plan_id: str, wave: OpenedWave) -> None:
        values: dict[str, Any] = {
            "number": wave.number,
            "invites": wave.invites,
            "record": to_json(wave.record),
            "by": wave.opened_by,
            "at": wave.opened_at,
        }
        await c.execute(_OPEN, {"tenant": tenant_id, "id": plan_id, **values})


class PostgresChoices:
    async def keep(self, c: AsyncConnection, tenant_id: str, kept: Kept) -> Kept:
        row = {
            "tenant": tenant_id,
            "slot": kept.slot,
            "customer": kept.customer_id,
            "record": to_json(kept.record),
            "by": kept.asked_by,
            "at": kept.at,
        }
        if (await c.execute(_KEEP, row)).rowcount > 0:
            return kept
        before = await self.get(c, tenant_id, kept.slot)
        assert before is not None
        return before

    async def get(self, c: AsyncConnection, tenant_id: str, slot: str) -> Kept | None:
        row = (await c.execute(_KEPT, {"tenant": tenant_id, "slot": slot})).first()
        return None if row is None else Kept(row[0], row[1], orjson.loads(row[2]), row[3], row[4])


def _plan(row: Row[Any]) -> Plan:
    told = orjson.loads(row.size)
    found = Size(
        Target(**told["target"]),
        told["population"],
        Rate(**told["rate"]),
        told["assurance"],
        told["answers"],
        told["invites"],
        told["reachable"],
        Reach(**told["expected"]),
        Reach(**told["assured"]),
    )
    return Plan(
        row.id,
        row.survey,
        row.segment,
        row.weight,
        row.wait_days,
        found,
        row.state,
        row.made_by,
        row.made_at,
        row.because,
        row.ended_at,
        row.ended_by,
    )
