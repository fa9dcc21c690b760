"""Finding the open feedback around a batch in Postgres, in a constant number of statements."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.grouping.deciding import SIDES, Near, Side, Told
from heardback_router.grouping.domain import GroupingPolicy, Similarity
from heardback_router.grouping.neighbourhood import ITEMS_PER_FINGERPRINT, Found, Neighbourhood, Newcomer
from heardback_router.grouping.open_feedback import spelled
from heardback_router.grouping.wording import unlike

EXACT_UP_TO = 2_000
"""So many open feedbacks of one root cause are compared one by one; beyond, the index finds the nearest."""
INDEXED_DIMENSION = 384
"""Vectors of this length have an index, as the shipped model makes them; others are compared one by one."""
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
# The vectors are read once each, before anything is compared with them.
_ASKED = """
(SELECT number, cause, model, since, until, CAST(vector AS halfvec) AS vector
 FROM unnest(CAST(:numbers AS integer[]), CAST(:causes AS text[]), CAST(:models AS text[]),
     CAST(:since AS timestamptz[]), CAST(:until AS timestamptz[]), CAST(:vectors AS text[]))
     AS u (number, cause, model, since, until, vector) OFFSET 0) AS asked
"""
# Only our own constants are put into these statements.
_TOLD_BY_WORDS = text(f"""
SELECT asked.number, r.id, r.kind, e.side, r.at, r.actor, e.similarity, r.threshold
FROM {_ASKED}
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
_SIZES = text("""
SELECT asked.cause, asked.model, counted.number
FROM unnest(CAST(:causes AS text[]), CAST(:models AS text[])) AS asked (cause, model)
CROSS JOIN LATERAL (
    SELECT count(*) AS number FROM (
        SELECT 1 FROM router.open_feedback
        WHERE tenant_id = :tenant AND cause = asked.cause AND model = asked.model AND embedding IS NOT NULL
        LIMIT :most) AS few) AS counted
""")
# What others said is read only where it is near enough to matter.
_SAID = """
CASE WHEN found.similarity >= :least THEN (
    SELECT words FROM router.item_feedback WHERE tenant_id = :tenant AND feedback_id = found.feedback_id) END
    AS words
"""
_EXACT = text(f"""
SELECT asked.number, found.feedback_id, found.item_id, found.at, found.similarity, {_SAID}
FROM {_ASKED}
CROSS JOIN LATERAL (
    SELECT feedback_id, item_id, at, -(embedding <#> asked.vector) AS similarity
    FROM (SELECT feedback_id, item_id, at, embedding FROM router.open_feedback
          WHERE tenant_id = :tenant AND cause = asked.cause AND model = asked.model
              AND embedding IS NOT NULL AND dimension = vector_dims(asked.vector)
              AND at BETWEEN asked.since AND asked.until OFFSET 0) AS same
    ORDER BY similarity DESC, feedback_id LIMIT :most) AS found
""")  # noqa: S608
_BY_INDEX = text(f"""
SELECT asked.number, found.feedback_id, found.item_id, found.at, found.similarity, {_SAID}
FROM {_ASKED}
CROSS JOIN LATERAL (
    SELECT feedback_id, item_id, at,
        -(embedding::halfvec({INDEXED_DIMENSION}) <#> asked.vector::halfvec({INDEXED_DIMENSION}))
            AS similarity
    FROM router.open_feedback
    WHERE tenant_id = :tenant AND cause = asked.cause AND model = asked.model
        AND dimension = {INDEXED_DIMENSION} AND at BETWEEN asked.since AND asked.until
    ORDER BY embedding::halfvec({INDEXED_DIMENSION}) <#> asked.vector::halfvec({INDEXED_DIMENSION})
    LIMIT :most) AS found
""")  # noqa: S608
# Without sorting the index is the only way to an order, whatever the planner believes of a young table.
_BY_INDEX_FROM_NOW = text("""
SELECT set_config('hnsw.iterative_scan', 'strict_order', true), set_config('hnsw.ef_search', :width, true),
    set_config('hnsw.max_scan_tuples', :reach, true), set_config('enable_sort', 'off', true)
""")
_SORT_AGAIN = text("SELECT set_config('enable_sort', 'on', true)")
_TRAITS = text("""
SELECT asked.item_id, found.named, found.marks
FROM unnest(CAST(:items AS text[])) AS asked (item_id)
CROSS JOIN LATERAL (
    SELECT DISTINCT named, marks FROM router.open_feedback
    WHERE tenant_id = :tenant AND item_id = asked.item_id
        AND (named <> CAST('{}' AS jsonb) OR marks <> CAST('[]' AS jsonb))) AS found
""")


@dataclass(frozen=True, slots=True)
class Search:
    """How far the index is searched: candidates kept at once, and rows looked at before it gives up."""

    width: int = 100
    reach: int = 20_000


class PostgresNeighbours:
    def __init__(self, search: Search = Search(), exact_up_to: int = EXACT_UP_TO) -> None:
        self._search = search
        self._exact_up_to = exact_up_to

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
            around.near = await self.nearest(connection, tenant_id, newcomers, policy.similarity)
        return around

    async def traits(
        self, connection: AsyncConnection, tenant_id: str, around: Neighbourhood, item_ids: Iterable[str]
    ) -> None:
        """Adds what the feedback of these items names, and the sides of people's rules it is on."""
        values = {"tenant": tenant_id, "items": sorted(set(item_ids))}
        for row in await connection.execute(_TRAITS, values):
            around.traits[row.item_id].add(row.named, row.marks)

    async def nearest(
        self, connection: AsyncConnection, tenant_id: str, newcomers: Sequence[Newcomer], by: Similarity
    ) -> dict[str, list[Near]]:
        """Per newcomer with a vector the nearest open feedback of its root cause and model, nearest first."""
        asking = [n for n in newcomers if n.vector is not None]
        if not asking:
            return {}
        many = await self._many(connection, tenant_id, asking)
        few = [n for n in asking if not _indexed(n, many)]
        near: dict[str, list[Near]] = {}
        if few:
            near |= await _near(connection, _EXACT, tenant_id, few, by)
        rest = [n for n in asking if _indexed(n, many)]
        if rest:
            settings = {"width": str(self._search.width), "reach": str(self._search.reach)}
            await connection.execute(_BY_INDEX_FROM_NOW, settings)
            near |= await _near(connection, _BY_INDEX, tenant_id, rest, by)
            await connection.execute(_SORT_AGAIN)
        return near

    async def _many(
        self, connection: AsyncConnection, tenant_id: str, asking: Sequence[Newcomer]
    ) -> set[tuple[str | None, str | None]]:
        """The root causes and models with more open feedback than is compared one by one."""
        pairs = sorted({(n.matter.cause or "", n.model or "") for n in asking})
        values = {"causes": [p[0] for p in pairs], "models": [p[1] for p in pairs]}
        most = self._exact_up_to + 1
        rows = await connection.execute(_SIZES, {"tenant": tenant_id, "most": most, **values})
        return {(row.cause, row.model) for row in rows if row.number >= most}

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
            words = {"tenant": tenant_id, **_asked(speaking, timedelta(0))}
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


def _indexed(newcomer: Newcomer, many: set[tuple[str | None, str | None]]) -> bool:
    known = newcomer.vector is not None and len(newcomer.vector) == INDEXED_DIMENSION
    return known and (newcomer.matter.cause, newcomer.model) in many


async def _near(
    connection: AsyncConnection,
    statement: Any,
    tenant_id: str,
    asking: Sequence[Newcomer],
    by: Similarity,
) -> dict[str, list[Near]]:
    near: dict[str, list[Near]] = {}
    least = {"most": by.neighbours, "least": by.threshold}
    values = {"tenant": tenant_id, **least, **_asked(asking, by.window)}
    for row in await connection.execute(statement, values):
        newcomer, similarity = asking[row.number], round(float(row.similarity), 4)
        apart = row.words is not None and unlike(newcomer.words, row.words)
        one = Near(row.feedback_id, row.item_id, similarity, row.at, apart)
        near.setdefault(newcomer.feedback_id, []).append(one)
    return near


def _asked(asking: Sequence[Newcomer], window: timedelta) -> dict[str, list[Any]]:
    return {
        "numbers": list(range(len(asking))),
        "causes": [n.matter.cause for n in asking],
        "models": [n.model for n in asking],
        "since": [n.at - window for n in asking],
        "until": [n.at + window for n in asking],
        "vectors": [spelled(n.vector) for n in asking if n.vector is not None],
    }
