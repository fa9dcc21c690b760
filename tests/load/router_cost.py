# ruff: noqa: T201
"""What one feedback costs the router, in microseconds of processor time: its own process and PostgreSQL.

    python -m tests.load.router_cost [--events 3000] [--batch 100] [--profile] [--statements]

The stages of the router's process, one after the other, on an embedded database: routing, the outbox's relay
(nothing is sent anywhere), timers, customers' standing. Every fifth feedback is of a customer with an open
item about the same matter, so that it joins; vectors are unit vectors around some hundred directions, none so
near to another that words join them. `statements` tells what each statement took on the wall. `unit_us` is
what a fixed piece of work took this process at the same time: processor time stretches where processes share
a core, so compare runs by their `units`.
"""

import argparse
import asyncio
import base64
import cProfile
import json
import pstats
import shutil
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
from sqlalchemy import event

from heardback_shared.contracts.events import Embedding
from heardback_shared.db.database import Database
from heardback_shared.db.migrate import migrate
from heardback_shared.db.outbox import OutboxRelay
from heardback_shared.metrics import Metrics
from heardback_shared.settings import DatabaseSettings
from heardback_shared.stream.ports import Incoming, Outgoing
from tests.load.processor import seconds_of
from tests.support.clock import NOON
from tests.support.postgres import PostgresServer
from tests.support.router_http import RouterApp
from tests.support.scored import incoming, score, scored

CAUSES = (
    "operations/billing",
    "operations/fulfilment",
    "product/defect",
    "account/pricing",
    "product/usability",
    "operations/support",
)
DIMENSION = 384
DIRECTIONS = 300
WARM_UP = 200
JOINING = 5
UNITS = 25


def unit() -> float:
    """Seconds of processor time for a fixed piece of work, which is a millisecond or two."""
    began = process_time()
    found: dict[str, int] = {}
    for number in range(10_000):
        key = f"{number % 1_000}"
        found[key] = found.get(key, 0) + number
    return process_time() - began


class Nowhere:
    """A sink that takes everything."""

    async def send(self, outgoing: Sequence[Outgoing]) -> None:
        return


class Events:
    def __init__(self) -> None:
        self._chance = np.random.default_rng(1)
        self._directions = self._chance.normal(size=(DIRECTIONS, DIMENSION))

    def one(self, number: int) -> Incoming:
        vector = self._directions[self._chance.integers(DIRECTIONS)] + self._chance.normal(size=DIMENSION)
        vector /= np.linalg.norm(vector)
        # Every so often the customer and the cause of the one before.
        who = number - 1 if number % JOINING == 0 else number
        feedback = scored(
            number,
            customer=f"c-{who}",
            accepted_at=NOON,
            comment=f"Text number {number} says in some words what went wrong with the thing",
            reading=score(float(20 + number % 70), CAUSES[who % len(CAUSES)]),
        )
        values = base64.b64encode(vector.astype("<f2").tobytes()).decode()
        return incoming(feedback.model_copy(update={"embedding": Embedding(model="r@1", values=values)}))


class Statements:
    """How often each statement ran, and how long all that took together."""

    def __init__(self, database: Database) -> None:
        self._taken: dict[str, list[float]] = defaultdict(lambda: [0, 0.0])
        engine = database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", self._before)
        event.listen(engine, "after_cursor_execute", self._after)

    def _before(self, _c: Any, _k: Any, _s: str, _p: Any, context: Any, _m: bool) -> None:
        context.began = perf_counter()

    def _after(self, _c: Any, _k: Any, statement: str, _p: Any, context: Any, _m: bool) -> None:
        taken = self._taken[" ".join(statement.split())[:100]]
        taken[0] += 1
        taken[1] += perf_counter() - context.began

    def tell(self, events: int) -> None:
        ordered = sorted(self._taken.items(), key=lambda one: -one[1][1])
        for statement, (times, seconds) in ordered[:25]:
            print(f"{seconds / events * 1e6:7.0f} µs {int(times):5d} ×  {statement}")
        self._taken.clear()


async def measured(
    what: str, events: int, postmaster: int, work: Callable[[], Awaitable[Any]], profile: bool
) -> dict[str, float]:
    profiler = cProfile.Profile()
    units = [unit() for _ in range(UNITS)]
    postgres, own = seconds_of(postmaster), process_time()
    if profile:
        profiler.enable()
    await work()
    profiler.disable()
    router, database = process_time() - own, seconds_of(postmaster) - postgres
    if profile:
        print(f"--- {what}")
        pstats.Stats(profiler).sort_stats("tottime").print_stats(28)
    fixed = statistics.median(units + [unit() for _ in range(UNITS)])
    return {
        "router_us": round(router / events * 1e6),
        "postgres_us": round(database / events * 1e6),
        "unit_us": round(fixed * 1e6),
        "units": round((router + database) / events / fixed, 3),
    }


async def measure(server: PostgresServer, postmaster: int, chosen: argparse.Namespace) -> dict[str, Any]:
    settings = DatabaseSettings(url=server.url("cost"))
    await migrate(settings)
    database, made = Database(settings), Events()
    statements = Statements(database) if chosen.statements else None
    app = RouterApp(database)
    relay = OutboxRelay(database, app.core.outbox, Nowhere(), Metrics())
    figures: dict[str, Any] = {}

    async def relayed() -> None:
        stop = asyncio.Event()
        relaying = asyncio.create_task(relay.run(stop))
        await asyncio.sleep(0.05)  # it sends all there is before it looks whether to stop
        stop.set()
        await relaying

    async def route(batches: Sequence[Sequence[Incoming]]) -> None:
        for batch in batches:
            await app.core.route(batch)

    async def timers() -> None:
        while await app.core.timekeeper.look():
            pass

    async def standings() -> None:
        while await app.core.standings.announce():
            pass

    count, size = chosen.events, chosen.batch
    await route([[made.one(n) for n in range(WARM_UP)]])
    await timers()
    await standings()
    await relayed()
    numbers = range(WARM_UP, WARM_UP + count)
    batches = [[made.one(n) for n in numbers[at : at + size]] for at in range(0, count, size)]
    for what, work in (
        ("routing", lambda: route(batches)),
        ("timers", timers),
        ("standing", standings),
        ("relay", relayed),
    ):
        figures[what] = await measured(what, count, postmaster, work, chosen.profile)
        if statements:
            print(f"--- {what}")
            statements.tell(count)
    figures["together_units"] = round(sum(one["units"] for one in figures.values()), 3)
    await app.client.aclose()
    await database.close()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=3_000)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--profile", action="store_true", help="where the process's time goes")
    parser.add_argument("--statements", action="store_true", help="how long each statement took")
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="hb-cost-"))
    folder.chmod(0o755)
    server = PostgresServer(folder / "data")
    try:
        asyncio.run(server.run("CREATE DATABASE cost"))
        postmaster = int((folder / "data" / "postmaster.pid").read_text("utf-8").split()[0])
        print(json.dumps(asyncio.run(measure(server, postmaster, chosen)), indent=2))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
