"""Corrections in Postgres. Every method works inside the caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.corrections.domain import Correction, Word
from heardback_router.corrections.tables import corrections
from heardback_shared.contracts.score import Score
from heardback_shared.db.bulk import insert_rows

# Rows are looked up one by one: a join would let the planner read every row of the tenant instead.
_IN_FORCE = text("""
    SELECT found.* FROM unnest(CAST(:ids AS text[])) AS asked(feedback_id)
    CROSS JOIN LATERAL (
        SELECT *, machine::text AS machine_json FROM router.correction
        WHERE tenant_id = :tenant AND feedback_id = asked.feedback_id AND in_force LIMIT 1
    ) AS found
""")
_HISTORY = text("""
    SELECT * FROM router.correction WHERE tenant_id = :tenant AND feedback_id = :id ORDER BY number
""")
_END = text("""
    UPDATE router.correction SET in_force = false, ended_at = :at, ended_by = :by
    WHERE tenant_id = :tenant AND feedback_id = :id AND in_force
""")
_MACHINE_SAID = text("""
    UPDATE router.correction AS kept SET machine = CAST(told.machine AS json)
    FROM unnest(CAST(:ids AS text[]), CAST(:machines AS text[])) AS told(feedback_id, machine)
    WHERE kept.tenant_id = :tenant AND kept.feedback_id = told.feedback_id AND kept.in_force
""")
_LINK = text("""
    SELECT feedback_id, item_id, customer_id, revision, pass_number, accepted_at, scored_at, content::text,
        customer::text, score::text, embedding, embedding_model
    FROM router.item_feedback WHERE tenant_id = :tenant AND feedback_id = :id
""")
_RELINK = text("""
    UPDATE router.item_feedback SET score = CAST(:score AS json), severity = :severity, band = :band,
        decision = CAST(:decision AS json), routed_at = :at
    WHERE tenant_id = :tenant AND feedback_id = :id
""")
_FORGET = text("""
    DELETE FROM router.correction WHERE tenant_id = :tenant AND feedback_id = ANY(:ids) RETURNING feedback_id
""")
# Shared locks: a correction that is taken back meanwhile waits, and so is announced after, not before.
_PAGE = text("""
    SELECT c.tenant_id, c.feedback_id, c.number, c.right_causes, c.wrong_causes, c.at,
        f.embedding, f.embedding_model
    FROM router.correction c
    JOIN router.item_feedback f ON f.tenant_id = c.tenant_id AND f.feedback_id = c.feedback_id
    WHERE (c.tenant_id, c.feedback_id) > (:tenant, :id) AND c.in_force
    ORDER BY c.tenant_id, c.feedback_id LIMIT :some
    FOR SHARE OF c
""")


@dataclass(frozen=True, slots=True)
class InForce:
    """A correction with the score as the machine last made it, and which model embedded it then."""

    correction: Correction
    machine: Score
    embedding_model: str | None


class PostgresCorrections:
    async def in_force(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Sequence[str]
    ) -> dict[str, InForce]:
        """Of those that have one."""
        found = await connection.execute(_IN_FORCE, {"tenant": tenant_id, "ids": list(feedback_ids)})
        return {
            row["feedback_id"]: InForce(
                correction_of(row), Score.model_validate_json(row["machine_json"]), row["embedding_model"]
            )
            for row in found.mappings()
        }

    async def history(
        self, connection: AsyncConnection, tenant_id: str, feedback_id: str
    ) -> list[Correction]:
        """Every word about it, the oldest first."""
        found = await connection.execute(_HISTORY, {"tenant": tenant_id, "id": feedback_id})
        return [correction_of(row) for row in found.mappings()]

    async def keep(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        correction: Correction,
        machine_json: str,
        embedding: bytes | None,
        embedding_model: str | None,
    ) -> None:
        """Puts it in force, in the place of the one that was."""
        await self.end(connection, tenant_id, correction.feedback_id, correction.at, correction.actor)
        word = correction.word
        row = {
            "tenant_id": tenant_id,
            "feedback_id": correction.feedback_id,
            "number": correction.number,
            "in_force": True,
            "right_causes": None if word.right is None else list(word.right),
            "wrong_causes": list(word.wrong),
            "sentiment": word.sentiment,
            "severity": word.severity,
            "actor": correction.actor,
            "reason": correction.reason,
            "at": correction.at,
            "said": correction.said,
            "machine": machine_json,
            "embedding": embedding,
            "embedding_model": embedding_model,
        }
        await insert_rows(connection, corrections, [row])

    async def end(
        self, connection: AsyncConnection, tenant_id: str, feedback_id: str, at: datetime, by: str
    ) -> None:
        await connection.execute(_END, {"tenant": tenant_id, "id": feedback_id, "at": at, "by": by})

    async def machine_said(
        self, connection: AsyncConnection, tenant_id: str, scores: Mapping[str, str]
    ) -> None:
        """Keeps what the machine says now beneath corrections that are in force, as JSON by feedback."""
        if scores:
            values = {"tenant": tenant_id, "ids": list(scores), "machines": list(scores.values())}
            await connection.execute(_MACHINE_SAID, values)

    async def link(self, connection: AsyncConnection, tenant_id: str, feedback_id: str) -> RowMapping | None:
        """The feedback as it is linked to its item."""
        found = await connection.execute(_LINK, {"tenant": tenant_id, "id": feedback_id})
        return found.mappings().first()

    async def relink(
        self, connection: AsyncConnection, tenant_id: str, feedback_id: str, values: Mapping[str, Any]
    ) -> None:
        """Writes `score`, `severity`, `band`, `decision` and `at` of a link."""
        await connection.execute(_RELINK, {"tenant": tenant_id, "id": feedback_id, **values})

    async def forget(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Sequence[str]
    ) -> list[str]:
        """Drops every word about these feedbacks, with embeddings; returns those that had any, sorted."""
        found = await connection.execute(_FORGET, {"tenant": tenant_id, "ids": list(feedback_ids)})
        return sorted(set(found.scalars()))

    async def page(
        self, connection: AsyncConnection, after: tuple[str, str], some: int
    ) -> Sequence[RowMapping]:
        """In force, of every tenant, after (tenant, feedback); needs a worker's transaction."""
        tenant, feedback = after
        found = await connection.execute(_PAGE, {"tenant": tenant, "id": feedback, "some": some})
        return found.mappings().all()


def correction_of(row: RowMapping) -> Correction:
    right = row["right_causes"]
    return Correction(
        feedback_id=row["feedback_id"],
        number=row["number"],
        word=Word(
            None if right is None else tuple(right),
            tuple(row["wrong_causes"]),
            row["sentiment"],
            row["severity"],
        ),
        actor=row["actor"],
        reason=row["reason"],
        at=row["at"],
        said=row["said"],
        ended_at=row["ended_at"],
        ended_by=row["ended_by"],
    )
