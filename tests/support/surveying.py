"""A system that asks customers, as a process of its own: `python -m tests.support.surveying`.

Reads one JSON object from its input (the database's URL, the master key, the requests), reserves all requests
at once, confirms what it was granted, and writes the answers.
"""

import asyncio
import base64
import sys
from datetime import timedelta
from typing import Any

import orjson

from heardback_ingest.app.surveys.ask import Wanted
from heardback_ingest.app.surveys.follow import Report
from heardback_ingest.domain.surveys.facts import Request
from heardback_ingest.http.surveys import Surveys
from heardback_ingest.main import build
from heardback_ingest.settings import IngestSettings
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.health import Readiness
from heardback_shared.metrics import Metrics
from heardback_shared.settings import DatabaseSettings, ServiceSettings
from tests.support.clock import NOON, FakeClock

SECRET = base64.b64encode(bytes(range(32))).decode()


def surveys_of(database: Database, clock: Clock) -> Surveys:
    service = ServiceSettings.model_validate({"secret_key": SECRET})
    return build(IngestSettings(), service, database, clock, Metrics(), Readiness(running=True)).surveys


async def one(surveys: Surveys, told: dict[str, Any]) -> dict[str, Any]:
    request = Request(told["customer"], told["survey"], "nps", "email", account_id=told["account"])
    (answer,) = await surveys.ask.reserve("default", [Wanted(request, told["key"])], "system")
    if answer.body["allowed"]:
        await surveys.follow("default", "sent", [Report(answer.body["reservation"])])
    return {**told, "allowed": answer.body["allowed"], "reservation": answer.body.get("reservation")}


async def main() -> None:
    told = orjson.loads(sys.stdin.buffer.read())
    database = Database(DatabaseSettings(url=told["url"], pool_size=10))
    surveys = surveys_of(database, FakeClock(NOON + timedelta(seconds=told["seconds"])))
    try:
        answers = await asyncio.gather(*[one(surveys, request) for request in told["requests"]])
    finally:
        await database.close()
    sys.stdout.buffer.write(orjson.dumps(answers))


if __name__ == "__main__":
    asyncio.run(main())
