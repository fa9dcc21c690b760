"""Finding the open feedback around a batch in Postgres, in a constant number of statements."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.grouping.deciding import SIDES, Side, Told
from heardback_router.grouping.domain import GroupingPolicy
from heardback_router.grouping.nearest import ASKED, PostgresNearest, asked_by
from heardback_router.grouping.neighbourhood import ITEMS_PER_FINGERPRINT, Found, Neighbourhood, Newcomer
from heardback_router.grouping.vectors import send_vectors

FOUND_PER_FINGERPRINT = 50

_ANY_RULES = text("""
SELECT EXISTS (SELECT 1 FROM router.grouping_fingerprint WHERE tenant_id = :tenant),
       EXISTS (SELECT 1 FROM router.grouping_exemplar WHERE tenant_id = :tenant)
""")
_TOLD_BY_PRINT = text("""
SELECT asked.number, r.id, r.kind, f.side, r.at, r.actor
FROM unnest(CAST(:numbers AS integer[]), CAST(:prints AS text[])) AS asked (number, fingerprint)
CROSS JOIN LATERAL (
    SELECT rule_id, side FROM router.grouping_fingerprint
    WHERE tenant_id = :tenant AND fingerprint = asked.fingerprint) AS f
CROSS JOIN LATERAL (
    SELECT id, kind, at, actor FROM router.grouping_rule
    WHERE tenant_id = :tenant AND id = f.rule_id LIMIT 1) AS r
""")
# Only our own constants are put into these statements.
_TOLD_BY_WORDS = text(f"""
SELECT asked.number, r.id, r.kind, e.side, r.at, r.actor, e.similarity, r.threshold
FROM {ASKED}
CROSS JOIN LATERAL (
    SELECT rule_id, side, max(-(embedding <#> asked.vector)) AS similarity FROM router.grouping_exemplar
    WHERE tenant_id = :tenant AND cause = asked.cause AND model = asked.model
        AND vector_dims(embedding) = vector_dims(asked.vector)
    GROUP BY rule_id, side) AS e
CROSS JOIN LATERAL (
    SELECT id, kind, at, actor, threshold FROM router.grouping_rule
    WHERE tenant_id = :tenant AND id = e.rule_id LIMIT 1) AS r
WHERE e.similarity >= r.threshold
""")  # noqa: S608
_FOUND = text("""
SELECT asked.fingerprint, found.item_id, found.feedback_id, found.at
FROM unnest(CAST(:prints AS text[])) AS asked (fingerprint)
CROSS JOIN LATERAL (
    SELECT item_id, feedback_id, at FROM router.open_fingerprint
    WHERE tenant_id = :tenant AND fingerprint = asked.fingerprint
    ORDER BY at DESC, feedback_id DESC LIMIT :most) AS found
""")
_TRAITS = text("""
SELECT asked.item_id, found.named, found.marks
FROM unnest(CAST(:items AS text[])) AS asked (item_id)
CROSS JOIN LATERAL (
    SELECT DISTINCT named, marks FROM router.open_feedback
    WHERE tenant_id = :tenant AND item_id = asked.item_id
        AND (named <> CAST('{}' AS jsonb) OR marks <> CAST('[]' AS jsonb))) AS found
""")


class PostgresNeighbours:
    def __init__(self, nearest: PostgresNearest | None = None) -> None:
        self._nearest = nearest or PostgresNearest()

    async def around(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        newcomers: Sequence[Newcomer],
        policy: GroupingPolicy,
    ) -> Neighbourhood:
        """What open feedback of the tenant these may join, without the traits of its items."""
        around = Neighbourhood()
        if not newcomers:
            return around
        around.told = await self._told(connection, tenant_id, newcomers)
        together = {t.rule_id for told in around.told.values() for t in told if t.kind == "together"}
        asked = sorted({f for newcomer in newcomers for f in newcomer.asked} | together)
        values = {"tenant": tenant_id, "prints": asked, "most": FOUND_PER_FINGERPRINT}
        for row in await connection.execute(_FOUND, values):
            around.found[row.fingerprint].append(Found(row.item_id, row.feedback_id, row.at))
        if policy.similarity is not None:
            near, large = await self._nearest.around(connection, tenant_id, newcomers, policy.similarity)
            around.near, around.large = near, large
        return around

    async def traits(
        self, connection: AsyncConnection, tenant_id: str, around: Neighbourhood, item_ids: Iterable[str]
    ) -> None:
        """Adds what the feedback of these items names, and the sides of people's rules it is on."""
        values = {"tenant": tenant_id, "items": sorted(set(item_ids))}
        for row in await connection.execute(_TRAITS, values):
            around.traits[row.item_id].add(row.named, row.marks)

    async def _told(
        self, connection: AsyncConnection, tenant_id: str, newcomers: Sequence[Newcomer]
    ) -> dict[str, tuple[Told, ...]]:
        by_print, by_words = (await connection.execute(_ANY_RULES, {"tenant": tenant_id})).one()
        found: dict[tuple[str, str], dict[Side, tuple[Any, float | None]]] = {}
        if by_print:
            asked = [(number, print_) for number, n in enumerate(newcomers) for print_ in n.asked]
            values = {"numbers": [a[0] for a in asked], "prints": [a[1] for a in asked]}
            for row in await connection.execute(_TOLD_BY_PRINT, {"tenant": tenant_id, **values}):
                found.setdefault((newcomers[row.number].feedback_id, row.id), {})[row.side] = (row, None)
        speaking = [n for n in newcomers if n.vector is not None]
        if by_words and speaking:
            await send_vectors(connection)
            words = {"tenant": tenant_id, **asked_by(speaking, timedelta(0))}
            for row in await connection.execute(_TOLD_BY_WORDS, words):
                sides = found.setdefault((speaking[row.number].feedback_id, row.id), {})
                sides.setdefault(row.side, (row, round(float(row.similarity), 4)))
        told: dict[str, list[Told]] = {}
        for (feedback_id, _), sides in sorted(found.items()):
            if (one := _side(sides)) is not None:
                told.setdefault(feedback_id, []).append(one)
        return {feedback_id: tuple(many) for feedback_id, many in told.items()}


def candidates(around: Neighbourhood, policy: GroupingPolicy) -> set[str]:
    """Every item that some newcomer may join, so that no more are locked than need be."""
    ids: set[str] = set()
    for many in around.found.values():
        ids |= set(list(dict.fromkeys(found.item_id for found in many))[:ITEMS_PER_FINGERPRINT])
    if policy.similarity is not None:
        least = policy.similarity.threshold
        ids |= {near.item_id for many in around.near.values() for near in many if near.similarity >= least}
    return ids


def _side(sides: Mapping[Side, tuple[Any, float | None]]) -> Told | None:
    """A fingerprint says more than words, nearer words more than others; between equals nothing is said."""
    strength = {side: 2.0 if similarity is None else similarity for side, (_, similarity) in sides.items()}
    side = max(SIDES, key=lambda s: strength.get(s, -1.0))
    row, similarity = sides[side]
    if row.kind == "apart" and len(set(strength.values())) < len(strength):
        return None
    return Told(row.id, row.kind, side, row.at, row.actor, similarity)
