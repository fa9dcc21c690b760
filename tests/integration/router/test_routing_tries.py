"""Trying routing writes nothing, and says what would have been done."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import text
from tests.support.clock import NOON
from tests.support.router_http import Caller, RouterApp, router_app
from tests.support.scored import incoming, score, scored

from heardback_router.configuration.source import packaged
from heardback_shared.contracts.envelope import to_bytes
from heardback_shared.db.database import Database

CANDIDATE = packaged("routing.yaml").replace("default@3", "candidate@1")


@pytest.fixture
async def app(database: Database, tmp_path: Path) -> AsyncIterator[RouterApp]:
    capacity = packaged("capacity.yaml").replace("teams: {}", "teams: {operations: {automatic: true}}")
    (tmp_path / "capacity.yaml").write_text(capacity)
    async with router_app(database, policies=tmp_path) as opened:
        yield opened


@pytest.fixture
async def ana(app: RouterApp) -> Caller:
    return await app.caller()


def body(feedback: Any, **more: Any) -> dict[str, Any]:
    accepted = feedback.accepted
    return {
        "accepted": {
            "content": orjson.loads(to_bytes(accepted.content)),
            "customer": orjson.loads(to_bytes(accepted.customer)),
        },
        "score": orjson.loads(to_bytes(feedback.score)),
        **more,
    }


async def everything(app: RouterApp) -> dict[str, Any]:
    """All rows that routing may write."""
    tables = ("item", "item_event", "item_feedback", "outbox", "inbox", "allocation", "team_turns")
    async with app.router.database.worker() as connection:
        return {
            name: [tuple(row) for row in await connection.execute(text(f"SELECT * FROM router.{name}"))]
            for name in tables
        }


async def test_a_dry_run_of_an_event_says_all_that_would_be_done_and_writes_nothing(
    app: RouterApp, ana: Caller
) -> None:
    await ana.put("/v1/teams/operations/members/ben", {"cap": 2})
    before = await everything(app)
    reading = score(60, "operations/billing", further=(("product/defect", 0.7),))
    answer = await ana.post("/v1/routing:dry-run", body(scored(1, tier="key", reading=reading)))
    tried = answer.json()
    assert answer.status_code == 200, answer.text
    assert (tried["policy"], tried["team"], tried["rule"]) == ("default@3", "operations", "operations-domain")
    assert tried["assignee"]["person"] == "ben"
    assert [(child["domain"], child["team"]) for child in tried["children"]] == [("product", "product")]
    assert [gate["held"] for gate in tried["gates"]] == [False, False]
    losers = {loser["rule"]: loser["outcome"] for loser in tried["losers"]}
    assert (losers["unscored-to-triage"], losers["product-domain"]) == ("false", "not reached")
    assert tried["default"] == {"team": "triage", "taken": False}
    clocks = {clock["kind"]: clock for clock in tried["clocks"]}
    assert clocks["first_response"]["rule"] == "important-customer"
    assert await everything(app) == before


async def test_a_stored_feedback_is_tried_on_a_candidate(app: RouterApp, ana: Caller) -> None:
    feedback = scored(1, reading=score(60, "operations/billing", confidence=0.6))
    await app.router.receive(incoming(feedback))
    before = await everything(app)
    asked = {"feedback_id": feedback.accepted.feedback_id}
    now = (await ana.post("/v1/routing:dry-run", asked)).json()
    (link,) = await app.router.links()
    assert now["inputs"] == link["decision"]["inputs"]
    assert (now["team"], now["reason"]) == ("operations", link["decision"]["reason"])
    stricter = CANDIDATE.replace("misroute_minutes: 7", "misroute_minutes: 20")
    then = (await ana.post("/v1/routing:dry-run", {**asked, "policy": stricter})).json()
    assert (then["policy"], then["team"], then["rule"]) == ("candidate@1", "triage", "gate:confidence")
    assert then["assignee"] is None
    assert await everything(app) == before


async def test_a_dry_run_can_be_made_at_another_time(app: RouterApp, ana: Caller) -> None:
    later = CANDIDATE.replace(
        "rules:\n",
        "rules:\n  - name: later\n    when: at > timestamp('2027-01-01T00:00:00Z')\n"
        "    team: product\n    because: x\n",
        1,
    ).split("tests:")[0]
    for at, rule in ((NOON, "operations-domain"), (NOON + timedelta(days=60), "later")):
        asked = body(scored(1), policy=later, at=at.isoformat())
        assert (await ana.post("/v1/routing:dry-run", asked)).json()["rule"] == rule


@pytest.mark.parametrize(
    ("asked", "status", "pointer", "says"),
    [
        ({}, 422, "", "send"),
        ({"feedback_id": "fb_x", **body(scored(1))}, 422, "", "one of the two"),
        ({"score": body(scored(1))["score"]}, 422, "", "together"),
        ({"feedback_id": "fb_nobody"}, 404, None, "fb_nobody"),
        ({**body(scored(1)), "policy": "rules: []"}, 422, "/policy", "teams: Field required"),
        (
            {
                **body(scored(1)),
                "policy": CANDIDATE.replace("expect: {team: operations", "expect: {team: product"),
            },
            422,
            "/policy",
            "test a wrong invoice: team is operations, not product",
        ),
        ({**body(scored(1)), "at": "noon"}, 422, "/at", ""),
    ],
)
async def test_what_cannot_be_tried_is_refused_with_its_field(
    ana: Caller, asked: dict[str, Any], status: int, pointer: str | None, says: str
) -> None:
    answer = await ana.post("/v1/routing:dry-run", asked)
    assert answer.status_code == status, answer.text
    problem = answer.json()
    if pointer is None:
        assert says in problem["detail"]
    else:
        assert problem["errors"][0]["pointer"] == pointer
        assert says in problem["errors"][0]["detail"]


async def test_the_linter_shows_overlaps_by_events_that_were_routed(app: RouterApp, ana: Caller) -> None:
    await app.router.receive(incoming(scored(1, tier="strategic")))
    rules = """
policy: mine@1
teams: [{id: operations, title: O}, {id: product, title: P}, {id: lonely, title: L}]
catch_all: operations
rules:
  - {name: ops, when: 'score.domain.startsWith("oper")', team: operations, because: x}
  - {name: loyal, when: 'customer.tier.endsWith("gic")', team: product, because: x}
  - {name: never, when: 'score.domain == "a" && score.domain == "b"', team: product, because: x}
"""
    answer = await ana.post("/v1/policies/routing:lint", {"text": rules})
    found = {(f["level"], f["kind"]): f for f in answer.json()["findings"]}
    assert found["error", "never-true"]["rule"] == "never"
    assert found["warning", "unused-team"]["because"] == "Nothing is routed to the team lonely."
    overlap = found["note", "overlap"]
    assert (overlap["other"], overlap["rule"]) == ("ops", "loyal")
    assert overlap["witness"]["customer"]["tier"] == "strategic"
    refused = await ana.post("/v1/policies/routing:lint", {"text": "{"})
    assert refused.json()["errors"][0]["pointer"] == "/text"


async def test_what_wrong_guesses_cost_is_counted(app: RouterApp, ana: Caller) -> None:
    sure = [scored(n, customer=f"c-{n}", reading=score(60, confidence=0.85)) for n in range(3)]
    unsure = [scored(n, customer=f"c-{n}", reading=score(60, confidence=0.35)) for n in range(3, 6)]
    held = scored(9, customer="c-9", reading=score(60, confidence=0.26))
    lost = scored(10, customer="c-10", reading=score(60, "other/general"))
    await app.router.receive(*(incoming(feedback) for feedback in (*sure, *unsure, held, lost)))
    registry = app.router.metrics.registry
    counted = {
        by: registry.get_sample_value("heardback_feedback_routed_by_total", {"by": by})
        for by in ("rule", "gate", "catch_all")
    }
    assert counted == {"rule": 6, "gate": 1, "catch_all": 1}
    by_customer = {item.customers[0]: item for item in await app.router.items()}
    for customer, team in (("c-3", "product"), ("c-4", "product"), ("c-9", "product")):
        moved = await ana.act(by_customer[customer].id, "reassign", {"team": team, "reason": "not ours"})
        assert moved.status_code == 200
    report = (await ana.get("/v1/routing/misrouting", days=7)).json()
    assert (report["items"], report["default_share"]) == (8, 0.125)
    assert report["held"] == {"items": 1, "went_elsewhere": 1}
    operations = report["domains"]["operations"]
    assert (operations["items"], operations["given_away"]) == (6, 2)
    assert [(s["from"], s["items"], s["given_away"]) for s in operations["by_confidence"]] == [
        (0.3, 3, 2),
        (0.8, 3, 0),
    ]
    assert operations["least_by_these"] is None
    app.clock.forward(days=30)
    assert (await ana.get("/v1/routing/misrouting", days=7)).json()["items"] == 0
    assert (await ana.get("/v1/routing/misrouting", days=0)).status_code == 422
