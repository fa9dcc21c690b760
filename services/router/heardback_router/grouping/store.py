"""People's rules, and the members of items, in Postgres. All inside the caller's transaction."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.domain import Weight
from heardback_router.grouping.deciding import SIDES
from heardback_router.grouping.held import OpenFeedback
from heardback_router.grouping.open_feedback import hold, keep_places
from heardback_router.grouping.regrouping import Member, NewRule, telling
from heardback_router.grouping.tables import grouping_fingerprints, grouping_rules
from heardback_router.grouping.vectors import packed, send_vectors
from heardback_shared.contracts.customer import CustomerSnapshot
from heardback_shared.contracts.events import FeedbackAccepted, FeedbackScored
from heardback_shared.contracts.feedback import FeedbackContent
from heardback_shared.contracts.score import Score
from heardback_shared.db.bulk import insert_rows
from heardback_shared.db.database import to_json

RULES_SHOWN = 200

_MEMBERS = text("""
SELECT l.feedback_id, l.item_id, l.severity, l.band, l.customer_id, l.accepted_at, l.place, l.embedding,
    l.moved IS NOT NULL AS moved
FROM unnest(CAST(:items AS text[])) AS asked (item_id)
CROSS JOIN LATERAL (
    SELECT * FROM router.item_feedback WHERE tenant_id = :tenant AND item_id = asked.item_id) AS l
""")
_ITEM_OF = text("SELECT item_id FROM router.item_feedback WHERE tenant_id = :tenant AND feedback_id = :id")
_FACE = text("""
SELECT content::text AS content, customer::text AS customer, score::text AS score, decision, revision,
    pass_number, accepted_at, scored_at
FROM router.item_feedback WHERE tenant_id = :tenant AND feedback_id = :id
""")
_MOVE = text("""
UPDATE router.item_feedback SET item_id = :item, moved = CAST(:moved AS json), joined_because = :because,
    routed_at = :at
WHERE tenant_id = :tenant AND feedback_id = ANY(CAST(:ids AS text[]))
RETURNING feedback_id, customer_id, revision, pass_number, scored_at, score::text AS score
""")
_RELEASE = (
    text("""DELETE FROM router.open_feedback
        WHERE tenant_id = :tenant AND item_id = :item AND feedback_id = ANY(CAST(:ids AS text[]))"""),
    text("""DELETE FROM router.open_fingerprint
        WHERE tenant_id = :tenant AND item_id = :item AND feedback_id = ANY(CAST(:ids AS text[]))"""),
)
_EXEMPLARS = text("""
INSERT INTO router.grouping_exemplar (tenant_id, rule_id, side, feedback_id, cause, model, embedding)
SELECT :tenant, :rule, :side, id, cause, model, embedding
FROM unnest(CAST(:ids AS text[]), CAST(:causes AS text[]), CAST(:models AS text[]),
    CAST(:embeddings AS halfvec[])) AS u (id, cause, model, embedding)
""")
_NO_EXEMPLAR = text("""
DELETE FROM router.grouping_exemplar
WHERE tenant_id = :tenant AND rule_id = :rule AND side = :side AND feedback_id = ANY(CAST(:ids AS text[]))
""")
_FORGET_RULE = (
    text("DELETE FROM router.grouping_exemplar WHERE tenant_id = :tenant AND rule_id = :rule"),
    text("DELETE FROM router.grouping_fingerprint WHERE tenant_id = :tenant AND rule_id = :rule"),
)
_END = text("""
UPDATE router.grouping_rule SET ended_at = :at, ended_by = :actor, ended_because = :because
WHERE tenant_id = :tenant AND id = :rule AND ended_at IS NULL RETURNING id
""")
_CHILDREN = text("""
SELECT id FROM router.item
WHERE tenant_id = :tenant AND parent_id = :item AND state IN ('open', 'in_progress') ORDER BY id
""")


class PostgresGrouping:
    async def members(
        self, connection: AsyncConnection, tenant_id: str, item_ids: Collection[str]
    ) -> dict[str, list[Member]]:
        """Per item all its feedback."""
        found: dict[str, list[Member]] = {item_id: [] for item_id in item_ids}
        values = {"tenant": tenant_id, "items": sorted(set(item_ids))}
        for row in (await connection.execute(_MEMBERS, values)).mappings():
            found[row["item_id"]].append(_member(row))
        return found

    async def item_of(self, connection: AsyncConnection, tenant_id: str, feedback_id: str) -> str | None:
        found = await connection.scalar(_ITEM_OF, {"tenant": tenant_id, "id": feedback_id})
        return str(found) if found is not None else None

    async def face(
        self, connection: AsyncConnection, tenant_id: str, feedback_id: str
    ) -> tuple[FeedbackScored, str]:
        """A linked feedback as it was scored, and the team that routing gave it."""
        row = (await connection.execute(_FACE, {"tenant": tenant_id, "id": feedback_id})).one()
        accepted = FeedbackAccepted(
            feedback_id=feedback_id,
            revision=row.revision,
            pass_number=row.pass_number,
            accepted_at=row.accepted_at,
            content=FeedbackContent.model_validate_json(row.content),
            customer=CustomerSnapshot.model_validate_json(row.customer) if row.customer else None,
        )
        score = Score.model_validate_json(row.score)
        scored = FeedbackScored(accepted=accepted, score=score, scored_at=row.scored_at)
        return scored, str(row.decision["team"])

    async def children(self, connection: AsyncConnection, tenant_id: str, item_id: str) -> list[str]:
        """The unresolved items of other domains that stand under this one."""
        return list((await connection.execute(_CHILDREN, {"tenant": tenant_id, "item": item_id})).scalars())

    async def move(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        moved: Sequence[Member],
        *,
        source: str,
        target: str,
        because: str,
        decided: dict[str, Any],
        at: datetime,
    ) -> Sequence[RowMapping]:
        """Moves the links and how they are found; what an announcement of each needs."""
        values = {"tenant": tenant_id, "ids": [m.feedback_id for m in moved]}
        for statement in _RELEASE:
            await connection.execute(statement, {**values, "item": source})
        told = {"item": target, "moved": to_json(decided), "because": because, "at": at}
        return (await connection.execute(_MOVE, {**values, **told})).mappings().all()

    async def add_rule(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        rule: NewRule,
        left: Sequence[OpenFeedback],
        right: Sequence[OpenFeedback],
    ) -> None:
        """Stores the rule with what stands for its sides, fingerprints and embeddings."""
        sides = dict(zip(SIDES, ((left, right), (right, left)), strict=True))
        shown = {
            side: {"feedback": [one.feedback_id for one in mine], "fingerprints": telling(mine, theirs)}
            for side, (mine, theirs) in sides.items()
        }
        row = {"tenant_id": tenant_id, **asdict(rule), "sides": shown}
        await insert_rows(connection, grouping_rules, [row])
        prints = [
            {"tenant_id": tenant_id, "fingerprint": fingerprint, "rule_id": rule.id, "side": side}
            for side in SIDES
            for fingerprint in shown[side]["fingerprints"]
        ]
        await insert_rows(connection, grouping_fingerprints, prints)
        for side, (mine, _) in sides.items():
            speaking = [one for one in mine if one.vector is not None]
            if speaking:
                await send_vectors(connection)
                await connection.execute(
                    _EXEMPLARS,
                    {
                        "tenant": tenant_id,
                        "rule": rule.id,
                        "side": side,
                        "ids": [one.feedback_id for one in speaking],
                        "causes": [one.cause for one in speaking],
                        "models": [one.model for one in speaking],
                        "embeddings": [packed(one.vector) for one in speaking if one.vector is not None],
                    },
                )

    async def hold(self, connection: AsyncConnection, tenant_id: str, held: Sequence[OpenFeedback]) -> None:
        """These are found by others as they are now, and after a reopening too."""
        await keep_places(connection, tenant_id, held)
        await hold(connection, tenant_id, held, again=True)

    async def take_exemplars(
        self, connection: AsyncConnection, tenant_id: str, mark: str, feedback_ids: Sequence[str]
    ) -> None:
        """These no longer stand for the side of the rule that the mark names."""
        rule_id, _, side = mark.partition(":")
        values = {"tenant": tenant_id, "rule": rule_id, "side": side, "ids": list(feedback_ids)}
        await connection.execute(_NO_EXEMPLAR, values)

    async def end(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        rule_id: str,
        *,
        actor: str,
        because: str,
        at: datetime,
    ) -> bool:
        """Nothing falls under the rule from now on; it stays on record. False: it had ended, or never was."""
        values = {"tenant": tenant_id, "rule": rule_id}
        ended = await connection.scalar(_END, {**values, "actor": actor, "because": because, "at": at})
        for statement in _FORGET_RULE:
            await connection.execute(statement, values)
        return ended is not None

    async def rule(self, connection: AsyncConnection, tenant_id: str, rule_id: str) -> dict[str, Any] | None:
        query = select(grouping_rules).where(
            grouping_rules.c.tenant_id == tenant_id, grouping_rules.c.id == rule_id
        )
        row = (await connection.execute(query)).mappings().first()
        return dict(row) if row else None

    async def rules(
        self, connection: AsyncConnection, tenant_id: str, *, ended: bool, item_id: str | None = None
    ) -> list[dict[str, Any]]:
        """Newest first, at most RULES_SHOWN; with or without those that have ended."""
        query = select(grouping_rules).where(grouping_rules.c.tenant_id == tenant_id)
        if not ended:
            query = query.where(grouping_rules.c.ended_at.is_(None))
        if item_id is not None:
            query = query.where(
                (grouping_rules.c.left_item == item_id) | (grouping_rules.c.right_item == item_id)
            )
        query = query.order_by(grouping_rules.c.at.desc(), grouping_rules.c.id).limit(RULES_SHOWN)
        return [dict(row) for row in (await connection.execute(query)).mappings()]


def _member(row: RowMapping) -> Member:
    held = None
    if row["place"] is not None:
        held = OpenFeedback.of_place(
            row["feedback_id"], row["item_id"], row["place"], row["embedding"], row["moved"]
        )
    return Member(
        row["feedback_id"],
        row["item_id"],
        Weight(row["severity"], row["band"]),
        row["customer_id"],
        row["accepted_at"],
        held,
    )
