"""Decisions about telling, in Postgres."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.loops.ports import Telling
from heardback_router.loops.tables import tellings
from heardback_router.loops.telling import Decision, Stakes
from heardback_router.messages.domain import Step
from heardback_shared.db.bulk import insert_rows

_OF_MESSAGES = text("""
SELECT held.message_id, held.loop_id, held.round, held.step
FROM unnest(CAST(:ids AS text[])) AS asked (id)
CROSS JOIN LATERAL (
    SELECT message_id, loop_id, round, step FROM router.telling
    WHERE tenant_id = :tenant AND message_id = asked.id) AS held
""")
_OF_LOOPS = text("""
SELECT held.* FROM unnest(CAST(:ids AS text[])) AS asked (id)
CROSS JOIN LATERAL (
    SELECT message_id, loop_id, round, step, occasion, way, rule, because, policy, inputs::text AS inputs,
        review_id, at
    FROM router.telling WHERE tenant_id = :tenant AND loop_id = asked.id) AS held
ORDER BY held.at, held.message_id, held.loop_id
""")


class PostgresTellings:
    async def add(
        self, connection: AsyncConnection, tenant_id: str, made: Sequence[Telling]
    ) -> frozenset[tuple[str, str]]:
        added = await insert_rows(
            connection,
            tellings,
            [_row(tenant_id, one) for one in made],
            on_conflict="ON CONFLICT DO NOTHING",
            returning=("message_id", "loop_id"),
        )
        return frozenset((row.message_id, row.loop_id) for row in added)

    async def of_messages(
        self, connection: AsyncConnection, tenant_id: str, message_ids: Collection[str]
    ) -> Mapping[tuple[str, str], tuple[int, Step]]:
        asked = {"tenant": tenant_id, "ids": sorted(message_ids)}
        rows = await connection.execute(_OF_MESSAGES, asked)
        return {(row.message_id, row.loop_id): (row.round, row.step) for row in rows}

    async def of_loops(
        self, connection: AsyncConnection, tenant_id: str, loop_ids: Collection[str]
    ) -> Sequence[Telling]:
        rows = await connection.execute(_OF_LOOPS, {"tenant": tenant_id, "ids": sorted(loop_ids)})
        return [_telling(row) for row in rows.mappings()]


def _row(tenant_id: str, one: Telling) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "message_id": one.message_id,
        "loop_id": one.loop_id,
        "round": one.round,
        "step": one.step,
        "occasion": one.occasion,
        "way": one.decision.way,
        "rule": one.decision.rule,
        "because": one.decision.because,
        "policy": one.policy,
        "inputs": one.stakes.record,
        "review_id": one.review_id,
        "at": one.at,
    }


def _telling(row: Mapping[Any, Any]) -> Telling:
    return Telling(
        row["message_id"],
        row["loop_id"],
        row["round"],
        row["step"],
        row["occasion"],
        Decision(row["way"], row["rule"], row["because"]),
        row["policy"],
        Stakes.of_record(orjson.loads(row["inputs"])),
        row["review_id"],
        row["at"],
    )
