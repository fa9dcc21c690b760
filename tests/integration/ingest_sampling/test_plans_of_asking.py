"""How many to ask, waves until there are enough answers, and what the surveys engine makes of a plan."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.integration.ingest.conftest import Key
from tests.integration.ingest_sampling.conftest import Invited, Known
from tests.support.clock import NOON, FakeClock

from heardback_ingest.adapters.postgres_sampling import PostgresPlans
from heardback_ingest.main import Ingest

RATE = {"expected": 0.3, "kappa": 200}
PLAN = {"survey": "relation", "population": 5_000, "half_width": 0.1, "response": RATE}


class Desk:
    """One key."""

    def __init__(self, http: httpx.AsyncClient, headers: dict[str, str]) -> None:
        self._http, self._headers = http, headers

    async def post(self, path: str, body: Any, status: int = 200) -> Any:
        answer = await self._http.post(path, json=body, headers=self._headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def get(self, path: str, status: int = 200) -> Any:
        answer = await self._http.get(path, headers=self._headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def plan(self, **fields: Any) -> Any:
        return await self.post("/v1/sampling-plans", {**PLAN, **fields}, 201)

    async def wave(self, plan: Any, number: int, status: int = 200) -> Any:
        return await self.post(f"/v1/sampling-plans/{plan['id']}/next-wave", {"wave": number}, status)


@pytest.fixture
async def desk(http: httpx.AsyncClient, key: Key) -> Desk:
    return Desk(http, await key("surveys:write"))


async def test_a_target_that_cannot_be_reached_gives_what_can(desk: Desk) -> None:
    """800 people, ±5 points at 95 %, of whom 15 % answer: 260 answers are needed and about 120 come."""
    body = {
        "survey": "relation",
        "population": 800,
        "half_width": 0.05,
        "confidence": 0.95,
        "response": {"expected": 0.15, "kappa": 1000},
    }
    found = await desk.post("/v1/sampling:plan", body)
    assert (found["reachable"], found["answers"], found["invites"]) == (False, 260, 800)
    assert (found["expected"]["answers"], round(found["expected"]["half_width"], 4)) == (120, 0.0825)
    assert found["assured"]["half_width"] > found["expected"]["half_width"]
    assert found["assumed"]["population"] == 800
    assert found["assumed"]["response"] == {"expected": 0.15, "kappa": 1000.0, "from": "told"}
    refused = await desk.post("/v1/sampling-plans", body, 422)
    assert refused["errors"][0]["pointer"] == "/half_width"
    assert "±8.25 points" in refused["errors"][0]["detail"]
    made = await desk.post("/v1/sampling-plans", {**body, "best_effort": True}, 201)
    assert made["state"] == "running"


async def test_the_rate_is_learned_from_what_was_sent_and_fades(
    desk: Desk, invited: Invited, clock: FakeClock
) -> None:
    asked = {key: value for key, value in PLAN.items() if key != "response"}
    first = await desk.post("/v1/sampling:plan", asked)
    assert first["assumed"]["response"] == {"expected": 0.15, "kappa": 40.0, "from": "prior"}
    at = NOON - timedelta(days=15)
    await invited("relation", [(f"p-{n}", at, n % 2 == 0) for n in range(400)])
    await invited("relation", [(f"p-{n}", at, True) for n in range(50)], kind="reminder")
    await invited("other", [(f"p-{n}", at, True) for n in range(50)])
    learned = (await desk.post("/v1/sampling:plan", asked))["assumed"]["response"]
    assert learned["from"] == "learned"
    weight = 0.5 ** (15 / 90)
    assert learned["expected"] == pytest.approx((6 + 200 * weight) / (40 + 400 * weight))
    clock.forward(days=180)
    later = (await desk.post("/v1/sampling:plan", asked))["assumed"]["response"]
    assert later["kappa"] < learned["kappa"]


async def test_waves_go_out_one_after_another_until_there_are_enough_answers(
    desk: Desk, invited: Invited, clock: FakeClock
) -> None:
    plan = await desk.plan()
    needed, planned = plan["size"]["answers"], plan["size"]["invites"]
    assert plan["progress"]["allowed"] == 0
    assert (await desk.wave(plan, 2, 422))["errors"][0]["pointer"] == "/wave"
    opened = await desk.wave(plan, 1)
    first = opened["progress"]["allowed"]
    assert first == -(-planned * 60 // 100)
    assert await desk.wave(plan, 1) == opened
    early = await desk.wave(plan, 2, 409)
    assert early["detail"].startswith(f"0 of the {first} invites")
    clock.forward(hours=1)
    await invited("relation", [(f"p-{n}", clock.now(), n < needed - 10) for n in range(first)])
    assert "may still come" in (await desk.wave(plan, 2, 409))["detail"]
    clock.forward(days=3)
    second = await desk.wave(plan, 2)
    assert 10 <= second["waves"][1]["invites"] <= planned - first
    record = second["waves"][1]["record"]
    assert (record["sent"], record["answered"], record["why"]) == (first, needed - 10, "more")
    more = second["waves"][1]["invites"]
    await invited("relation", [(f"q-{n}", clock.now(), n < 10) for n in range(more - 1)])
    done = await desk.wave(plan, 3)
    assert (done["state"], done["because"]) == (
        "reached",
        f"{needed} of {first + more - 1} answered; {needed} are enough.",
    )
    assert (await desk.wave(plan, 3, 409))["detail"] == "The plan has ended: reached."


async def test_two_who_open_the_same_wave_open_one(desk: Desk) -> None:
    plan = await desk.plan()
    both = await asyncio.gather(*(desk.wave(plan, 1) for _ in range(4)))
    assert {one["progress"]["allowed"] for one in both} == {both[0]["waves"][0]["invites"]}
    assert [len(one["waves"]) for one in both] == [1, 1, 1, 1]


async def test_a_wave_that_is_not_committed_was_never_opened(
    desk: Desk, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, whole = await desk.plan(), PostgresPlans.open_wave

    async def killed(*told: Any) -> None:
        await whole(*told)
        raise RuntimeError("killed after the row was written")

    monkeypatch.setattr(PostgresPlans, "open_wave", killed)
    assert (await desk.wave(plan, 1, 500))["status"] == 500
    monkeypatch.undo()
    assert (await desk.get(f"/v1/sampling-plans/{plan['id']}"))["waves"] == []
    assert len((await desk.wave(plan, 1))["waves"]) == 1


async def test_a_plan_that_sent_all_ends_without_its_target(
    desk: Desk, invited: Invited, clock: FakeClock
) -> None:
    plan = await desk.plan(wait_days=0)
    clock.forward(hours=1)
    out = 0
    for number in (1, 2, 3):
        opened = await desk.wave(plan, number)
        allowed = opened["progress"]["allowed"]
        await invited("relation", [(f"p-{n}", clock.now(), False) for n in range(out, allowed)])
        out = allowed
    assert out == plan["size"]["invites"]
    done = await desk.wave(plan, 4)
    assert (done["state"], done["progress"]["half_width"]) == ("all_sent", 1.0)


async def test_one_plan_runs_for_a_survey_and_a_segment(desk: Desk, known: Known) -> None:
    plan = await desk.plan()
    clash = await desk.post("/v1/sampling-plans", PLAN, 409)
    assert "for survey relation and everybody is running" in clash["detail"]
    nobody = await desk.post("/v1/sampling:plan", {"survey": "relation", "segment": "smb"}, 422)
    assert nobody["errors"][0]["pointer"] == "/population"
    await known([f"p-{n}" for n in range(30)], "smb", at=NOON)
    narrow = {
        "survey": "relation",
        "segment": "smb",
        "half_width": 0.2,
        "response": RATE,
        "best_effort": True,
    }
    other = await desk.post("/v1/sampling-plans", narrow, 201)
    assert other["size"]["assumed"]["population"] == 30
    stopped = await desk.post(f"/v1/sampling-plans/{plan['id']}/stop", {"reason": "enough for now"})
    assert (stopped["state"], stopped["because"]) == ("stopped", "enough for now")
    await desk.plan()
    listed = (await desk.get("/v1/sampling-plans"))["plans"]
    assert {one["state"] for one in listed} == {"running", "stopped"}
    assert len(listed) == 3


async def test_a_survey_under_a_plan_asks_no_more_than_its_waves_allow(
    http: httpx.AsyncClient, key: Key, desk: Desk
) -> None:
    people = [f"p-{n}" for n in range(12)]
    admin = await key("admin")
    for person in people:
        await http.put(f"/v1/customers/{person}", json={"source": "crm", "segment": "smb"}, headers=admin)
    wanted = {
        "population": 12,
        "segment": "smb",
        "half_width": 0.25,
        "response": {"expected": 0.7, "kappa": 900},
    }
    plan = await desk.plan(**wanted)

    async def reserved(person: str) -> Any:
        body = {"customer": person, "survey": "relation", "type": "nps", "channel": "email"}
        return await desk.post("/v1/survey-invitations:reserve", body)

    none = await reserved("p-0")
    assert [reason["code"] for reason in none["reasons"]] == ["enough_asked"]
    assert plan["id"] in none["reasons"][0]["detail"]
    allowed = (await desk.wave(plan, 1))["progress"]["allowed"]
    assert 1 < allowed < 12
    given = [(await reserved(person))["allowed"] for person in people]
    assert given == [True] * allowed + [False] * (12 - allowed)
    assert (await desk.get(f"/v1/sampling-plans/{plan['id']}"))["progress"]["held"] == allowed
    await desk.post(f"/v1/sampling-plans/{plan['id']}/stop", {"reason": "by the rules alone again"})
    assert (await reserved(people[-1]))["allowed"] is True


async def test_many_asked_at_once_get_no_more_than_is_left(
    http: httpx.AsyncClient, key: Key, desk: Desk
) -> None:
    admin = await key("admin")
    people = [f"p-{n}" for n in range(12)]
    for person in people:
        await http.put(f"/v1/customers/{person}", json={"source": "crm", "tier": "key"}, headers=admin)
    plan = await desk.plan(population=12, half_width=0.25, response={"expected": 0.7, "kappa": 900})
    allowed = (await desk.wave(plan, 1))["progress"]["allowed"]
    body = [{"customer": p, "survey": "relation", "type": "nps", "channel": "email"} for p in people]
    answers = await desk.post("/v1/survey-invitations:reserve", body)
    assert [one["allowed"] for one in answers] == [True] * allowed + [False] * (12 - allowed)


async def test_twenty_at_the_very_same_moment_get_exactly_what_is_left(
    http: httpx.AsyncClient, key: Key, desk: Desk
) -> None:
    admin = await key("admin")
    people = [f"p-{n}" for n in range(20)]
    for person in people:
        await http.put(f"/v1/customers/{person}", json={"source": "crm", "tier": "key"}, headers=admin)
    plan = await desk.plan(population=12, half_width=0.25, response={"expected": 0.7, "kappa": 900})
    allowed = (await desk.wave(plan, 1))["progress"]["allowed"]

    async def reserved(person: str) -> bool:
        body = {"customer": person, "survey": "relation", "type": "nps", "channel": "email"}
        given: bool = (await desk.post("/v1/survey-invitations:reserve", body))["allowed"]
        return given

    answers = await asyncio.gather(*(reserved(person) for person in people))
    assert sum(answers) == allowed < len(people)


async def test_in_an_array_only_who_is_asked_takes_an_invite(
    http: httpx.AsyncClient, key: Key, desk: Desk
) -> None:
    """Twelve of whom nothing is known come first; what is left is for the known ones after them."""
    admin = await key("admin")
    known = [f"p-{n}" for n in range(12)]
    for person in known:
        await http.put(f"/v1/customers/{person}", json={"source": "crm", "tier": "key"}, headers=admin)
    plan = await desk.plan(population=12, half_width=0.25, response={"expected": 0.7, "kappa": 900})
    allowed = (await desk.wave(plan, 1))["progress"]["allowed"]
    people = [f"nobody-{n}" for n in range(12)] + known
    body = [{"customer": p, "survey": "relation", "type": "nps", "channel": "email"} for p in people]
    checked = await desk.post("/v1/survey-invitations:check", body)
    assert [one["allowed"] for one in checked] == [False] * 12 + [True] * 12  # each as if alone
    answers = await desk.post("/v1/survey-invitations:reserve", body)
    assert [one["allowed"] for one in answers] == [False] * 12 + [True] * allowed + [False] * (12 - allowed)


async def test_tenants_do_not_see_each_others_plans(http: httpx.AsyncClient, key: Key, desk: Desk) -> None:
    plan = await desk.plan()
    other = Desk(http, await key("surveys:write", tenant="other"))
    assert (await other.get("/v1/sampling-plans"))["plans"] == []
    await other.get(f"/v1/sampling-plans/{plan['id']}", 404)
    await other.wave(plan, 1, 404)
    await other.plan()


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("half_width", 0, "/half_width"),
        ("half_width", 1e-300, "/half_width"),
        ("share", 1e-300, "/share"),
        ("response", {"expected": 1e-300}, "/response/expected"),
        ("response", {"expected": 0.2, "kappa": 1e-300}, "/response/kappa"),
        ("confidence", 0.2, "/confidence"),
        ("population", 0, "/population"),
        ("response", {"expected": 1.5}, "/response/expected"),
        ("response", {"expected": 0.2, "as_of": "2040-01-01T00:00:00Z"}, "/response/as_of"),
        ("misspelt", 1, "/misspelt"),
    ],
)
async def test_what_cannot_be_planned_is_told_with_its_place(
    desk: Desk, field: str, value: Any, pointer: str
) -> None:
    refused = await desk.post("/v1/sampling:plan", {**PLAN, field: value}, 422)
    assert [fault["pointer"] for fault in refused["errors"]] == [pointer]


@pytest.mark.parametrize("population", [1, 2, 10_000_000])
@pytest.mark.parametrize("half_width", [0.0001, 0.999])
@pytest.mark.parametrize("expected", [0.0001, 0.9999])
async def test_what_may_be_asked_at_the_edges_is_planned(
    desk: Desk, population: int, half_width: float, expected: float
) -> None:
    asked = {"population": population, "half_width": half_width, "share": 0.001}
    rate = {"expected": expected, "kappa": 1, "as_of": "1900-01-02T00:00:00Z"}
    found = await desk.post("/v1/sampling:plan", {"survey": "s", "response": rate, **asked})
    assert 1 <= found["answers"] <= population
    assert 1 <= found["invites"] <= population
    assert 0 <= found["expected"]["half_width"] <= 1


async def test_of_surveys_that_may_ask_the_one_that_learns_most_asks(
    desk: Desk, invited: Invited, clock: FakeClock, known: Known
) -> None:
    await known(["p-1"], "smb", at=NOON)
    await desk.plan(survey="full")
    await desk.plan(survey="empty")
    clock.forward(hours=1)
    await invited("full", [(f"p-{n}", clock.now(), n % 3 == 0) for n in range(120)])
    asked = {"slot": "visit-1", "customer_id": "p-1", "surveys": ["full", "empty"]}
    choice = await desk.post("/v1/sampling:choose", asked)
    assert (choice["chosen"], choice["code"], choice["segment"]) == ("empty", "most_value", "smb")
    assert [one["survey"] for one in choice["contenders"]] == ["empty", "full"]
    await invited("empty", [(f"r-{n}", clock.now(), True) for n in range(200)])
    assert await desk.post("/v1/sampling:choose", asked) == choice
    assert await desk.get("/v1/sampling/choices/visit-1") == choice
    taken = await desk.post("/v1/sampling:choose", {**asked, "customer_id": "p-2"}, 409)
    assert "another customer" in taken["detail"]
    later = await desk.post("/v1/sampling:choose", {**asked, "slot": "visit-2"})
    assert (later["chosen"], later["code"]) == ("full", "only_one")
    await desk.get("/v1/sampling/choices/visit-3", 404)
    assert (await desk.post("/v1/sampling:choose", {**asked, "surveys": ["a", "a"]}, 422))["errors"]
