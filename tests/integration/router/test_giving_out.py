"""Queues are given out when something comes in and when room is made, within caps, however many do so."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.clock import NOON
from tests.support.router_http import Caller, RouterApp, router_app
from tests.support.scored import incoming, score, scored

from heardback_router.assignment.record import again, outcome_of
from heardback_router.backlog.domain import Item
from heardback_router.backlog.fold import fold
from heardback_router.configuration.source import load_policies, packaged
from heardback_router.routing.store import LookAgain
from heardback_shared.contracts.topics import BACKLOG
from heardback_shared.db.database import Database
from heardback_shared.settings import DatabaseSettings

QUIETLY = {"root_cause": "A test", "action": "None", "not_telling_because": "It was our own test"}


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """Operations' queue is given out; nothing is kept back."""
    text = packaged("capacity.yaml").replace("teams: {}", "teams: {operations: {automatic: true}}")
    (tmp_path / "capacity.yaml").write_text(text.replace("share: 0.1", "share: 0.0"))
    return tmp_path


@pytest.fixture
async def app(database: Database, policies: Path) -> AsyncIterator[RouterApp]:
    async with router_app(database, policies=policies) as opened:
        yield opened


@pytest.fixture
async def ana(app: RouterApp) -> Caller:
    return await app.caller()


async def enter(caller: Caller, person: str, team: str = "operations", **body: Any) -> None:
    answer = await caller.put(f"/v1/teams/{team}/members/{person}", body)
    assert answer.status_code == 200, answer.text


async def arrive(app: RouterApp, *numbers: int, severity: float = 60.0, **options: Any) -> None:
    batch = [incoming(scored(n, customer=f"c-{n}", reading=score(severity), **options)) for n in numbers]
    await app.router.receive(*batch)


async def held(app: RouterApp) -> dict[str | None, int]:
    return Counter(item.assignee for item in await app.router.items() if item.state == "open")


async def test_what_comes_in_is_given_out_evenly_within_caps(app: RouterApp, ana: Caller) -> None:
    await enter(ana, "ben", cap=2)
    await enter(ana, "cleo", cap=4)
    await arrive(app, *range(4))
    assert await held(app) == {"ben": 1, "cleo": 3}
    await arrive(app, *range(4, 9))
    assert await held(app) == {"ben": 2, "cleo": 4, None: 3}
    for item in await app.router.items():
        log = await app.router.log(item.id)
        assert item == fold(log)
        if item.assignee:
            assert (item.team, item.assigned_by, item.touched) == ("operations", "machine", False)
            assert "has the most room" in (log[-1].reason or "")
    announced = [c for c in await app.router.sent(BACKLOG.name) if c["change"] == "assigned"]
    assert len(announced) == 6


@pytest.mark.parametrize("freed_by", ["resolve", "reassign"])
async def test_the_queue_drains_when_room_is_made(app: RouterApp, ana: Caller, freed_by: str) -> None:
    await enter(ana, "ben", cap=1)
    await arrive(app, 1, severity=40)
    await arrive(app, 2, severity=50)
    await arrive(app, 3, severity=90)
    items = {item.weight.score: item for item in await app.router.items()}
    assert [items[s].assignee for s in (40, 50, 90)] == ["ben", None, None]
    body = QUIETLY if freed_by == "resolve" else {"team": "product", "reason": "not ours"}
    assert (await ana.act(items[40].id, freed_by, body)).status_code == 200
    items = {item.weight.score: item for item in await app.router.items()}
    assert [items[s].assignee for s in (50, 90)] == [None, "ben"]


async def test_claiming_for_another_frees_a_place_and_the_machine_never_takes_it_back(
    app: RouterApp, ana: Caller
) -> None:
    await enter(ana, "ben", cap=1)
    await arrive(app, 1, 2)
    first, second = sorted(await app.router.items(), key=lambda item: item.assignee is None)
    assert (first.assignee, second.assignee) == ("ben", None)
    await ana.act(first.id, "claim", {"assignee": "dora"})
    await arrive(app, 3)
    await app.core.assign_waiting.sweep()
    by_id = {item.id: item for item in await app.router.items()}
    assert (by_id[first.id].assignee, by_id[first.id].assigned_by) == ("dora", "person")
    assert by_id[second.id].assignee == "ben"


async def test_a_person_who_is_entered_gets_what_waits_and_one_who_is_away_nothing(
    app: RouterApp, ana: Caller
) -> None:
    await arrive(app, 1, 2)
    assert await held(app) == {None: 2}
    await enter(ana, "ben", away_until=(NOON + timedelta(days=1)).isoformat())
    assert await held(app) == {None: 2}
    app.clock.forward(days=1)
    await app.core.assign_waiting.sweep()
    assert await held(app) == {"ben": 2}


async def test_teams_that_did_not_ask_for_it_keep_their_queue(app: RouterApp, ana: Caller) -> None:
    await enter(ana, "pia", team="product")
    await app.router.receive(incoming(scored(1, reading=score(60, "product/defect"))))
    await app.core.assign_waiting.sweep()
    assert await held(app) == {None: 1}


async def test_the_owner_of_a_strategic_account_gets_its_items_without_being_asked_for(
    app: RouterApp, ana: Caller
) -> None:
    reading = score(60, "account/contract")
    await app.router.receive(incoming(scored(1, tier="strategic", owner="olga", reading=reading)))
    (item,) = await app.router.items()
    assert (item.team, item.assignee, item.owner, item.tier) == (
        "account-management",
        "olga",
        "olga",
        "strategic",
    )
    await enter(ana, "olga", team="account-management", cap=1)
    other = scored(2, customer="c-2", tier="strategic", owner="olga", reading=reading)
    await app.router.receive(incoming(other))
    assert await held(app) == {"olga": 1, None: 1}
    assert (await ana.act(item.id, "resolve", QUIETLY)).status_code == 200
    assert await held(app) == {"olga": 1}


async def test_what_is_handed_over_no_longer_waits_for_the_owner_of_the_account(
    app: RouterApp, ana: Caller
) -> None:
    reading = score(60, "account/contract")
    await app.router.receive(incoming(scored(1, tier="strategic", owner="olga", reading=reading)))
    (item,) = await app.router.items()
    assert item.assignee == "olga"
    moved = await ana.act(item.id, "reassign", {"team": "product", "reason": "it is a bug"})
    assert (moved.json()["team"], moved.json()["assignee"]) == ("product", None)
    await app.core.assign_waiting.sweep()
    assert await held(app) == {None: 1}


async def test_a_new_ladder_is_looked_at_for_what_is_open_already(app: RouterApp) -> None:
    await arrive(app, 1)
    app.clock.forward(hours=22)
    while await app.core.timekeeper.look():
        pass
    assert await app.core.timekeeper.look() == 0
    assert await LookAgain(app.router.database, app.clock).all("default") == 1
    assert await app.core.timekeeper.look() == 1


async def test_what_was_let_lie_goes_to_somebody_else(app: RouterApp, ana: Caller) -> None:
    await enter(ana, "ben")
    await arrive(app, 1, severity=90)
    (item,) = await app.router.items()
    assert item.assignee == "ben"
    # The clock of the tests stands on a Sunday; the office opens on Monday at nine.
    app.clock.forward(hours=22)
    while await app.core.timekeeper.look():
        pass
    (item,) = await app.router.items()
    assert item.assignee is None
    await app.core.assign_waiting.sweep()
    assert await held(app) == {None: 1}
    await enter(ana, "cleo")
    assert await held(app) == {"cleo": 1}


async def test_a_giving_out_can_be_looked_up_and_made_again(
    app: RouterApp, ana: Caller, policies: Path
) -> None:
    await enter(ana, "ben", cap=1)
    await arrive(app, 1, 2)
    given = next(item for item in await app.router.items() if item.assignee)
    entry = (await app.router.log(given.id))[-1]
    kept = (await ana.get(f"/v1/allocations/{entry.data['allocation']}")).json()
    assert len(kept["inputs"]["queue"]) == 2
    capacity = load_policies(policies).capacity
    assert outcome_of(again(kept["inputs"], capacity)) == kept["outcome"]
    stranger = await app.caller("acme")
    assert (await stranger.get(f"/v1/allocations/{kept['id']}")).status_code == 404


async def test_caps_hold_however_many_give_out_at_once(
    app: RouterApp, ana: Caller, database_settings: DatabaseSettings, policies: Path
) -> None:
    await arrive(app, *range(30))
    other_database = Database(database_settings)
    async with router_app(other_database, policies=policies) as other:
        await enter(ana, "ben", cap=5)
        await enter(ana, "cleo", cap=5)
        items = [item for item in await app.router.items() if item.assignee]
        assert await held(app) == {"ben": 5, "cleo": 5, None: 20}

        async def resolve(caller: Caller, item: Item) -> None:
            assert (await caller.act(item.id, "resolve", QUIETLY)).status_code == 200

        bea = await other.caller(name="bea")
        await asyncio.gather(
            *(resolve(ana if n % 2 else bea, item) for n, item in enumerate(items[:8])),
            app.core.assign_waiting.sweep(),
            other.core.assign_waiting.sweep(),
            arrive(app, *range(100, 110)),
            arrive(other, *range(200, 210)),
        )
        await app.core.assign_waiting.sweep()
        counts = await held(app)
        assert (counts["ben"], counts["cleo"], counts[None]) == (5, 5, 32)
    await other_database.close()


async def test_people_of_a_team_are_shown_with_what_they_have(app: RouterApp, ana: Caller) -> None:
    await enter(ana, "ben", cap=3, tiers=["key"], skills=["operations/billing"], time_zone="Europe/Berlin")
    await arrive(app, 1, tier="key")
    shown = (await ana.get("/v1/teams/operations/members")).json()
    (ben,) = shown["members"]
    assert (shown["automatic"], ben["load"], ben["room"], ben["changed_by"]) == (True, 1, 2, "ana")
    assert (await ana.get("/v1/teams/operations/members/ben")).json() == ben
    assert (await ana.delete("/v1/teams/operations/members/ben")).status_code == 204
    assert (await ana.delete("/v1/teams/operations/members/ben")).status_code == 404
    assert await held(app) == {"ben": 1}


@pytest.mark.parametrize(
    ("team", "person", "body", "status", "pointer"),
    [
        ("nobody", "ben", {}, 404, None),
        ("operations", "router", {}, 422, "path:person"),
        ("operations", "ben", {"cap": 0}, 422, "/cap"),
        ("operations", "ben", {"time_zone": "Mars/Olympus"}, 422, "/time_zone"),
        ("operations", "ben", {"tiers": ["gold"]}, 422, "/tiers/0"),
        ("operations", "ben", {"skills": ["Billing!"]}, 422, "/skills/0"),
        ("operations", "ben", {"away_until": "tomorrow"}, 422, "/away_until"),
        ("operations", "ben", {"capp": 3}, 422, "/capp"),
    ],
)
async def test_who_cannot_be_entered_is_told_why(
    ana: Caller, team: str, person: str, body: dict[str, Any], status: int, pointer: str | None
) -> None:
    answer = await ana.put(f"/v1/teams/{team}/members/{person}", body)
    assert answer.status_code == status
    if pointer:
        assert answer.json()["errors"][0]["pointer"] == pointer
    assert (await ana.get("/v1/teams/operations/members")).json()["members"] == []


async def test_tenants_do_not_see_each_other_s_people(app: RouterApp, ana: Caller) -> None:
    await enter(ana, "ben")
    stranger = await app.caller("acme")
    assert (await stranger.get("/v1/teams/operations/members")).json()["members"] == []
    await app.router.receive(incoming(scored(1), tenant="acme"))
    (theirs,) = await app.router.items("acme")
    assert theirs.assignee is None


async def test_a_reader_enters_nobody(app: RouterApp) -> None:
    reader = await app.caller("default", "items:read", name="rita")
    assert (await reader.put("/v1/teams/operations/members/ben", {})).status_code == 403
