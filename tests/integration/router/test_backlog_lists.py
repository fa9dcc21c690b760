"""Lists of the backlog over HTTP: why each row stands where it stands, filters, and saved views."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from tests.support.clock import NOON
from tests.support.router_http import Caller, RouterApp, router_app
from tests.support.scored import incoming, score, scored

from heardback_shared.db.database import Database


@pytest.fixture
async def app(database: Database) -> AsyncIterator[RouterApp]:
    async with router_app(database) as opened:
        yield opened


@pytest.fixture
async def ana(app: RouterApp) -> Caller:
    return await app.caller()


async def done(caller: Caller, item_id: str, command: str, body: Any = None) -> dict[str, Any]:
    answer = await caller.act(item_id, command, body)
    assert answer.status_code == 200, (command, answer.text)
    found: dict[str, Any] = answer.json()
    return found


async def three(app: RouterApp) -> list[str]:
    for number, severity in ((1, 60.0), (2, 80.0), (3, 60.0)):
        app.clock.forward(minutes=1)
        await app.router.receive(
            incoming(
                scored(number, customer=f"c-{number}", reading=score(severity), accepted_at=app.clock.now())
            )
        )
    items = await app.router.items()
    return [item.id for item in items]


async def test_every_row_says_why_it_stands_where_it_stands(app: RouterApp, ana: Caller) -> None:
    first, second, third = await three(app)
    rows = (await ana.get("/v1/items")).json()["items"]
    assert [row["id"] for row in rows] == [second, first, third]
    assert rows[0]["because"] == "P1, 80 points (worst feedback 80), since 2026-11-22 12:02 UTC"
    for above, below in ((second, first), (first, third)):
        body = (await ana.get(f"/v1/items/{above}:order", other=below)).json()
        assert (body["above"], body["below"]) == (above, below)
    assert body["decided_by"] == "opened_at"
    assert "has waited longer" in body["because"]
    assert [f["points"] for f in body["factors"]] == [[60.0, 60.0]]
    assert (await ana.get(f"/v1/items/{first}:order", other="it_none")).status_code == 422


async def test_a_list_sorted_by_due_time_pages_through_all_of_it(app: RouterApp, ana: Caller) -> None:
    first, second, third = await three(app)
    async with app.router.database.tenant("default") as connection:
        await connection.execute(
            text("UPDATE router.item SET due_at = :at WHERE id = :id"),
            {"at": NOON + timedelta(hours=1), "id": third},
        )
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await ana.get("/v1/items", sort="due", limit=1, **cursor)).json()
        seen += [row["id"] for row in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == [third, second, first]
    due = (await ana.get("/v1/items", due_before=(NOON + timedelta(hours=2)).isoformat())).json()["items"]
    assert [row["id"] for row in due] == [third]
    compared = (await ana.get(f"/v1/items/{third}:order", other=second, sort="due")).json()
    assert (compared["above"], compared["decided_by"]) == (third, "due_at")


async def test_filters_tell_apart_what_waits_what_is_custom_and_what_nobody_has(
    app: RouterApp, ana: Caller
) -> None:
    first, second, third = await three(app)
    await done(ana, first, "flag", {"flag": "custom", "request": "split-invoices"})
    await done(ana, second, "claim")
    await done(ana, third, "pause", {"waiting_for": "waiting_for_customer", "reason": "asked for the number"})

    async def ids(**asked: Any) -> set[str]:
        return {row["id"] for row in (await ana.get("/v1/items", **asked)).json()["items"]}

    assert await ids(flag="custom") == {first}
    assert await ids(unassigned="true") == {first, third}
    assert await ids(unassigned="false") == {second}
    assert await ids(waiting="any") == await ids(waiting="waiting_for_customer") == {third}
    assert await ids(waiting="none") == {first, second}
    assert await ids(parent="it_none") == set()


async def test_a_view_keeps_filters_columns_and_order_and_belongs_to_somebody(
    app: RouterApp, ana: Caller
) -> None:
    first, second, _ = await three(app)
    ben = await app.caller(name="ben")
    body = {"name": "Urgent", "filters": {"band": ["P1"]}, "columns": ["id", "title"], "sort": "due"}
    made = await ana.post("/v1/views", body)
    assert (made.status_code, made.headers["ETag"]) == (201, '"1"')
    view_id = made.json()["id"]
    page = (await ana.get("/v1/items", view=view_id)).json()
    assert [row["id"] for row in page["items"]] == [second]
    assert (page["view"]["columns"], page["view"]["sort"]) == (["id", "title"], "due")
    beside = (await ana.get("/v1/items", view=view_id, band="P2", limit=1)).json()["items"]
    assert [row["id"] for row in beside] == [first]
    for answer in (await ben.get("/v1/items", view=view_id), await ben.get(f"/v1/views/{view_id}")):
        assert answer.status_code == 404
    assert (await ben.get("/v1/views")).json()["views"] == []
    path = f"/v1/views/{view_id}"
    shared = {**body, "shared": True}
    assert (await ana.put(path, shared)).status_code == 428
    assert (await ana.put(path, shared, If_Match='"1"')).headers["ETag"] == '"2"'
    assert (await ana.put(path, shared, If_Match='"1"')).status_code == 412
    assert [v["name"] for v in (await ben.get("/v1/views")).json()["views"]] == ["Urgent"]
    assert (await ben.put(path, shared, If_Match='"2"')).status_code == 403
    wrong = await ana.post("/v1/views", {"name": "x", "columns": ["id", "shoe size"]})
    assert wrong.json()["errors"][0]["pointer"] == "/columns/1"
    assert (await ana.delete(path, If_Match='"2"')).status_code == 204
    assert (await ana.get(path)).status_code == 404
