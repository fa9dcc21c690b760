"""How a customer stands with us: counted from the items, announced, and on the customer's next feedback."""

import asyncio
import base64
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import select
from tests.support.clock import NOON
from tests.support.router_http import Caller, RouterApp, router_app
from tests.support.scored import incoming, score, scored

from heardback_ingest.adapters import tables as ingest_tables
from heardback_ingest.app.accept import Submitted
from heardback_ingest.main import Ingest, build
from heardback_ingest.settings import IngestSettings
from heardback_router.backlog.tables import outbox
from heardback_shared.contracts.envelope import Envelope
from heardback_shared.contracts.events import CUSTOMER_STANDING
from heardback_shared.contracts.feedback import SurveyIn
from heardback_shared.contracts.topics import STANDING
from heardback_shared.db.database import Database
from heardback_shared.health import Readiness
from heardback_shared.metrics import Metrics
from heardback_shared.settings import ServiceSettings
from heardback_shared.stream.ports import Incoming, Record

SOLVED = {"root_cause": "a", "action": "b", "not_telling_because": "c"}


@pytest.fixture
async def app(database: Database) -> AsyncIterator[RouterApp]:
    async with router_app(database) as opened:
        yield opened


@pytest.fixture
async def ana(app: RouterApp) -> Caller:
    return await app.caller()


@pytest.fixture
def ingest(app: RouterApp, database: Database) -> Ingest:
    service = ServiceSettings(secret_key=base64.b64encode(b"k" * 32).decode())
    return build(IngestSettings(), service, database, app.clock, Metrics(), Readiness(running=True))


async def announced(app: RouterApp, tenant: str = "default") -> list[Incoming]:
    """What router has announced so far, as it comes from the topic."""
    while await app.core.standings.announce():
        pass
    query = select(outbox).where(outbox.c.topic == STANDING.name).order_by(outbox.c.id)
    async with app.router.database.tenant(tenant) as connection:
        rows = (await connection.execute(query)).mappings().all()
    return [
        Incoming(
            Record(STANDING.name, 0, number, None, row["data"]),
            Envelope(
                id=row["event_id"],
                source=row["source"],
                type=row["type"],
                data=row["data"],
                time=row["time"],
                subject=row["subject"],
                tenant_id=row["tenant_id"],
                key=row["key"],
            ),
        )
        for number, row in enumerate(rows)
    ]


def figures(event: Incoming) -> dict[str, Any]:
    data: dict[str, Any] = orjson.loads(event.event.data)
    return {name: value for name, value in data.items() if name not in {"at", "customer_id", "counter"}}


async def next_history(ingest: Ingest, external_id: str, customer: str = "c-1") -> dict[str, Any]:
    """The history on the accepted event of the customer's next answer."""
    survey = SurveyIn.model_validate(
        {"source": "s", "external_id": external_id, "customer": {"id": customer}, "comment": "hello again"}
    )
    (result,) = await ingest.accept("default", "http", [Submitted(survey)])
    query = select(ingest_tables.feedback.c.event).where(ingest_tables.feedback.c.id == result.id)
    async with ingest.database.tenant("default") as connection:
        event = orjson.loads((await connection.execute(query)).scalar_one())
    history: dict[str, Any] = event["customer"]["history"]
    return history


async def test_what_happens_to_a_customer_rides_on_the_customer_s_next_feedback(
    app: RouterApp, ana: Caller, ingest: Ingest
) -> None:
    assert (await next_history(ingest, "r-0")).get("open_items") is None
    await app.router.receive(incoming(scored(1)), incoming(scored(2, reading=score(cause="product/defect"))))
    first, second = await app.router.items()
    await ana.act(first.id, "reassign", {"team": "triage", "reason": "not ours"})
    due = {"what": "Call back", "due_at": (NOON + timedelta(hours=1)).isoformat()}
    await ana.post(f"/v1/items/{first.id}/promises", due, If_Match="*")
    app.clock.forward(seconds=1)
    await ingest.standings(await announced(app))
    history = await next_history(ingest, "r-1")
    assert (history["open_items"], history["transfers"]) == (2, 1)
    assert (history["open_promises"], history["broken_promises"]) == (1, 0)
    app.clock.forward(hours=2)
    await app.core.timekeeper.look()
    await ana.act(second.id, "resolve", SOLVED)
    events = await announced(app)
    await ingest.standings(events)
    after = await next_history(ingest, "r-2")
    assert (after["open_items"], after["open_promises"], after["broken_promises"]) == (1, 0, 1)
    assert after["breaches"] == figures(events[-1])["breaches"]


async def test_announcements_repeated_and_out_of_order_leave_the_last_one(
    app: RouterApp, ana: Caller, ingest: Ingest
) -> None:
    await app.router.receive(incoming(scored(1)))
    (item,) = await app.router.items()
    for team in ("triage", "product", "operations"):
        await announced(app)
        app.clock.forward(minutes=1)
        await ana.act(item.id, "reassign", {"team": team, "reason": "moved"})
    events = await announced(app)
    assert [figures(event)["transfers"] for event in events] == [0, 1, 2, 3]
    shuffled = [*events, *events]
    random.Random(7).shuffle(shuffled)
    for event in shuffled:
        await ingest.standings([event])
    assert (await next_history(ingest, "r-1"))["transfers"] == 3
    await ingest.standings(shuffled)
    assert (await next_history(ingest, "r-2"))["transfers"] == 3


async def test_what_changes_nothing_is_not_announced_again(app: RouterApp, ana: Caller) -> None:
    await app.router.receive(incoming(scored(1)))
    (item,) = await app.router.items()
    before = len(await announced(app))
    await app.router.receive(incoming(scored(2)))
    await ana.act(item.id, "comment", {"text": "hm"})
    await ana.act(item.id, "claim")
    assert len(await announced(app)) == before == 1


async def test_two_announcers_and_changes_at_once_end_at_the_true_figures(
    app: RouterApp, ana: Caller
) -> None:
    causes = ("operations/billing", "product/defect", "operations/delivery", "account/contract")

    async def open_one(number: int, cause: str) -> None:
        await app.router.receive(incoming(scored(number, reading=score(cause=cause))))

    await asyncio.gather(
        *(open_one(number, cause) for number, cause in enumerate(causes)),
        *(app.core.standings.announce() for _ in range(3)),
    )
    await asyncio.gather(*(app.core.standings.announce() for _ in range(3)))
    events = await announced(app)
    assert figures(events[-1])["open_items"] == len(await app.router.items()) == 4
    counters = [orjson.loads(event.event.data)["counter"] for event in events]
    assert counters == sorted(set(counters))
    assert {event.event.type for event in events} == {CUSTOMER_STANDING}


async def test_equal_customers_of_two_tenants_stand_apart(app: RouterApp, ingest: Ingest) -> None:
    await app.caller("acme", name="zoe")
    await app.router.receive(incoming(scored(1), tenant="acme"))
    events = await announced(app, "acme")
    assert [event.event.tenant_id for event in events] == ["acme"]
    assert await announced(app) == []
    await ingest.standings(events)
    assert (await next_history(ingest, "r-1")).get("open_items") is None
