"""How long it takes to find what a feedback may be grouped with, and how much of the truth is found.

    python -m tests.load.grouping_lookup --data DIR [--open 200000] [--asked 300]

A large tenant has that many open feedbacks, a small one 1 000: texts of labelled sets as the shipped model
reads them, root causes and all, each varied a little until there are enough. Lookups are the ones routing
makes: row-level security on, all filters, one at a time and in batches. `processor_ms` is what the database's
process worked per lookup, which other work on the machine changes little. Recall is against comparing one by
one, of all nearest and of those that are near enough to join by.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from sqlalchemy import text

from heardback_router.configuration.source import load_policies
from heardback_router.grouping.deciding import Near
from heardback_router.grouping.domain import Matter
from heardback_router.grouping.held import OpenFeedback
from heardback_router.grouping.nearest import PostgresNearest
from heardback_router.grouping.neighbourhood import Newcomer, Vector
from heardback_router.grouping.neighbours import PostgresNeighbours
from heardback_router.grouping.open_feedback import hold
from heardback_shared.db.database import Database
from heardback_shared.db.migrate import migrate
from heardback_shared.db.planning import look_up_by_key
from heardback_shared.settings import DatabaseSettings
from tests.load.problem_streams import PROBLEMS, Said, read
from tests.load.texts import DATA
from tests.support.clock import NOON
from tests.support.postgres import PostgresServer

TENANT, SMALL = "large", "small"
MODEL = "reader@1"
PER_ITEM = 20
AT_ONCE = 2_000
INSERTED = 500
VARIED = 0.3
"""How far a varied vector lies from its text's, which makes their similarity about 0.96."""
_INDEX = text("SELECT indexdef FROM pg_indexes WHERE indexname = 'open_feedback_by_words'")


class Texts:
    """What real texts were read as, varied."""

    def __init__(self, said: Sequence[Said], seed: int) -> None:
        self._chance = np.random.default_rng(seed)
        clear = [one for one in said if one.cause is not None]
        self._causes = [str(one.cause) for one in clear]
        self._vectors = np.stack([one.vector for one in clear]).astype(np.float32)

    def one(self) -> tuple[str, Vector]:
        """(root cause, vector in the half precision that travels)."""
        text_number = int(self._chance.integers(0, len(self._causes)))
        noise = _unit(self._chance.standard_normal((1, self._vectors.shape[1])).astype(np.float32))
        vector = _unit(self._vectors[text_number][None] + VARIED * noise)[0]
        return self._causes[text_number], vector.astype(np.float16).astype(np.float32)


def _unit(rows: Vector) -> Vector:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def newcomer(number: int, texts: Texts) -> Newcomer:
    cause, vector = texts.one()
    at = NOON + timedelta(seconds=number % 1_000_000)
    matter = Matter(f"c-{number}", cause, None, confidence=0.9, channel="email")
    prints = {"repeat-contact": f"print-{number:032d}"}
    return Newcomer(f"fb_{number}", at, matter, prints, f"case-{number:032d}", MODEL, vector)


def held(number: int, texts: Texts) -> OpenFeedback:
    return OpenFeedback.of_newcomer(newcomer(number, texts), f"it_{number // PER_ITEM}", ())


async def fill(database: Database, tenant: str, number: int, texts: Texts) -> None:
    for start in range(0, number, AT_ONCE):
        rows = [held(n, texts) for n in range(start, min(start + AT_ONCE, number))]
        large = {row.topic for row in rows} if tenant == TENANT else set()
        async with database.tenant(tenant) as connection:
            await hold(connection, tenant, rows, large=large)


async def build(database: Database, number: int, texts: Texts) -> float:
    """Fills the table without its index and makes that afterwards; seconds to make it."""
    async with database.engine.begin() as connection:
        made = await connection.scalar(_INDEX)
        await connection.execute(text("DROP INDEX router.open_feedback_by_words"))
    await fill(database, TENANT, number, texts)
    await fill(database, SMALL, 1_000, texts)
    started = perf_counter()
    async with database.engine.begin() as connection:
        await connection.execute(text("SET LOCAL maintenance_work_mem = '1GB'"))
        await connection.execute(text(str(made)))
    return perf_counter() - started


async def lookups(
    database: Database, tenant: str, asked: Sequence[Newcomer], at_once: int, neighbours: PostgresNeighbours
) -> tuple[dict[str, float], dict[str, list[Near]]]:
    """(milliseconds per newcomer, the nearest found for each)."""
    policy = load_policies().grouping
    milliseconds: list[float] = []
    found: dict[str, list[Near]] = {}
    async with database.tenant(tenant) as connection:
        await look_up_by_key(connection)
        process = int(await connection.scalar(text("SELECT pg_backend_pid()")) or 0)
        before = _processor_ms(process)
        for part in _parts(asked, at_once):
            started = perf_counter()
            around = await neighbours.around(connection, tenant, part, policy)
            milliseconds.append((perf_counter() - started) * 1000 / len(part))
            found |= around.near
        worked = (_processor_ms(process) - before) / len(asked)
    return {**_spread(milliseconds), "processor_ms": round(worked, 2)}, found


def _processor_ms(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def _parts(asked: Sequence[Newcomer], at_once: int) -> Iterator[Sequence[Newcomer]]:
    for start in range(0, len(asked), at_once):
        yield asked[start : start + at_once]


async def insertion(database: Database, texts: Texts, *, indexed: bool) -> dict[str, float]:
    """Milliseconds per feedback that enters, in a batch as routing makes them; `indexed` if its topic is
    large."""
    first = 10_000_000 if indexed else 11_000_000
    rows = [held(first + n, texts) for n in range(INSERTED)]
    large = {row.topic for row in rows} if indexed else set()
    async with database.tenant(TENANT) as connection:
        process = int(await connection.scalar(text("SELECT pg_backend_pid()")) or 0)
        before, started = _processor_ms(process), perf_counter()
        await hold(connection, TENANT, rows, large=large)
        taken = (perf_counter() - started) * 1000
        worked = _processor_ms(process) - before
    return {"ms": round(taken / INSERTED, 2), "processor_ms": round(worked / INSERTED, 2)}


async def measure(
    settings: DatabaseSettings, said: Sequence[Said], number: int, asked: int
) -> dict[str, Any]:
    await migrate(settings)
    database = Database(settings)
    texts = Texts(said, seed=5)
    figures: dict[str, Any] = {"open": number, "index_seconds": await build(database, number, texts)}
    fresh = [newcomer(20_000_000 + n, texts) for n in range(asked)]
    indexed, exact = PostgresNeighbours(), PostgresNeighbours(PostgresNearest(exact_up_to=10 * number))
    await lookups(database, TENANT, fresh[:20], 1, indexed)
    figures["one_by_one"], by_index = await lookups(database, TENANT, fresh, 1, indexed)
    figures["in_batches_of_100"], _ = await lookups(database, TENANT, fresh, 100, indexed)
    figures["compared_one_by_one"], truth = await lookups(database, TENANT, fresh, 1, exact)
    figures |= recall(by_index, truth)
    figures["small_tenant"], _ = await lookups(database, SMALL, fresh, 1, indexed)
    figures["insert_indexed"] = await insertion(database, texts, indexed=True)
    figures["insert"] = await insertion(database, texts, indexed=False)
    figures["load_average"] = os.getloadavg()[0]
    await database.close()
    return figures


def recall(by_index: Mapping[str, Sequence[Near]], truth: Mapping[str, Sequence[Near]]) -> dict[str, float]:
    """How much of what comparing one by one finds the index finds, of all and of what may join."""
    similarity = load_policies().grouping.similarity
    least = similarity.threshold if similarity else 1.0
    figures = {}
    for name, bar in (("recall", -1.0), ("recall_of_what_may_join", least)):
        wanted = found = 0
        for feedback_id, nears in truth.items():
            near_enough = {near.feedback_id for near in nears if near.similarity >= bar}
            wanted += len(near_enough)
            found += len(near_enough & {near.feedback_id for near in by_index.get(feedback_id, ())})
        figures[name] = round(found / wanted, 4) if wanted else 1.0
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
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the labelled sets")
    parser.add_argument("--open", type=int, default=200_000, help="open feedbacks of the large tenant")
    parser.add_argument("--asked", type=int, default=300, help="lookups that are timed")
    chosen = parser.parse_args()
    readings = [read(chosen.data, name, "train") for name in PROBLEMS]
    said = [one for reading in readings for _, *many in reading.labelled for one in many]
    with tempfile.TemporaryDirectory(prefix="hb-pg-") as folder:
        Path(folder).chmod(0o755)
        server = PostgresServer(Path(folder) / "data")
        try:
            asyncio.run(server.run("CREATE DATABASE grouping"))
            settings = DatabaseSettings(url=server.url("grouping"), pool_size=2)
            figures = asyncio.run(measure(settings, said, chosen.open, chosen.asked))
        finally:
            server.stop()
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
