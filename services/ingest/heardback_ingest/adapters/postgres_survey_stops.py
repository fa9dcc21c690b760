"""What stops surveys for a while: a crisis for everybody, a word of an agent for one conversation."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.app.surveys.ports import Crisis, Surroundings
from heardback_ingest.domain.sampling.arms import Experiment
from heardback_shared.policies.in_force import InForce

_FIELDS = "id, because, called_at, called_by, ends_at, lifted_at, lifted_by"
# What holds for everybody, in one message: each part reads a row or two by key.
_AROUND = text(f"""
SELECT crisis.*, stop.because AS stopped, trial.id AS trial, trial.gaps, trial.share,
    EXISTS (SELECT FROM ingest.sampling_plan WHERE tenant_id = :tenant AND state <> 'stopped') AS planned,
    policies.found AS policies
FROM (VALUES (1)) AS always
LEFT JOIN LATERAL (
    SELECT {_FIELDS} FROM ingest.survey_crisis
    WHERE tenant_id = :tenant AND lifted_at IS NULL AND ends_at > :now ORDER BY ends_at DESC LIMIT 1
) AS crisis ON true
LEFT JOIN LATERAL (
    SELECT stopped, because FROM platform.sending_stop
    WHERE tenant_id = :tenant ORDER BY number DESC LIMIT 1
) AS stop ON stop.stopped
LEFT JOIN LATERAL (
    SELECT id, gaps, share FROM ingest.fatigue_experiment
    WHERE tenant_id = :tenant AND ended_at IS NULL LIMIT 1
) AS trial ON true
CROSS JOIN LATERAL (
    SELECT json_agg(one)::text AS found FROM unnest(CAST(:kinds AS text[])) AS asked(kind)
    CROSS JOIN LATERAL (
        SELECT kind, policy, digest, at FROM platform.policy_in_force
        WHERE tenant_id = :tenant AND kind = asked.kind LIMIT 1
    ) AS one
) AS policies
""")  # noqa: S608
_ALL = text(f"""
SELECT {_FIELDS} FROM ingest.survey_crisis WHERE tenant_id = :tenant ORDER BY called_at DESC, id LIMIT :limit
""")  # noqa: S608
_CALL = text("""
INSERT INTO ingest.survey_crisis (tenant_id, id, because, called_at, called_by, ends_at)
VALUES (:tenant, :id, :because, :at, :by, :ends)
""")
_LIFT = text("""
UPDATE ingest.survey_crisis SET lifted_at = :now, lifted_by = :by
WHERE tenant_id = :tenant AND lifted_at IS NULL AND ends_at > :now
""")
_SKIP = text("""
INSERT INTO ingest.survey_skip (tenant_id, conversation_id, because, at, by)
VALUES (:tenant, :id, :because, :now, :by)
ON CONFLICT (tenant_id, conversation_id) DO UPDATE
SET because = excluded.because, at = excluded.at, by = excluded.by
""")
_UNSKIP = text("DELETE FROM ingest.survey_skip WHERE tenant_id = :tenant AND conversation_id = :id")
_MANY: TypeAdapter[tuple[InForce, ...]] = TypeAdapter(tuple[InForce, ...])


class PostgresStops:
    async def surroundings(
        self, c: AsyncConnection, tenant_id: str, kinds: Sequence[str], now: datetime
    ) -> Surroundings:
        asked = {"tenant": tenant_id, "kinds": list(kinds), "now": now}
        row = (await c.execute(_AROUND, asked)).one()
        crisis = None if row.id is None else Crisis(*row[:7])
        trial = None if row.trial is None else Experiment(row.trial, tuple(row.gaps), row.share)
        policies = _MANY.validate_json(row.policies) if row.policies else ()
        return Surroundings(crisis, row.stopped, trial, row.planned, policies)

    async def crises(self, c: AsyncConnection, tenant_id: str, limit: int) -> list[Crisis]:
        rows = await c.execute(_ALL, {"tenant": tenant_id, "limit": limit})
        return [Crisis(*row) for row in rows]

    async def call(self, c: AsyncConnection, tenant_id: str, crisis: Crisis) -> None:
        arguments = {
            "tenant": tenant_id,
            "id": crisis.id,
            "because": crisis.because,
            "at": crisis.called_at,
            "by": crisis.called_by,
            "ends": crisis.ends_at,
        }
        await c.execute(_CALL, arguments)

    async def lift(self, c: AsyncConnection, tenant_id: str, now: datetime, by: str) -> bool:
        return (await c.execute(_LIFT, {"tenant": tenant_id, "now": now, "by": by})).rowcount > 0

    async def skip(
        self, c: AsyncConnection, tenant_id: str, conversation_id: str, because: str, by: str, now: datetime
    ) -> None:
        told = {"tenant": tenant_id, "id": conversation_id, "because": because, "by": by, "now": now}
        await c.execute(_SKIP, told)

    async def unskip(self, c: AsyncConnection, tenant_id: str, conversation_id: str) -> bool:
        return (await c.execute(_UNSKIP, {"tenant": tenant_id, "id": conversation_id})).rowcount > 0
