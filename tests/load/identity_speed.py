"""How long saying who is one person takes in a large house: `python -m tests.load.identity_speed`.

100 000 customers, 50 000 pairs of whom were merged before. A merge, a split and an undo, each with the cards
it writes, without HTTP.
"""

import asyncio
import base64
import shutil
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Awaitable
from pathlib import Path
from time import perf_counter
from typing import Any

from pydantic import SecretStr
from sqlalchemy import text

from heardback_ingest.main import build
from heardback_ingest.settings import IngestSettings
from heardback_shared.clock import SystemClock
from heardback_shared.db.database import Database
from heardback_shared.db.migrate import migrate
from heardback_shared.health import Readiness
from heardback_shared.metrics import Metrics
from heardback_shared.settings import DatabaseSettings, ServiceSettings
from tests.support.postgres import PostgresServer

PAIRS, ROUNDS = 50_000, 15
FILL = (
    f"""INSERT INTO ingest.customer (tenant_id, id, fields, updated_at)
    SELECT 'default', side || n, '{{}}', now()
    FROM generate_series(1, {PAIRS}) AS n, (VALUES ('a'), ('b')) s(side)""",
    f"""INSERT INTO ingest.identity_event
        (tenant_id, sequence, id, kind, customer_id, into_id, actor, reason, at)
    SELECT 'default', n, 'ie-' || n, 'merge', 'a' || n, 'b' || n, 'ann', 'same', now()
    FROM generate_series(1, {PAIRS}) AS n""",
    f"""INSERT INTO ingest.identity (tenant_id, customer_id, person_id, members)
    SELECT 'default', side || n, 'b' || n, ARRAY['a' || n, 'b' || n]
    FROM generate_series(1, {PAIRS}) AS n, (VALUES ('a'), ('b')) s(side)""",
)


async def measure(url: str) -> None:
    settings = DatabaseSettings(url=url)
    await migrate(settings)
    database = Database(settings)
    service = ServiceSettings(secret_key=SecretStr(base64.b64encode(b"l" * 32).decode()))
    ingest = build(IngestSettings(), service, database, SystemClock(), Metrics(), Readiness(running=True))
    async with database.worker() as c:
        for statement in FILL:
            await c.execute(text(statement))
    identity, spent = ingest.customers.identity, defaultdict[str, list[float]](list)

    async def timed(name: str, act: Awaitable[Any]) -> None:
        begun = perf_counter()
        await act
        spent[name].append(1000 * (perf_counter() - begun))

    for n in range(1, ROUNDS + 1):
        await timed("merge", identity.merge("default", f"a{n}", f"a{n + 100}", "ann", "same"))
        await timed("split", identity.split("default", f"a{n + 200}", "ann", "other"))
        await timed("undo", identity.undo("default", f"ie-{n + 300}", "ann", "oops"))
    for name, times in spent.items():
        print(f"{name:6} median {statistics.median(times):7.1f} ms, slowest {max(times):7.1f} ms")  # noqa: T201
    await database.close()


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="hb-identity-"))
    folder.chmod(0o755)
    server = PostgresServer(folder / "data")
    try:
        asyncio.run(_on_a_new_database(server))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _on_a_new_database(server: PostgresServer) -> None:
    await server.run("CREATE DATABASE identity")
    await measure(server.url("identity"))


if __name__ == "__main__":
    main()
