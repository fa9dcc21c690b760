# ruff: noqa: T201
"""Measures how fast messages are decided about and given to channels, and how fast webhooks take them.

    python -m tests.load.outreach_speed [CUSTOMERS]

One process, an embedded database on this machine, a receiver in the same process.
"""

import asyncio
import logging
import shutil
import sys
import tempfile
from collections.abc import Awaitable
from pathlib import Path
from time import perf_counter, process_time

import structlog
from sqlalchemy import text

from heardback_shared.db.database import Database
from heardback_shared.db.migrate import migrate
from heardback_shared.settings import DatabaseSettings
from tests.integration.router_loops.receiver import Receiver
from tests.support.clock import FakeClock
from tests.support.outreach import Station, draft, running, station_on
from tests.support.postgres import PostgresServer

_SENT = text("SELECT count(*) FROM router.message WHERE state = 'sent'")


async def _measure(server: PostgresServer, customers: int) -> None:
    await server.run("CREATE DATABASE speed")
    settings = DatabaseSettings(url=server.url("speed"))
    await migrate(settings)
    database, receiver = Database(settings), Receiver()
    await receiver.start()
    try:
        async with running(station_on(database, FakeClock())) as station:
            await station.endpoint(receiver.url())
            drafts = [draft(n, customer_id=f"c-{n}") for n in range(customers)]
            await _timed("handed in", customers, station.enqueue(*drafts))
            await _timed("decided and handed over", customers, station.messages.sending.send_due())
            await _timed("delivered and settled", customers, _delivered(station, customers))
            states = set((await station.states()).values())
            print(f"states at the end: {states}; received {len(receiver.received)}")
    finally:
        await receiver.stop()
        await database.close()


async def _delivered(station: Station, customers: int) -> None:
    """As the service does it: the dispatcher runs until every message is sent."""
    stop = asyncio.Event()
    running = asyncio.create_task(station.dispatcher.run(stop))
    sent = 0
    while sent < customers:
        await asyncio.sleep(0.1)
        station.clock.forward(seconds=0.1)  # what failed is tried again
        async with station.database.worker() as connection:
            sent = int(await connection.scalar(_SENT) or 0)
    stop.set()
    await running


async def _timed(what: str, count: int, work: Awaitable[object]) -> None:
    """Processor time is this process's: the receiver's share is in it, the database's is not."""
    started, worked = perf_counter(), process_time()
    await work
    seconds, processor = perf_counter() - started, process_time() - worked
    print(
        f"{what}: {count / seconds:,.0f} a second ({seconds:.2f} s for {count}), "
        f"{processor / count * 1e3:.2f} ms of processor time each"
    )


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    folder = Path(tempfile.mkdtemp(prefix="hb-speed-"))
    folder.chmod(0o755)
    server = PostgresServer(folder / "data")
    try:
        asyncio.run(_measure(server, customers))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
