"""How long the context panel takes for a customer with 200 feedbacks, in a tenant with many others.

    python -m tests.load.context_speed [--others 20000] [--reads 300]

A real PostgreSQL with durability off, the HTTP app without a socket.
"""

import argparse
import asyncio
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from heardback_shared.db.database import Database
from heardback_shared.db.migrate import migrate
from heardback_shared.settings import DatabaseSettings
from tests.support.postgres import PostgresServer
from tests.support.router_http import RouterApp, router_app
from tests.support.scored import incoming, score, scored

CAUSES = [f"operations/kind-{number}" for number in range(40)]
TEXT = "The invoice is wrong again and nobody answers me, and this has been going on for weeks now. " * 10


async def fill(app: RouterApp, others: int, of_one: int) -> str:
    """Feedback of many customers, and `of_one` of c-much; one of the latter's items."""
    numbers = [*(("c-much", n) for n in range(of_one)), *((f"c-{n % 5000}", n) for n in range(others))]
    events = [
        incoming(
            scored(
                number if customer == "c-much" else of_one + number,
                customer=customer,
                tier="key",
                comment=TEXT,
                reading=score(cause=CAUSES[number % len(CAUSES)]),
            )
        )
        for customer, number in numbers
    ]
    for start in range(0, len(events), 500):
        await app.router.receive(*events[start : start + 500])
    caller = await app.caller()
    found = (await caller.get("/v1/items", customer="c-much", limit=1)).json()["items"]
    return str(found[0]["id"])


async def measure(url: str, others: int, reads: int) -> None:
    settings = DatabaseSettings(url=url, pool_size=5)
    await migrate(settings)
    database = Database(settings)
    async with router_app(database) as app:
        started = time.perf_counter()
        item_id = await fill(app, others, 200)
        print(f"{others + 200} feedbacks routed in {time.perf_counter() - started:.1f} s")  # noqa: T201
        caller = await app.caller("default", "items:read", "customers:read", name="reader")
        body = (await caller.get(f"/v1/items/{item_id}/context")).json()
        assert body["feedback_count"] == 200, body["feedback_count"]
        times = []
        for _ in range(reads):
            begun = time.perf_counter()
            answer = await caller.get(f"/v1/items/{item_id}/context")
            times.append(time.perf_counter() - begun)
            assert answer.status_code == 200, answer.text
        cuts = statistics.quantiles(times, n=20)
        print(f"context of a customer with 200 feedbacks and {len(body['items'])} items shown:")  # noqa: T201
        print(f"p50 {1000 * statistics.median(times):.1f} ms, p95 {1000 * cuts[-1]:.1f} ms, n {reads}")  # noqa: T201
        begun = time.perf_counter()
        marks = 0
        while taken := await app.core.standings.announce():
            marks += taken
        spent = time.perf_counter() - begun
        print(f"{marks} changes of standing counted and announced in {spent:.1f} s")  # noqa: T201
    await database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--others", type=int, default=20_000)
    parser.add_argument("--reads", type=int, default=300)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="hb-context-"))
    folder.chmod(0o755)
    server = PostgresServer(folder / "data")
    try:
        asyncio.run(_on_a_new_database(server, given.others, given.reads))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _on_a_new_database(server: PostgresServer, others: int, reads: int) -> None:
    await server.run("CREATE DATABASE context")
    await measure(server.url("context"), others, reads)


if __name__ == "__main__":
    main()
