"""Experiments with how often to ask, who is in which arm, and what was suggested from them, in PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.app.sampling.ports import MadeSuggestion, Running
from heardback_ingest.domain.sampling.arms import Experiment
from heardback_shared.db.database import to_json

_FIELDS = "id, gaps, share, because, started_by, started_at, ended_at, ended_by"
_NEWEST = text(f"""
SELECT {_FIELDS} FROM ingest.fatigue_experiment WHERE tenant_id = :tenant
ORDER BY ended_at IS NOT NULL, started_at DESC, id LIMIT 1
""")  # noqa: S608
_START = text("""
INSERT INTO ingest.fatigue_experiment (tenant_id, id, gaps, share, because, started_by, started_at)
VALUES (:tenant, :id, CAST(:gaps AS integer[]), :share, :because, :by, :at) ON CONFLICT DO NOTHING
""")
_END = text("""
UPDATE ingest.fatigue_experiment SET ended_at = :at, ended_by = :by
WHERE tenant_id = :tenant AND ended_at IS NULL
""")
_ASSIGN = text("""
INSERT INTO ingest.fatigue_arm (tenant_id, experiment_id, person_id, gap, assigned_at)
SELECT :tenant, :experiment, told.person, told.gap, :at
FROM unnest(CAST(:persons AS text[]), CAST(:gaps AS integer[])) AS told(person, gap)
ON CONFLICT DO NOTHING
""")
_SIZES = text("""
SELECT gap, count(*) FROM ingest.fatigue_arm WHERE tenant_id = :tenant AND experiment_id = :id
GROUP BY gap ORDER BY gap
""")
_SUGGESTED = text("""
INSERT INTO ingest.fatigue_suggestion
    (tenant_id, id, experiment_id, gap, evidence, policy, draft, made_by, made_at)
VALUES (:tenant, :id, :experiment, :gap, CAST(:evidence AS jsonb), :policy, :draft, :by, :at)
""")
_SUGGESTIONS = text("""
SELECT id, experiment_id, gap, CAST(evidence AS text), policy, draft, made_by, made_at
FROM ingest.fatigue_suggestion WHERE tenant_id = :tenant ORDER BY made_at DESC, id LIMIT :limit
""")


class PostgresExperiments:
    async def newest(self, c: AsyncConnection, tenant_id: str) -> Running | None:
        return _running((await c.execute(_NEWEST, {"tenant": tenant_id})).first())

    async def start(self, c: AsyncConnection, tenant_id: str, running: Running) -> bool:
        row = {
            "tenant": tenant_id,
            "id": running.experiment.id,
            "gaps": list(running.experiment.gaps),
            "share": running.experiment.share,
            "because": running.because,
            "by": running.started_by,
            "at": running.started_at,
        }
        return (await c.execute(_START, row)).rowcount > 0

    async def end(self, c: AsyncConnection, tenant_id: str, by: str, now: datetime) -> bool:
        return (await c.execute(_END, {"tenant": tenant_id, "by": by, "at": now})).rowcount > 0

    async def assign(
        self, c: AsyncConnection, tenant_id: str, experiment_id: str, gaps: Mapping[str, int], now: datetime
    ) -> None:
        row = {"persons": list(gaps), "gaps": list(gaps.values()), "at": now}
        await c.execute(_ASSIGN, {"tenant": tenant_id, "experiment": experiment_id, **row})

    async def sizes(self, c: AsyncConnection, tenant_id: str, experiment_id: str) -> Mapping[int, int]:
        rows = await c.execute(_SIZES, {"tenant": tenant_id, "id": experiment_id})
        return {row[0]: row[1] for row in rows}

    async def suggested(self, c: AsyncConnection, tenant_id: str, made: MadeSuggestion) -> None:
        row = {
            "tenant": tenant_id,
            "id": made.id,
            "experiment": made.experiment_id,
            "gap": made.gap,
            "evidence": to_json(made.evidence),
            "policy": made.policy,
            "draft": made.draft,
            "by": made.made_by,
            "at": made.made_at,
        }
        await c.execute(_SUGGESTED, row)

    async def suggestions(self, c: AsyncConnection, tenant_id: str, limit: int) -> Sequence[MadeSuggestion]:
        rows = await c.execute(_SUGGESTIONS, {"tenant": tenant_id, "limit": limit})
        return [MadeSuggestion(r[0], r[1], r[2], orjson.loads(r[3]), *r[4:]) for r in rows]


def _running(row: Row[Any] | None) -> Running | None:
    if row is None:
        return None
    experiment = Experiment(row.id, tuple(row.gaps), row.share)
    return Running(experiment, row.because, row.started_by, row.started_at, row.ended_at, row.ended_by)
