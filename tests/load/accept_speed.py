"""How long accepting 500 feedbacks takes, with what is known of their customers.

    python -m tests.load.accept_speed [--customers 20000] [--rounds 30]

A real PostgreSQL with durability off, the use case without HTTP; every customer has a profile and feedback.
"""

import argparse
import asyncio
import base64
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import text

from heardback_ingest.app.accept import Submitted
from heardback_ingest.main import build
from heardback_ingest.settings import IngestSettings
from heardback_shared.clock import SystemClock
from heardback_shared.contracts.feedback import SurveyIn
from heardback_shared.db.database import Database
from heardback_shared.db.migrate import migrate
from heardback_shared.health import Readiness
from heardback_shared.metrics import Metrics
from heardback_shared.settings import DatabaseSettings, ServiceSettings
from tests.support.feedback import survey
from tests.support.postgres import PostgresServer

ROWS = 500
_PROFILES = text("""
INSERT INTO ingest.customer (tenant_id, id, fields, updated_at)
SELECT 'default', 'c-' || n, jsonb_build_object(
    'tier', jsonb_build_object('value', 'key', 'source', 'crm', 'at', '2026-11-01T00:00:00+00:00',
        'provenance', 'stated'),
    'lifetime_value', jsonb_build_object('value', 5000, 'source', 'crm', 'at', '2026-11-01T00:00:00+00:00',
        'provenance', 'stated'),
    'region', jsonb_build_object('value', 'EU', 'source', 'crm', 'at', '2026-11-01T00:00:00+00:00',
        'provenance', 'stated')), now()
FROM generate_series(0, CAST(:count AS integer) - 1) AS n
""")


async def measure(url: str, customers: int, rounds: int) -> None:
    settings = DatabaseSettings(url=url, pool_size=5)
    await migrate(settings)
    database = Database(settings)
    service = ServiceSettings(secret_key=SecretStr(base64.b64encode(b"l" * 32).decode()))
    ingest = build(IngestSettings(), service, database, SystemClock(), Metrics(), Readiness(running=True))
    async with database.worker() as c:
        await c.execute(_PROFILES, {"count": customers})
    spent, worked = [], []
    for number in range(rounds):
        rows = [
            Submitted(
                SurveyIn.model_validate(
                    survey(number * ROWS + n, customer={"id": f"c-{(number * ROWS + n * 7) % customers}"})
                )
            )
            for n in range(ROWS)
        ]
        begun, busy = time.perf_counter(), time.process_time()
        results = await ingest.accept("default", "load", rows)
        spent.append(time.perf_counter() - begun)
        worked.append(time.process_time() - busy)
        assert all(result.outcome == "accepted" for result in results)
        if number == 2:
            async with database.engine.connect() as c:
                await (await c.execution_options(isolation_level="AUTOCOMMIT")).execute(text("ANALYZE"))
    ours = sorted(spent[5:])
    print(  # noqa: T201
        f"accept of {ROWS} rows, {customers} customers: median {1000 * statistics.median(ours):.0f} ms, "
        f"fastest {1000 * ours[0]:.0f} ms, of these in this process "
        f"median {1000 * statistics.median(worked[5:]):.0f} ms, n {len(ours)}"
    )
    await database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=30)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="hb-accept-"))
    folder.chmod(0o755)
    server = PostgresServer(folder / "data")
    try:
        asyncio.run(_on_a_new_database(server, given.customers, given.rounds))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _on_a_new_database(server: PostgresServer, customers: int, rounds: int) -> None:
    await server.run("CREATE DATABASE accept")
    await measure(server.url("accept"), customers, rounds)


if __name__ == "__main__":
    main()
