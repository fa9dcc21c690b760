"""What users of other desks complain of: lists in an order nobody can explain, things closed while owed."""

import random
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise

import pytest
from tests.support.clock import NOON
from tests.support.router_http import Caller, RouterApp, router_app
from tests.support.scored import incoming, score, scored

from heardback_shared.db.database import Database

SOLVED = {"root_cause": "a", "action": "b", "tell_customer": {"text": "It is corrected."}}


@pytest.fixture
async def app(database: Database) -> AsyncIterator[RouterApp]:
    async with router_app(database) as opened:
        yield opened


@pytest.fixture
async def ana(app: RouterApp) -> Caller:
    return await app.caller()


async def test_complaint_the_order_of_a_list_is_not_the_one_that_was_expected(
    app: RouterApp, ana: Caller
) -> None:
    draw = random.Random(3)
    for number in range(24):
        await app.router.receive(
            incoming(
                scored(
                    number,
                    customer=f"c-{number}",
                    reading=score(draw.choice([30.0, 60.0, 60.0, 90.0])),
                    accepted_at=NOON + timedelta(minutes=draw.randrange(3)),
                )
            )
        )
    items = await app.router.items()
    for item in draw.sample(items, 8):
        await ana.act(item.id, "reassign", {"team": "triage", "reason": "not ours"})
    await app.core.timekeeper.look()
    rows: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await ana.get("/v1/items", limit=5, **cursor)).json()
        rows += [row["id"] for row in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert sorted(rows) == sorted(item.id for item in items)
    for above, below in pairwise(rows):
        said = (await ana.get(f"/v1/items/{below}:order", other=above)).json()
        assert (said["above"], said["below"]) == (above, below)
        assert all(
            sum(factor["points"][side] for factor in said["factors"]) == said["items"][side]["severity"]
            for side in (0, 1)
        )


async def test_complaint_a_case_is_closed_while_a_promise_to_the_customer_is_forgotten(
    app: RouterApp, ana: Caller
) -> None:
    await app.router.receive(incoming(scored(1)))
    (item,) = await app.router.items()
    promise = {"what": "Refund", "due_at": (NOON + timedelta(days=2)).isoformat()}
    await ana.post(f"/v1/items/{item.id}/promises", promise, If_Match="*")
    await ana.act(item.id, "resolve", {**SOLVED, "tell_customer": None, "not_telling_because": "by phone"})
    await ana.act(item.id, "close", {"reason": "done"})
    await app.core.timekeeper.look()
    app.clock.forward(days=3)
    await app.core.timekeeper.look()
    (after,) = await app.router.items()
    assert (after.state, after.counts.broken_promises) == ("closed", 1)


async def test_complaint_a_case_is_closed_though_the_customer_called_something_else_solved(
    app: RouterApp, ana: Caller
) -> None:
    await app.router.receive(incoming(scored(1)))
    (item,) = await app.router.items()
    await ana.act(item.id, "set-criterion", {"text": "The money is back", "source": "mail"})
    assert (await ana.act(item.id, "resolve", SOLVED)).status_code == 409
    assert (await app.router.items())[0].state == "open"
