"""What users of other products complain of when items are assigned, as tests on a real database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.router_http import Caller, RouterApp, router_app
from tests.support.scored import incoming, score, scored

from heardback_router.configuration.source import packaged
from heardback_shared.db.database import Database

QUIETLY = {"root_cause": "A test", "action": "None", "not_telling_because": "It was our own test"}


@pytest.fixture
async def app(database: Database, tmp_path: Path) -> AsyncIterator[RouterApp]:
    text = packaged("capacity.yaml").replace("teams: {}", "teams: {operations: {automatic: true}}")
    (tmp_path / "capacity.yaml").write_text(text)
    async with router_app(database, policies=tmp_path) as opened:
        yield opened


@pytest.fixture
async def ana(app: RouterApp) -> Caller:
    return await app.caller()


async def test_complaint_a_person_never_replaces_the_team(app: RouterApp, ana: Caller) -> None:
    await app.router.receive(incoming(scored(1)))
    (item,) = await app.router.items()
    for command, body in (
        ("claim", {}),
        ("claim", {"assignee": "ben"}),
        ("start", {}),
        ("resolve", QUIETLY),
        ("reopen", {"reason": "it is back"}),
        ("claim", {"assignee": "cleo"}),
    ):
        answer = (await ana.act(item.id, command, body)).json()
        assert answer["team"] == "operations", command
    assert answer["assignee"] == "cleo"
    teams = {team["team"]: team for team in (await ana.get("/v1/backlog")).json()["teams"]}
    assert teams["operations"]["unresolved"] == 1


async def test_complaint_a_hand_made_assignment_is_not_undone_by_the_machine(
    app: RouterApp, ana: Caller
) -> None:
    await ana.put("/v1/teams/operations/members/ben", {})
    unsure = score(40, "operations/billing", confidence=0.26)
    await app.router.receive(incoming(scored(1, reading=unsure)))
    (item,) = await app.router.items()
    assert item.team == "triage"
    await ana.act(item.id, "claim", {"assignee": "dora"})
    # A better reading would send it to operations; the weight follows, the hand stays.
    better = scored(1, pass_number=2, reading=score(70, "operations/billing"))
    await app.router.receive(incoming(better))
    await app.core.assign_waiting.sweep()
    (after,) = await app.router.items()
    assert (after.team, after.assignee, after.weight.score) == ("triage", "dora", 70.0)


async def test_complaint_assigned_but_nobody_acts(app: RouterApp, ana: Caller) -> None:
    await ana.put("/v1/teams/operations/members/ben", {})
    await app.router.receive(incoming(scored(1, reading=score(90))))
    (item,) = await app.router.items()
    assert item.assignee == "ben"
    came = []
    # Sunday noon until Monday noon, looked at every half hour as a running process would.
    for _ in range(48):
        app.clock.forward(minutes=30)
        while await app.core.timekeeper.look():
            pass
        came = [e for e in await app.router.log(item.id) if e.kind in {"released", "escalated"}]
    assert [(e.kind, e.data.get("level")) for e in came] == [
        ("released", None),
        ("escalated", "lead"),
        ("escalated", "manager"),
    ]
    assert [e.at.strftime("%a %H:%M") for e in came] == ["Mon 09:30", "Mon 10:00", "Mon 11:00"]
    (after,) = await app.router.items()
    assert (after.team, after.assignee, after.counts.escalations) == ("operations", None, 2)


async def test_complaint_the_queue_is_not_drained_when_somebody_has_room(app: RouterApp, ana: Caller) -> None:
    await ana.put("/v1/teams/operations/members/ben", {"cap": 1})
    await app.router.receive(*(incoming(scored(n, customer=f"c-{n}")) for n in range(3)))
    done = set()
    for _ in range(3):
        (busy,) = [item for item in await app.router.items() if item.assignee and item.state == "open"]
        assert (await ana.act(busy.id, "resolve", QUIETLY)).status_code == 200
        done.add(busy.id)
    assert len(done) == 3
