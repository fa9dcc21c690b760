"""What asking costs, beside a bare request: `python -m tests.load.survey_speed`.

20 000 customers with five invitations each. A check, a check of 500 and a reservation of 500 over HTTP, in
turn with a request that has the same key and transaction but only says SELECT 1.
"""

import asyncio
import base64
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
from fastapi import Depends
from sqlalchemy import event, text

from heardback_ingest.main import Ingest, build
from heardback_ingest.settings import IngestSettings
from heardback_shared.access.store import ApiKeys
from heardback_shared.clock import SystemClock
from heardback_shared.db.database import Database
from heardback_shared.db.migrate import migrate
from heardback_shared.health import Readiness
from heardback_shared.http.auth import Guard
from heardback_shared.http.rate_limit import RateLimiter
from heardback_shared.keyring import Keyring
from heardback_shared.metrics import Metrics
from heardback_shared.policies.in_force import put_in_force
from heardback_shared.settings import DatabaseSettings, ServiceSettings
from tests.support.postgres import PostgresServer
from tests.support.serving import served
from tests.support.surveys import contact_text, wanted

CUSTOMERS, EACH = 20_000, 5
ROUNDS, BATCHES = 400, 15
SECRET = base64.b64encode(b"k" * 32).decode()
FILL = (
    f"""INSERT INTO ingest.customer (tenant_id, id, fields, updated_at)
    SELECT 'default', 'c-' || n, '{{}}', now() FROM generate_series(1, {CUSTOMERS}) AS n""",
    f"""INSERT INTO ingest.survey_invitation (tenant_id, id, customer_id, person_id, account_id, survey, type,
        channel, kind, state, reserved_at, expires_at, sent_at, last_at, decision_id, policy)
    SELECT 'default', 'si-' || n || '-' || i, 'c-' || n, 'c-' || n, 'a-' || n / 20, 'pulse', 'csat', 'email',
        'invitation', 'sent', at, at, at, at, '-', '-'
    FROM generate_series(1, {CUSTOMERS}) AS n, generate_series(1, {EACH}) AS i,
        LATERAL (SELECT now() - make_interval(days => i * 25) AS at) AS t""",
    """INSERT INTO platform.contact_touch (tenant_id, id, person_id, purpose, channel, automatic, at)
    SELECT tenant_id, id, person_id, 'surveys', 'email', true, sent_at FROM ingest.survey_invitation""",
)


async def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="hb-surveys-"))
    folder.chmod(0o755)
    server = PostgresServer(folder / "data")
    try:
        await server.run("CREATE DATABASE surveys")
        settings = DatabaseSettings(url=server.url("surveys"))
        await migrate(settings)
        database = Database(settings)
        await measure(database)
        await database.close()
    finally:
        server.stop()


async def measure(database: Database) -> None:
    service = ServiceSettings.model_validate({"secret_key": SECRET, "rate_limit_per_minute": 1_000_000})
    readiness = Readiness(running=True)
    ingest = build(IngestSettings(), service, database, SystemClock(), Metrics(), readiness)
    async with database.worker() as c:
        for statement in FILL:
            await c.execute(text(statement))
    async with database.tenant("default") as c:  # at no hour is it anybody's night
        await put_in_force(
            c, "default", "contact", "test@1", contact_text(100, 500), "day", datetime.now(UTC)
        )
    keys = ApiKeys(database, Keyring(service.master_key), SystemClock())
    _, key = await keys.create("default", "speed", ("admin",))
    add_bare(ingest, database, Guard(keys, RateLimiter(service.rate_limit_per_minute)))
    headers = {"Authorization": f"Bearer {key}"}
    async with served(ingest.http) as url, httpx.AsyncClient(base_url=url, headers=headers) as http:
        await run(http, database)


def add_bare(ingest: Ingest, database: Database, guard: Guard) -> None:
    @ingest.http.post("/bare", dependencies=[Depends(guard.needs("admin"))])
    async def bare() -> dict[str, bool]:
        async with database.tenant("default") as c:
            await c.execute(text("SELECT 1"))
        return {"allowed": True}


async def run(http: httpx.AsyncClient, database: Database) -> None:
    spent: dict[str, list[float]] = defaultdict(list)
    statements: dict[str, int] = {}
    count = 0

    def counted(*_: Any) -> None:
        nonlocal count
        count += 1

    event.listen(database.engine.sync_engine, "before_cursor_execute", counted)

    async def timed(name: str, call: Callable[[], Awaitable[httpx.Response]]) -> None:
        nonlocal count
        count = 0
        started = perf_counter()
        answer = await call()
        spent[name].append((perf_counter() - started) * 1000)
        statements[name] = count
        assert answer.status_code == 200, answer.text

    def post(act: str, body: Any) -> Callable[[], Awaitable[httpx.Response]]:
        return lambda: http.post(f"/v1/survey-invitations:{act}", json=body)

    for number in range(ROUNDS):
        await timed("SELECT 1", lambda: http.post("/bare"))
        await timed("check", post("check", wanted(f"c-{number * 37 % CUSTOMERS + 1}")))
        await timed("reserve", post("reserve", wanted(f"c-{number * 41 % CUSTOMERS + 1}")))
    for number in range(BATCHES):
        batch = [wanted(f"c-{(number * 500 + i) % CUSTOMERS + 1}") for i in range(500)]
        await timed("check of 500", post("check", batch))
        await timed("reserve of 500", post("reserve", batch))
    bare = statistics.median(spent["SELECT 1"])
    for name, times in spent.items():
        middle, high = statistics.median(times), sorted(times)[int(len(times) * 0.95)]
        said = f"{name:15} median {middle:7.2f} ms  p95 {high:7.2f} ms  {middle / bare:5.1f} x SELECT 1"
        print(f"{said}  {statements[name]} statements")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
