"""Clocks over HTTP: shown with items, met, paused, resumed, pinned anew, and asked for by what is next."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.router_http import Caller, RouterApp, router_app
from tests.support.scored import incoming, score, scored

from heardback_router.backlog.fold import fold
from heardback_router.configuration.source import DeploymentPolicies
from heardback_shared.db.database import Database

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SOLVED = {"root_cause": "c", "action": "a", "tell_customer": {"text": "It is solved."}}


@pytest.fixture
async def app(database: Database) -> AsyncIterator[RouterApp]:
    async with router_app(database) as opened:
        opened.clock.at = MONDAY
        yield opened


@pytest.fixture
async def ana(app: RouterApp) -> Caller:
    return await app.caller()


async def new_item(app: RouterApp, number: int = 1, **more: Any) -> str:
    known = {item.id for item in await app.router.items()}
    await app.router.receive(
        incoming(scored(number, customer=f"c-{number}", accepted_at=app.clock.at, **more))
    )
    (item,) = [item for item in await app.router.items() if item.id not in known]
    await app.core.timekeeper.look()
    return item.id


async def clocks(ana: Caller, item_id: str) -> dict[str, dict[str, Any]]:
    body = (await ana.get(f"/v1/items/{item_id}")).json()
    return {clock["kind"]: clock for clock in body["clocks"]}


async def test_an_item_shows_its_clocks_now_and_lists_show_them_as_last_looked_at(
    app: RouterApp, ana: Caller
) -> None:
    item_id = await new_item(app)
    app.clock.forward(minutes=90)
    now = (await clocks(ana, item_id))["first_response"]
    assert now == {
        "kind": "first_response",
        "run": 1,
        "state": "running",
        "target_minutes": 480,
        "used_minutes": 90,
        "started_at": MONDAY.isoformat(),
        "ended_at": None,
        "due_at": (MONDAY + timedelta(hours=8)).isoformat(),
        "paused_because": None,
        "warned": [],
        "breached_at": None,
        "because": "It is P2.",
        "rule": "serious",
        "calendar": "office",
        "policy": "default@1",
    }
    (listed,) = (await ana.get("/v1/items")).json()["items"]
    assert {c["kind"]: c["used_minutes"] for c in listed["clocks"]} == {"first_response": 0, "resolution": 0}


async def test_answering_meets_the_clock_and_may_wait_for_the_customer(app: RouterApp, ana: Caller) -> None:
    item_id = await new_item(app)
    app.clock.forward(hours=1)
    answer = await ana.act(
        item_id, "respond", {"note": "asked for the order", "waiting_for": "waiting_for_customer"}
    )
    assert (answer.status_code, answer.json()["clocks"]) == (200, None)
    app.clock.forward(hours=3)
    shown = await clocks(ana, item_id)
    assert (shown["first_response"]["state"], shown["first_response"]["used_minutes"]) == ("met", 60)
    assert shown["resolution"]["state"] == "paused"
    assert shown["resolution"]["paused_because"] == "The customer was asked something"
    await app.router.receive(incoming(scored(2, customer="c-1", accepted_at=app.clock.at)))
    await app.core.timekeeper.look()
    (item,) = await app.router.items()
    log = await app.router.log(item_id)
    assert (item.waiting_for, log[-1].kind, log[-1].reason) == (None, "resumed", "The customer wrote again.")
    assert item == fold(log)
    shown = await clocks(ana, item_id)
    assert {kind: clock["state"] for kind, clock in shown.items()} == {
        "first_response": "met",
        "next_response": "running",
        "resolution": "running",
    }


async def test_pausing_and_resuming(app: RouterApp, ana: Caller) -> None:
    item_id = await new_item(app)
    nothing = await ana.act(item_id, "resume")
    assert (nothing.status_code, nothing.json()["detail"]) == (
        409,
        "The item waits for nothing; there is nothing to resume.",
    )
    paused = await ana.act(
        item_id, "pause", {"waiting_for": "waiting_for_third_party", "reason": "the carrier looks for it"}
    )
    assert paused.status_code == 200
    app.clock.forward(hours=2)
    assert (await clocks(ana, item_id))["resolution"]["state"] == "paused"
    assert (await ana.act(item_id, "resume", {"reason": "found"})).status_code == 200
    assert (await clocks(ana, item_id))["resolution"]["used_minutes"] == 0
    await ana.act(item_id, "resolve", SOLVED)
    late = await ana.act(item_id, "pause", {"waiting_for": "waiting_for_third_party", "reason": "x"})
    assert late.status_code == 409


async def test_waiting_for_what_the_policy_does_not_know_is_refused_by_name(
    app: RouterApp, ana: Caller
) -> None:
    item_id = await new_item(app)
    for command, body in (
        ("respond", {"waiting_for": "godot"}),
        ("pause", {"waiting_for": "godot", "reason": "he comes"}),
    ):
        refused = await ana.act(item_id, command, body)
        (error,) = refused.json()["errors"]
        assert (refused.status_code, error["pointer"]) == (422, "/waiting_for")
        assert (
            "it knows: waiting_for_customer, waiting_for_third_party, waiting_for_release" in error["detail"]
        )
    assert (await ana.act(item_id, "pause", {"waiting_for": "waiting_for_release"})).status_code == 422
    assert (await app.router.items())[0].version == 1


async def test_one_item_can_be_pinned_to_the_policy_in_force(app: RouterApp, ana: Caller) -> None:
    item_id = await new_item(app)
    same = await ana.act(item_id, "repin", {"reason": "new contract"})
    assert (same.status_code, same.json()["detail"]) == (
        409,
        "The clock policy default@1 is pinned to it already.",
    )
    source = app.core.repin._policies
    assert isinstance(source, DeploymentPolicies)
    source.policies = replace(source.policies, sla=replace(source.policies.sla, name="default@2"))
    app.clock.forward(hours=1)
    assert (await ana.act(item_id, "repin", {"reason": "new contract"})).status_code == 200
    clock = (await clocks(ana, item_id))["resolution"]
    assert (clock["policy"], clock["used_minutes"]) == ("default@2", 60)


async def test_what_runs_out_next_soonest_first(app: RouterApp, ana: Caller) -> None:
    usual = await new_item(app, 1, reading=score(60))
    urgent = await new_item(app, 2, reading=score(90))
    found = (await ana.get("/v1/sla/due", within="8h")).json()
    assert found["until"] == (MONDAY + timedelta(hours=8)).isoformat()
    assert [(i["id"], [c["kind"] for c in i["clocks"]]) for i in found["items"]] == [
        (urgent, ["first_response"]),
        (usual, ["first_response"]),
    ]
    assert [i["id"] for i in (await ana.get("/v1/sla/due", within="2h")).json()["items"]] == [urgent]
    assert (await ana.get("/v1/sla/due", within="8h", team="product")).json()["items"] == []
    assert len((await ana.get("/v1/sla/due", within="8h", limit=1)).json()["items"]) == 1
    await ana.act(urgent, "respond")
    await app.core.timekeeper.look()
    assert [i["id"] for i in (await ana.get("/v1/sla/due", within="8h")).json()["items"]] == [usual]


async def test_spans_that_are_none_are_refused(ana: Caller) -> None:
    for within in ("soon", "9000h", "4", "-1h"):
        refused = await ana.get("/v1/sla/due", within=within)
        (error,) = refused.json()["errors"]
        assert (refused.status_code, error["pointer"]) == (422, "query:within"), within


async def test_the_clock_policy_is_shown(ana: Caller) -> None:
    shown = (await ana.get("/v1/policies/sla")).json()
    assert (shown["policy"], shown["tell_in"], shown["warn_at"]) == ("default@1", "office", [50, 75, 90])
    assert [rule["name"] for rule in shown["targets"]][-1] == "usual"


async def test_who_may_only_read_cannot_answer_or_pause(app: RouterApp, ana: Caller) -> None:
    item_id = await new_item(app)
    reader = await app.caller("default", "items:read", name="rita")
    for command in ("respond", "pause", "resume", "repin"):
        refused = await reader.post(f"/v1/items/{item_id}:{command}", {}, If_Match="*")
        assert refused.status_code == 403, command
