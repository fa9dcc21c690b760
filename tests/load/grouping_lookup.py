"""How long it takes to find what a feedback may be grouped with, and how much of the truth is found.

    python -m tests.load.grouping_lookup [--open 200000] [--asked 300]

A tenant has that many open feedbacks of 20 root causes beside a smaller one; vectors lie in clusters, as
those of real problems do. Lookups are the ones routing makes: row-level security on, all filters, one at a
time and in batches. Recall is the share of the exact nearest that the index found.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from sqlalchemy import text

from heardback_router.configuration.source import load_policies
from heardback_router.grouping.domain import Matter
from heardback_router.grouping.held import OpenFeedback
from heardback_router.grouping.neighbourhood import Newcomer, Vector
from heardback_router.grouping.neighbours import PostgresNeighbours
from heardback_router.grouping.open_feedback import hold
from heardback_shared.db.database import Database
from heardback_shared.db.migrate import migrate
from heardback_shared.db.planning import look_up_by_key
from heardback_shared.settings import DatabaseSettings
from tests.support.clock import NOON
from tests.support.postgres import PostgresServer

TENANT, SMALL = "large", "small"
CAUSES, DIMENSION, MODEL = 20, 384, "reader@1"
PER_PROBLEM = 20
AT_ONCE = 2_000
INSERTED = 500


class Problems:
    """Vectors around the centres of problems, and problems around the centres of root causes."""

    def __init__(self, number: int, seed: int) -> None:
        self._chance = np.random.default_rng(seed)
        causes = self._chance.standard_normal((CAUSES, DIMENSION)).astype(np.float32)
        self.cause = self._chance.integers(0, CAUSES, number)
        noise = self._chance.standard_normal((number, DIMENSION)).astype(np.float32)
        self.centres = _unit(_unit(causes)[self.cause] + 0.9 * _unit(noise))

    def one(self) -> tuple[str, Vector]:
        problem = int(self._chance.integers(0, len(self.centres)))
        noise = _unit(self._chance.standard_normal((1, DIMENSION)).astype(np.float32))
        # Half precision is what travels.
        vector = _unit(self.centres[problem][None] + 0.5 * noise)[0].astype(np.float16).astype(np.float32)
        return f"operations/cause{self.cause[problem]}", vector


def _unit(rows: Vector) -> Vector:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def newcomer(number: int, problems: Problems) -> Newcomer:
    cause, vector = problems.one()
    at = NOON + timedelta(seconds=number % 1_000_000)
    matter = Matter(f"c-{number}", cause, None, confidence=0.9, channel="email")
    prints = {"repeat-contact": f"print-{number:032d}"}
    return Newcomer(f"fb_{number}", at, matter, prints, f"case-{number:032d}", MODEL, vector)


def held(number: int, problems: Problems) -> OpenFeedback:
    return OpenFeedback.of_newcomer(newcomer(number, problems), f"it_{number // PER_PROBLEM}", ())


async def fill(database: Database, tenant: str, number: int, problems: Problems) -> None:
    for start in range(0, number, AT_ONCE):
        rows = [held(n, problems) for n in range(start, min(start + AT_ONCE, number))]
        async with database.tenant(tenant) as connection:
            await hold(connection, tenant, rows)


async def build(database: Database, number: int, problems: Problems) -> float:
    """Fills the table without its index and makes that afterwards; seconds to make it."""
    async with database.engine.begin() as connection:
        made = await connection.scalar(
            text("SELECT indexdef FROM pg_indexes WHERE indexname = 'open_feedback_by_words'")
        )
        await connection.execute(text("DROP INDEX router.open_feedback_by_words"))
    await fill(database, TENANT, number, problems)
    await fill(database, SMALL, 1_000, problems)
    started = perf_counter()
    async with database.engine.begin() as connection:
        await connection.execute(text("SET LOCAL maintenance_work_mem = '1GB'"))
        await connection.execute(text(str(made)))
    return perf_counter() - started


async def lookups(
    database: Database, tenant: str, asked: Sequence[Newcomer], at_once: int, neighbours: PostgresNeighbours
) -> tuple[list[float], dict[str, list[str]]]:
    """(milliseconds per call, feedback ids found per newcomer)."""
    policy = load_policies().grouping
    milliseconds, found = [], {}
    async with database.tenant(tenant) as connection:
        await look_up_by_key(connection)
        for part in _parts(asked, at_once):
            started = perf_counter()
            around = await neighbours.around(connection, tenant, part, policy)
            milliseconds.append((perf_counter() - started) * 1000)
            found |= {f: [near.feedback_id for near in many] for f, many in around.near.items()}
    return milliseconds, found


def _parts(asked: Sequence[Newcomer], at_once: int) -> Iterator[Sequence[Newcomer]]:
    for start in range(0, len(asked), at_once):
        yield asked[start : start + at_once]


async def insertion(database: Database, problems: Problems) -> float:
    """Milliseconds per feedback that enters, in batches as routing makes them."""
    rows = [held(10_000_000 + n, problems) for n in range(INSERTED)]
    started = perf_counter()
    async with database.tenant(TENANT) as connection:
        await hold(connection, TENANT, rows)
    return (perf_counter() - started) * 1000 / INSERTED


async def measure(settings: DatabaseSettings, number: int, asked: int) -> dict[str, Any]:
    await migrate(settings)
    database = Database(settings)
    problems = Problems(max(1, number // PER_PROBLEM), seed=5)
    figures: dict[str, Any] = {"open": number, "index_seconds": await build(database, number, problems)}
    fresh = [newcomer(20_000_000 + n, problems) for n in range(asked)]
    indexed = PostgresNeighbours()
    exact = PostgresNeighbours(exact_up_to=10 * number)
    await lookups(database, TENANT, fresh[:20], 1, indexed)
    one, by_index = await lookups(database, TENANT, fresh, 1, indexed)
    figures["one_by_one_ms"] = _spread(one)
    many, _ = await lookups(database, TENANT, fresh, 100, indexed)
    figures["in_batches_of_100_ms_each"] = _spread([ms / 100 for ms in many])
    truth_ms, truth = await lookups(database, TENANT, fresh[:100], 1, exact)
    figures["compared_one_by_one_ms"] = _spread(truth_ms)
    shares = [len(set(by_index[f]) & set(truth[f])) / max(1, len(truth[f])) for f in truth]
    figures["recall"] = statistics.mean(shares)
    figures["nearest_found"] = statistics.mean(truth[f][0] in by_index[f] for f in truth if truth[f])
    small, _ = await lookups(database, SMALL, fresh, 1, indexed)
    figures["small_tenant_ms"] = _spread(small)
    figures["insert_ms"] = await insertion(database, problems)
    await database.close()
    return figures


def _spread(milliseconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(milliseconds)
    return {
        "median": round(statistics.median(ordered), 2),
        "p95": round(ordered[int(len(ordered) * 0.95)], 2),
        "worst": round(ordered[-1], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--open", type=int, default=200_000, help="open feedbacks of the large tenant")
    parser.add_argument("--asked", type=int, default=300, help="lookups that are timed")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hb-pg-") as folder:
        Path(folder).chmod(0o755)
        server = PostgresServer(Path(folder) / "data")
        try:
            asyncio.run(server.run("CREATE DATABASE grouping"))
            settings = DatabaseSettings(url=server.url("grouping"), pool_size=2)
            figures = asyncio.run(measure(settings, chosen.open, chosen.asked))
        finally:
            server.stop()
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
