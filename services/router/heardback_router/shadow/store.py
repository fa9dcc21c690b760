"""Shadow readings in Postgres. Inside the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.shadow.domain import CueFound, Differing, Group
from heardback_router.shadow.tables import SIDES, shadow_readings
from heardback_shared.contracts.events import FeedbackShadowed
from heardback_shared.contracts.score import ModelRef
from heardback_shared.db.bulk import insert_rows

FARTHEST_SHOWN = 50

_NEWEST_WINS = """
    ON CONFLICT (tenant_id, feedback_id, active_sha256, candidate_sha256) DO UPDATE SET
    {columns}
    WHERE (shadow_reading.revision, shadow_reading.pass_number) <= (excluded.revision, excluded.pass_number)
""".format(
    columns=", ".join(
        f"{column.name} = excluded.{column.name}"
        for column in shadow_readings.columns
        if not column.primary_key
    )
)
_LATEST = text("""
    SELECT * FROM router.shadow_reading
    WHERE tenant_id = :tenant AND received_at >= :since
      AND (CAST(:active AS text) IS NULL OR active_sha256 = :active)
      AND (CAST(:candidate AS text) IS NULL OR candidate_sha256 = :candidate)
    ORDER BY received_at DESC, feedback_id, active_sha256, candidate_sha256 LIMIT 1
""")
_PAIR = """
    FROM router.shadow_reading r
    WHERE r.tenant_id = :tenant AND r.received_at >= :since
      AND r.active_sha256 = :active AND r.candidate_sha256 = :candidate
"""
_FAILED = text(f"SELECT count(*) {_PAIR} AND r.candidate_status <> 'scored'")
_GROUPS = text(f"""
    SELECT source, language, active_label, candidate_label, active_band, candidate_band, active_abstained,
        candidate_abstained, active_cause IS NOT DISTINCT FROM candidate_cause AS same_cause,
        count(*) AS count, sum(candidate_score - active_score) AS difference,
        sum(abs(candidate_score - active_score)) AS distance
    {_PAIR} AND r.candidate_status = 'scored' GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
""")  # noqa: S608
_CUES = text(f"""
    SELECT cue, count(*) FILTER (WHERE jsonb_exists(active_cues, cue)) AS active,
        count(*) FILTER (WHERE jsonb_exists(candidate_cues, cue)) AS candidate,
        count(*) FILTER (WHERE jsonb_exists(active_cues, cue) AND jsonb_exists(candidate_cues, cue)) AS both
    FROM (SELECT r.active_cues, r.candidate_cues {_PAIR} AND r.candidate_status = 'scored') compared,
        LATERAL (SELECT DISTINCT jsonb_array_elements_text(active_cues || candidate_cues) AS cue) named
    GROUP BY cue ORDER BY cue
""")  # noqa: S608
_FARTHEST = text(f"""
    SELECT feedback_id, source, language, active_label, active_score, active_band, candidate_label,
        candidate_score, candidate_band
    {_PAIR} AND r.candidate_status = 'scored'
    ORDER BY abs(candidate_score - active_score) DESC, feedback_id LIMIT :some
""")
_FORGET = text("""
    DELETE FROM router.shadow_reading
    WHERE (tenant_id, feedback_id, active_sha256, candidate_sha256) IN (
        SELECT tenant_id, feedback_id, active_sha256, candidate_sha256 FROM router.shadow_reading
        WHERE received_at < :before LIMIT :some)
""")


class PostgresShadow:
    async def keep(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        readings: Sequence[FeedbackShadowed],
        at: datetime,
    ) -> None:
        """Of one feedback and one pair of models, the reading of the newest revision and pass stays."""
        newest: dict[tuple[str, str, str], FeedbackShadowed] = {}
        for one in sorted(readings, key=lambda r: (r.revision, r.pass_number)):
            newest[one.feedback_id, one.active.model.sha256, one.candidate.model.sha256] = one
        # In one order, so that two routers given the same events wait for each other.
        rows = [_row(tenant_id, newest[key], at) for key in sorted(newest)]
        await insert_rows(connection, shadow_readings, rows, on_conflict=_NEWEST_WINS)

    async def latest_pair(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        since: datetime,
        active: str | None,
        candidate: str | None,
    ) -> tuple[ModelRef, ModelRef] | None:
        """The models of the latest reading, of these hashes where given; None if there is no reading."""
        asked = {"tenant": tenant_id, "since": since, "active": active, "candidate": candidate}
        row = (await connection.execute(_LATEST, asked)).mappings().first()
        return None if row is None else (_model(row, "active"), _model(row, "candidate"))

    async def failed(self, connection: AsyncConnection, asked: dict[str, Any]) -> int:
        return int(await connection.scalar(_FAILED, asked) or 0)

    async def groups(self, connection: AsyncConnection, asked: dict[str, Any]) -> list[Group]:
        return [_group(row) for row in (await connection.execute(_GROUPS, asked)).mappings()]

    async def cues(self, connection: AsyncConnection, asked: dict[str, Any]) -> tuple[CueFound, ...]:
        found = await connection.execute(_CUES, asked)
        return tuple(CueFound.model_validate(dict(row)) for row in found.mappings())

    async def farthest(self, connection: AsyncConnection, asked: dict[str, Any]) -> tuple[Differing, ...]:
        found = await connection.execute(_FARTHEST, {**asked, "some": FARTHEST_SHOWN})
        return tuple(Differing.model_validate(dict(row)) for row in found.mappings())

    async def forget(self, connection: AsyncConnection, before: datetime, limit: int) -> int:
        """Drops what was received before this instant, of every tenant; needs a worker's transaction."""
        return (await connection.execute(_FORGET, {"before": before, "some": limit})).rowcount


def _row(tenant_id: str, read: FeedbackShadowed, at: datetime) -> dict[str, Any]:
    row: dict[str, Any] = {
        "tenant_id": tenant_id,
        "feedback_id": read.feedback_id,
        "revision": read.revision,
        "pass_number": read.pass_number,
        "source": read.source,
        "language": read.language,
        "received_at": at,
    }
    for side, reading in zip(SIDES, (read.active, read.candidate), strict=True):
        row |= {
            f"{side}_sha256": reading.model.sha256,
            f"{side}_name": reading.model.name,
            f"{side}_revision": reading.model.revision,
            f"{side}_status": reading.status,
            f"{side}_label": reading.label,
            f"{side}_score": reading.score,
            f"{side}_abstained": reading.abstained,
            f"{side}_severity": reading.severity,
            f"{side}_band": reading.band,
            f"{side}_cause": reading.cause,
            f"{side}_cues": list(reading.cues),
        }
    return row


def _model(row: RowMapping, side: str) -> ModelRef:
    return ModelRef(name=row[f"{side}_name"], revision=row[f"{side}_revision"], sha256=row[f"{side}_sha256"])


def _group(row: RowMapping) -> Group:
    return Group(
        source=row["source"],
        language=row["language"],
        labels=(row["active_label"], row["candidate_label"]),
        bands=(row["active_band"], row["candidate_band"]),
        abstained=(row["active_abstained"], row["candidate_abstained"]),
        same_cause=row["same_cause"],
        count=row["count"],
        difference=row["difference"],
        distance=row["distance"],
    )
