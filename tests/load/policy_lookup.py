"""What asking which policies are in force costs a batch: `python -m tests.load.policy_lookup`.

One tenant among many has versions of every kind; the statement runs as in a routing transaction.
"""

import asyncio
import statistics
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from sqlalchemy import insert, text

from heardback_router.configuration.kinds import KINDS
from heardback_router.configuration.source import load_deployment
from heardback_router.configuration.stored import StoredPolicies
from heardback_router.configuration.tables import versions
from heardback_shared.db.database import Database
from heardback_shared.db.migrate import migrate
from heardback_shared.db.planning import look_up_by_key
from heardback_shared.settings import DatabaseSettings
from tests.support.postgres import PostgresServer

TENANTS = 200
RETIRED = 20
ROUNDS = 2_000


async def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="hb-policies-"))
    folder.chmod(0o755)
    server = PostgresServer(folder / "data")
    try:
        await server.run("CREATE DATABASE policies")
        settings = DatabaseSettings(url=server.url("policies"))
        await migrate(settings)
        database = Database(settings)
        await measure(database)
        await database.close()
    finally:
        server.stop()


async def measure(database: Database) -> None:
    source = StoredPolicies(load_deployment())
    await fill(database, source)
    spent = []
    for number in range(ROUNDS):
        async with database.tenant(f"t{number % TENANTS}") as connection:
            await look_up_by_key(connection)
            started = perf_counter()
            await source.of(connection, f"t{number % TENANTS}")
            spent.append((perf_counter() - started) * 1000)
    first, warm = spent[:TENANTS], sorted(spent[TENANTS:])
    print(f"{TENANTS} tenants, {len(KINDS)} kinds in force and {RETIRED} retired versions of each")  # noqa: T201
    print(f"first batch of a tenant: median {statistics.median(first):.2f} ms (texts shared by all)")  # noqa: T201
    p95 = warm[int(len(warm) * 0.95)]
    print(f"every further batch: median {statistics.median(warm):.2f} ms, p95 {p95:.2f} ms")  # noqa: T201


async def fill(database: Database, source: StoredPolicies) -> None:
    now = datetime.now(UTC)
    for tenant in range(TENANTS):
        rows = []
        for kind in KINDS:
            own = source.deployment.own[kind].content
            for number in range(1, RETIRED + 2):
                rows.append(
                    {
                        "tenant_id": f"t{tenant}",
                        "kind": kind,
                        "number": number,
                        "state": "active" if number > RETIRED else "retired",
                        "policy": own.policy,
                        "text": own.text,
                        "digest": own.digest,
                        "authors": ["ana"],
                        "reason": "a load test",
                        "created_at": now,
                        "edited_at": now,
                        "edition": 1,
                        "approved": True,
                        "reviewer": "bo",
                        "activated_by": "bo",
                        "activated_at": now,
                    }
                )
        async with database.tenant(f"t{tenant}") as connection:
            await connection.execute(insert(versions), rows)
    async with database.engine.begin() as connection:
        await connection.execute(text("ANALYZE router.policy_version"))


if __name__ == "__main__":
    asyncio.run(main())
