"""The open feedback nearest to newcomers by words, in Postgres, in a constant number of statements."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.grouping.comparing import Compared, OneTopic
from heardback_router.grouping.deciding import Near
from heardback_router.grouping.domain import Similarity
from heardback_router.grouping.neighbourhood import Newcomer, Topic
from heardback_router.grouping.vectors import INDEXED_DIMENSION, packed, send_vectors
from heardback_router.grouping.wording import unlike

EXACT_UP_TO = 2_000
"""So many open feedbacks of one topic are compared one by one; beyond, the index finds the nearest."""
TOGETHER = 4
"""From so many newcomers of one topic on it costs less to fetch its vectors once than to compare with each of
them where they are stored."""

ASKED = """
unnest(CAST(:numbers AS integer[]), CAST(:causes AS text[]), CAST(:models AS text[]),
    CAST(:since AS timestamptz[]), CAST(:until AS timestamptz[]), CAST(:vectors AS halfvec[]))
    AS asked (number, cause, model, since, until, vector)
"""
# Only our own constants are put into these statements.
_SIZES = text("""
SELECT asked.cause, asked.model, counted.number
FROM unnest(CAST(:causes AS text[]), CAST(:models AS text[])) AS asked (cause, model)
CROSS JOIN LATERAL (
    SELECT count(*) AS number FROM (
        SELECT 1 FROM router.open_feedback
        WHERE tenant_id = :tenant AND cause = asked.cause AND model = asked.model AND embedding IS NOT NULL
        LIMIT :most) AS few) AS counted
""")
# In one order, so that two who do this at once wait for each other.
_INDEX = text(f"""
UPDATE router.open_feedback SET indexed = true
WHERE tenant_id = :tenant AND feedback_id = ANY(ARRAY(
    SELECT late.feedback_id
    FROM unnest(CAST(:causes AS text[]), CAST(:models AS text[])) AS asked (cause, model)
    CROSS JOIN LATERAL (
        SELECT feedback_id FROM router.open_feedback
        WHERE tenant_id = :tenant AND cause = asked.cause AND model = asked.model
            AND NOT indexed AND dimension = {INDEXED_DIMENSION}
        ORDER BY feedback_id FOR UPDATE) AS late))
""")  # noqa: S608
# One row for each topic, whose vectors travel once, however many are compared with them.
_SAME_TOPIC = text("""
SELECT asked.number, found.*
FROM unnest(CAST(:numbers AS integer[]), CAST(:causes AS text[]), CAST(:models AS text[]),
    CAST(:dimensions AS integer[]), CAST(:since AS timestamptz[]), CAST(:until AS timestamptz[]))
    AS asked (number, cause, model, dimension, since, until)
CROSS JOIN LATERAL (
    SELECT array_agg(feedback_id) AS feedback_ids, array_agg(item_id) AS item_ids,
        string_agg(timestamptz_send(at), '') AS times, string_agg(halfvec_send(embedding), '') AS vectors
    FROM router.open_feedback
    WHERE tenant_id = :tenant AND cause = asked.cause AND model = asked.model
        AND embedding IS NOT NULL AND dimension = asked.dimension
        AND at BETWEEN asked.since AND asked.until) AS found
WHERE found.feedback_ids IS NOT NULL
""")
_EACH = text(f"""
SELECT asked.number, found.feedback_id, found.item_id, found.at, found.similarity
FROM {ASKED}
CROSS JOIN LATERAL (
    SELECT feedback_id, item_id, at, -(embedding <#> asked.vector) AS similarity
    FROM (SELECT feedback_id, item_id, at, embedding FROM router.open_feedback
          WHERE tenant_id = :tenant AND cause = asked.cause AND model = asked.model
              AND embedding IS NOT NULL AND dimension = vector_dims(asked.vector)
              AND at BETWEEN asked.since AND asked.until OFFSET 0) AS same
    ORDER BY similarity DESC, feedback_id LIMIT :most) AS found
""")  # noqa: S608
_SAID = text("""
SELECT asked.id, found.words
FROM unnest(CAST(:ids AS text[])) AS asked (id)
CROSS JOIN LATERAL (
    SELECT words FROM router.item_feedback
    WHERE tenant_id = :tenant AND feedback_id = asked.id LIMIT 1) AS found
WHERE found.words IS NOT NULL
""")
_BY_INDEX = text(f"""
SELECT asked.number, found.feedback_id, found.item_id, found.at, found.similarity
FROM {ASKED}
CROSS JOIN LATERAL (
    SELECT feedback_id, item_id, at,
        -(embedding::halfvec({INDEXED_DIMENSION}) <#> asked.vector::halfvec({INDEXED_DIMENSION}))
            AS similarity
    FROM router.open_feedback
    WHERE tenant_id = :tenant AND cause = asked.cause AND model = asked.model
        AND indexed AND at BETWEEN asked.since AND asked.until
    ORDER BY embedding::halfvec({INDEXED_DIMENSION}) <#> asked.vector::halfvec({INDEXED_DIMENSION})
    LIMIT :most) AS found
""")  # noqa: S608
# Without sorting the index is the only way to an order, whatever the planner believes of a young table.
_BY_INDEX_FROM_NOW = text("""
SELECT set_config('hnsw.iterative_scan', 'strict_order', true), set_config('hnsw.ef_search', :width, true),
    set_config('hnsw.max_scan_tuples', :reach, true), set_config('enable_sort', 'off', true)
""")
_SORT_AGAIN = text("SELECT set_config('enable_sort', 'on', true)")


@dataclass(frozen=True, slots=True)
class Search:
    """How far the index is searched: candidates kept at once, and rows looked at before it gives up."""

    width: int = 100
    reach: int = 20_000


class PostgresNearest:
    def __init__(self, search: Search = Search(), exact_up_to: int = EXACT_UP_TO) -> None:
        self._search = search
        self._exact_up_to = exact_up_to

    async def around(
        self, connection: AsyncConnection, tenant_id: str, newcomers: Sequence[Newcomer], by: Similarity
    ) -> tuple[dict[str, list[Near]], frozenset[Topic]]:
        """Per newcomer with a vector the nearest open feedback of its topic, nearest first; the topics for
        which an index was asked."""
        asking = [n for n in newcomers if n.vector is not None]
        if not asking:
            return {}, frozenset()
        await send_vectors(connection)
        large = await self._large(connection, tenant_id, asking)
        few = [n for n in asking if not _indexed(n, large)]
        found: list[Compared] = []
        if few:
            found += await _compared(connection, tenant_id, few, by)
        rest = [n for n in asking if _indexed(n, large)]
        if rest:
            found += await self._by_index(connection, tenant_id, rest, by, large)
        return await _told_apart(connection, tenant_id, found, by), large

    async def _by_index(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        asking: Sequence[Newcomer],
        by: Similarity,
        large: Collection[Topic],
    ) -> list[Compared]:
        # What came before its topic was large, or was put there by people, is not in the index yet.
        topics = {"causes": [t.cause for t in large], "models": [t.model for t in large]}
        await connection.execute(_INDEX, {"tenant": tenant_id, **topics})
        settings = {"width": str(self._search.width), "reach": str(self._search.reach)}
        await connection.execute(_BY_INDEX_FROM_NOW, settings)
        values = {"tenant": tenant_id, "most": by.neighbours, **asked_by(asking, by.window)}
        rows = (await connection.execute(_BY_INDEX, values)).all()
        await connection.execute(_SORT_AGAIN)
        return [
            Compared(
                asking[row.number], row.feedback_id, row.item_id, row.at, round(float(row.similarity), 4)
            )
            for row in rows
        ]

    async def _large(
        self, connection: AsyncConnection, tenant_id: str, asking: Sequence[Newcomer]
    ) -> frozenset[Topic]:
        """The topics with more open feedback than is compared one by one."""
        topics = sorted({Topic(n.matter.cause or "", n.model or "") for n in asking})
        values = {"causes": [t.cause for t in topics], "models": [t.model for t in topics]}
        most = self._exact_up_to + 1
        rows = await connection.execute(_SIZES, {"tenant": tenant_id, "most": most, **values})
        return frozenset(Topic(row.cause, row.model) for row in rows if row.number >= most)


async def _compared(
    connection: AsyncConnection, tenant_id: str, asking: Sequence[Newcomer], by: Similarity
) -> list[Compared]:
    alike: dict[tuple[Topic, int], list[Newcomer]] = defaultdict(list)
    for newcomer in asking:
        if newcomer.vector is not None:
            alike[newcomer.topic, len(newcomer.vector)].append(newcomer)
    few = [one for group in alike.values() if len(group) < TOGETHER for one in group]
    found: list[Compared] = []
    if few:
        asked = {"tenant": tenant_id, "most": by.neighbours, **asked_by(few, by.window)}
        found += _read(few, (await connection.execute(_EACH, asked)).all())
    many = {key: group for key, group in alike.items() if len(group) >= TOGETHER}
    if many:
        groups = list(many.values())
        values = {
            "tenant": tenant_id,
            "numbers": list(range(len(groups))),
            "causes": [topic.cause for topic, _ in many],
            "models": [topic.model for topic, _ in many],
            "dimensions": [dimension for _, dimension in many],
            "since": [min(n.at for n in group) - by.window for group in groups],
            "until": [max(n.at for n in group) + by.window for group in groups],
        }
        for number, *columns in await connection.execute(_SAME_TOPIC, values):
            found += OneTopic.sent(*columns).nearest(groups[number], by.window, by.neighbours)
    return found


def _read(asking: Sequence[Newcomer], rows: Sequence[Any]) -> list[Compared]:
    return [
        Compared(asking[number], feedback_id, item_id, at, round(float(similarity), 4))
        for number, feedback_id, item_id, at, similarity in rows
    ]


async def _told_apart(
    connection: AsyncConnection, tenant_id: str, found: Sequence[Compared], by: Similarity
) -> dict[str, list[Near]]:
    """What others said is read only where it is near enough to matter."""
    asked = sorted({one.feedback_id for one in found if one.similarity >= by.threshold})
    rows = await connection.execute(_SAID, {"tenant": tenant_id, "ids": asked}) if asked else ()
    said: dict[str, str] = {row.id: row.words for row in rows}
    near: dict[str, list[Near]] = defaultdict(list)
    for newcomer, feedback_id, item_id, at, similarity in found:
        close = feedback_id in said and similarity >= by.threshold
        apart = close and unlike(newcomer.words, said[feedback_id])
        near[newcomer.feedback_id].append(Near(feedback_id, item_id, similarity, at, apart))
    return near


def _indexed(newcomer: Newcomer, large: Collection[Topic]) -> bool:
    known = newcomer.vector is not None and len(newcomer.vector) == INDEXED_DIMENSION
    return known and newcomer.topic in large


def asked_by(asking: Sequence[Newcomer], window: timedelta) -> dict[str, list[Any]]:
    """The arrays of `ASKED`."""
    return {
        "numbers": list(range(len(asking))),
        "causes": [n.matter.cause for n in asking],
        "models": [n.model for n in asking],
        "since": [n.at - window for n in asking],
        "until": [n.at + window for n in asking],
        "vectors": [packed(n.vector) for n in asking if n.vector is not None],
    }
