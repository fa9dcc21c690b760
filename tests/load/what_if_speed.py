"""How fast a what-if runs over stored feedback, and whether its memory stays.

`python -m tests.load.what_if_speed [FEEDBACKS]`.
A routing change over so many routed feedbacks, each of another customer, on one core of this machine.
"""

import asyncio
import resource
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from time import perf_counter

from heardback_router.configuration.app import Caller
from heardback_router.whatif.app import Asked
from heardback_shared.db.database import Database
from heardback_shared.db.migrate import migrate
from heardback_shared.settings import DatabaseSettings
from tests.support.clock import NOON
from tests.support.policies import billing_to_accounts
from tests.support.postgres import PostgresServer
from tests.support.router_http import RouterApp
from tests.support.scored import incoming, score, scored

CAUSES = ("operations/billing", "operations/fulfilment", "product/defect", None)
WHO = Caller("default", "ana", "")


async def main(number: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="hb-what-if-"))
    folder.chmod(0o755)
    server = PostgresServer(folder / "data")
    try:
        await server.run("CREATE DATABASE what_if")
        settings = DatabaseSettings(url=server.url("what_if"))
        await migrate(settings)
        database = Database(settings)
        app = RouterApp(database)
        await fill(app, number)
        for limit in (number // 10, number):
            await measure(app, limit)
        await app.client.aclose()
        await database.close()
    finally:
        server.stop()


async def fill(app: RouterApp, number: int) -> None:
    for start in range(0, number, 500):
        batch = [
            incoming(
                scored(
                    n,
                    customer=f"c-{n}",
                    reading=score(20.0 + n % 70, CAUSES[n % 4]),
                    accepted_at=NOON - timedelta(seconds=60 * n),
                )
            )
            for n in range(start, min(start + 500, number))
        ]
        await app.router.receive(*batch)


async def measure(app: RouterApp, limit: int) -> None:
    changing, started = app.core.changing, perf_counter()
    asked = Asked("routing", billing_to_accounts(), None, 366, None, limit)
    run = await changing.what_ifs.start(WHO, asked)
    await changing.runner.once()
    seconds = perf_counter() - started
    done = await changing.what_ifs.get("default", run["id"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(  # noqa: T201
        f"{done['report']['looked_at']} feedbacks, {done['changes']} changes: {seconds:.1f} s "
        f"({limit / seconds:.0f} a second), peak of the process so far {peak:.0f} MB"
    )


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
