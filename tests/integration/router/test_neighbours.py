"""Finding the nearest open feedback in Postgres: by index or one by one, never across tenants or models."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import event, text
from tests.support.clock import NOON

from heardback_router.configuration.source import load_policies
from heardback_router.grouping.deciding import Near
from heardback_router.grouping.domain import Matter
from heardback_router.grouping.held import OpenFeedback
from heardback_router.grouping.nearest import TOGETHER, PostgresNearest
from heardback_router.grouping.neighbourhood import Neighbourhood, Newcomer, Vector
from heardback_router.grouping.neighbours import PostgresNeighbours
from heardback_router.grouping.open_feedback import hold
from heardback_shared.db.database import Database
from heardback_shared.db.planning import look_up_by_key

POLICY = load_policies().grouping
CHANCE = np.random.default_rng(7)
INDEXED, EXACT = (PostgresNeighbours(PostgresNearest(exact_up_to=most)) for most in (10, 100_000))

_INDEXED = text("SELECT count(*) FROM router.open_feedback WHERE indexed")


def vectors(number: int, dimension: int = 384) -> list[Vector]:
    """Around ten centres, as those of real problems lie."""
    centres = CHANCE.standard_normal((10, dimension))
    rows = centres[CHANCE.integers(0, 10, number)] + 0.4 * CHANCE.standard_normal((number, dimension))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return list(unit.astype(np.float16).astype(np.float32))


def newcomer(
    number: int, vector: Vector, *, cause: str = "product/defect", model: str = "reader@1", days: int = 0
) -> Newcomer:
    matter = Matter(f"c-{number}", cause, None, confidence=0.9)
    at = NOON + timedelta(days=days, seconds=number)
    return Newcomer(f"fb_{number}", at, matter, {"r": f"print-{number % 7}"}, None, model, vector)


async def store(database: Database, tenant: str, *newcomers: Newcomer) -> None:
    async with database.tenant(tenant) as connection:
        held = [OpenFeedback.of_newcomer(n, f"it_{n.feedback_id}", ()) for n in newcomers]
        await hold(connection, tenant, held)


async def around(
    database: Database, asked: list[Newcomer], by: PostgresNeighbours, tenant: str = "default"
) -> Neighbourhood:
    async with database.tenant(tenant) as connection:
        await look_up_by_key(connection)
        return await by.around(connection, tenant, asked, POLICY)


async def test_the_index_finds_what_comparing_one_by_one_finds(database: Database) -> None:
    rows = vectors(420)
    await store(database, "default", *[newcomer(n, row) for n, row in enumerate(rows[:400])])
    asked = [newcomer(1_000 + n, row) for n, row in enumerate(rows[400:])]
    by_index, exact = await around(database, asked, INDEXED), await around(database, asked, EXACT)
    assert by_index.near.keys() == exact.near.keys() == {n.feedback_id for n in asked}
    common = sum(len(set(by_index.near[f]) & set(near)) for f, near in exact.near.items())
    assert common >= 0.95 * sum(map(len, exact.near.values()))


async def test_memory_and_database_find_the_same(database: Database) -> None:
    rows = vectors(120)
    stored = [newcomer(n, row) for n, row in enumerate(rows[:100])]
    await store(database, "default", *stored)
    found = await around(database, [newcomer(500, rows[110])], EXACT)
    similarities = sorted(((float(row @ rows[110]), n) for n, row in enumerate(rows[:100])), reverse=True)
    assert POLICY.similarity is not None
    most = POLICY.similarity.neighbours
    assert [near.feedback_id for near in found.near["fb_500"]] == [f"fb_{n}" for _, n in similarities[:most]]
    for near, (similarity, _) in zip(found.near["fb_500"], similarities, strict=False):
        assert near.similarity == pytest.approx(similarity, abs=0.001)


async def test_few_and_many_newcomers_of_a_topic_find_the_same(database: Database) -> None:
    rows = vectors(150)
    await store(database, "default", *[newcomer(n, row) for n, row in enumerate(rows[:100])])
    asked = [newcomer(500 + n, row) for n, row in enumerate(rows[100 : 100 + 3 * TOGETHER])]
    together = await around(database, asked, EXACT)
    for one in asked:
        alone = await around(database, [one], EXACT)
        mine = [(near.feedback_id, near.item_id, near.at) for near in alone.near[one.feedback_id]]
        assert mine == [(n.feedback_id, n.item_id, n.at) for n in together.near[one.feedback_id]]
        for near, other in zip(alone.near[one.feedback_id], together.near[one.feedback_id], strict=True):
            assert near.similarity == pytest.approx(other.similarity, abs=0.0002)


async def indexed(database: Database) -> int:
    async with database.tenant("default") as connection:
        return int(await connection.scalar(_INDEXED) or 0)


async def test_only_a_large_topic_is_in_the_index_and_then_all_of_it(database: Database) -> None:
    rows = vectors(60)
    few = [newcomer(n, row) for n, row in enumerate(rows[:10])]
    await store(database, "default", *few)
    found = await around(database, [newcomer(900, rows[3])], INDEXED)
    assert (found.near["fb_900"][0].feedback_id, found.large, await indexed(database)) == (
        "fb_3",
        frozenset(),
        0,
    )
    await store(database, "default", newcomer(10, rows[10]))
    found = await around(database, [newcomer(901, rows[3]), newcomer(902, rows[10])], INDEXED)
    assert found.large == {few[0].topic}
    assert await indexed(database) == 11
    assert [found.near[asked][0].feedback_id for asked in ("fb_901", "fb_902")] == ["fb_3", "fb_10"]
    late = [newcomer(n, row) for n, row in enumerate(rows[20:30], 20)]
    async with database.tenant("default") as connection:
        held = [OpenFeedback.of_newcomer(n, "it", ()) for n in late]
        await hold(connection, "default", held, large=found.large)
    assert await indexed(database) == 21
    again = await around(database, [newcomer(903, rows[25])], INDEXED)
    assert again.near["fb_903"][0].feedback_id == "fb_25"


@pytest.mark.parametrize("by", [INDEXED, EXACT], ids=["by index", "one by one"])
async def test_only_the_same_tenant_cause_model_and_time_is_compared(
    database: Database, by: PostgresNeighbours
) -> None:
    rows = vectors(61)
    mine = [newcomer(n, row) for n, row in enumerate(rows[:20])]
    others = [newcomer(100 + n, row, cause="operations/billing") for n, row in enumerate(rows[:20])]
    read_by_others = [newcomer(200 + n, row, model="other@1") for n, row in enumerate(rows[:20])]
    long_ago = [newcomer(300 + n, row, days=-40) for n, row in enumerate(rows[:20])]
    await store(database, "default", *mine, *others, *read_by_others, *long_ago)
    await store(database, "acme", *[newcomer(400 + n, row) for n, row in enumerate(rows[:20])])
    found = await around(database, [newcomer(999, rows[0])], by)
    near: list[Near] = found.near["fb_999"]
    assert near[0].feedback_id == "fb_0"
    assert {one.feedback_id for one in near} <= {one.feedback_id for one in mine}


async def test_vectors_of_another_length_are_compared_among_themselves(database: Database) -> None:
    short, long = vectors(30, 64), vectors(30)
    await store(database, "default", *[newcomer(n, row) for n, row in enumerate(short)])
    await store(database, "default", *[newcomer(100 + n, row) for n, row in enumerate(long)])
    found = await around(database, [newcomer(900, short[3]), newcomer(901, long[3])], INDEXED)
    assert found.near["fb_900"][0].feedback_id == "fb_3"
    assert found.near["fb_901"][0].feedback_id == "fb_103"


async def test_a_batch_costs_a_constant_number_of_statements(database: Database) -> None:
    rows = vectors(300)
    await store(database, "default", *[newcomer(n, row) for n, row in enumerate(rows[:200])])
    counted: list[int] = []

    def count(*_: object) -> None:
        counted[-1] += 1

    await around(database, [newcomer(900, rows[0])], INDEXED)  # a connection's first vectors cost one more
    event.listen(database.engine.sync_engine, "before_cursor_execute", count)
    for size in (1, 10, 100):
        counted.append(0)
        asked = [newcomer(1_000 + n, row) for n, row in enumerate(rows[200 : 200 + size])]
        mixed = [replace(n, vector=None) if i % 3 == 2 else n for i, n in enumerate(asked)]
        await around(database, mixed, INDEXED)
    event.remove(database.engine.sync_engine, "before_cursor_execute", count)
    # One more where somebody is near enough to be read; never one for each newcomer.
    assert max(counted) <= min(counted) + 1 <= 10
