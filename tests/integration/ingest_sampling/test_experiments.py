"""From lots to a suggested cap, its draft at the real router, its approval, and whether it helped."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import text
from tests.integration.ingest.conftest import Key
from tests.integration.ingest_sampling.conftest import Invited
from tests.support.asking_truth import Truth, asked
from tests.support.broker import free_port
from tests.support.clock import NOON, FakeClock
from tests.support.policies import House
from tests.support.router_http import RouterApp, router_app
from tests.support.serving import served

from heardback_ingest.adapters.postgres_experiments import PostgresExperiments
from heardback_ingest.adapters.router_drafts import RouterDrafts
from heardback_ingest.app.sampling.arms import Arms
from heardback_ingest.domain.sampling.arms import Experiment, drawn
from heardback_ingest.main import Ingest, build
from heardback_ingest.settings import IngestSettings
from heardback_shared.db.database import Database
from heardback_shared.errors import ProblemError
from heardback_shared.health import Readiness
from heardback_shared.metrics import Metrics
from heardback_shared.settings import ServiceSettings

SHARE = 0.5
_REFUSED = """
INSERT INTO platform.contact_consent (tenant_id, customer_id, id, scope, given, provenance, source, proved,
    recorded_by, at, recorded_at)
VALUES ('default', 'p-1', 'cc_1', 'surveys', false, 'stated', 'page', true, 'test', :at, :at)
"""
START = {"share": SHARE, "reason": "What do customers bear?"}
TRUTH = Truth(per_ask=-0.9, visits=50.0, days=200, rest=-0.5)
PEOPLE = 3_000


@pytest.fixture
async def admin(key: Key) -> dict[str, str]:
    return await key("admin")


async def reserved(http: httpx.AsyncClient, headers: dict[str, str], person: str) -> Any:
    body = {"customer": person, "survey": "relation", "type": "nps", "channel": "email"}
    answer = await http.post("/v1/survey-invitations:reserve", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_who_is_in_an_arm_is_asked_at_its_distance_and_others_are_not(
    http: httpx.AsyncClient, admin: dict[str, str], clock: FakeClock, database: Database
) -> None:
    started = await http.post("/v1/fatigue/experiment", json=START, headers=admin)
    assert started.status_code == 201, started.text
    experiment = Experiment(started.json()["experiment"]["id"], (30, 60, 90), SHARE)
    people: dict[int | None, str] = {}
    for number in range(60):
        people.setdefault(drawn(experiment, "default", f"p-{number}"), f"p-{number}")
    assert set(people) == {None, 30, 60, 90}
    for person in people.values():
        await http.put(f"/v1/customers/{person}", json={"source": "crm", "tier": "key"}, headers=admin)
        place = (await reserved(http, admin, person))["reservation"]
        await http.post("/v1/survey-invitations:confirm", json={"reservation": place}, headers=admin)
    clock.forward(days=20)
    for gap, person in people.items():
        body = {"customer": person, "survey": "another", "type": "nps", "channel": "email"}
        answer = (await http.post("/v1/survey-invitations:check", json=body, headers=admin)).json()
        rules = {reason["rule"] for reason in answer["reasons"]}
        assert rules == ({f"arm-{gap}"} if gap else set())
    current = (await http.get("/v1/fatigue/experiment", headers=admin)).json()
    assert current["people"] == {"gap-30": 1, "gap-60": 1, "gap-90": 1}
    again = await http.post("/v1/fatigue/experiment", json=START, headers=admin)
    assert again.status_code == 409
    ended = await http.post("/v1/fatigue/experiment:end", headers=admin)
    assert ended.json()["experiment"]["ended_by"] == "test"
    body = {"customer": people[90], "survey": "another", "type": "nps", "channel": "email"}
    assert (await http.post("/v1/survey-invitations:check", json=body, headers=admin)).json()["allowed"]
    assert (await http.post("/v1/fatigue/experiment:end", headers=admin)).status_code == 409


async def test_an_experiment_that_no_rule_would_keep_does_not_start(
    http: httpx.AsyncClient, admin: dict[str, str]
) -> None:
    refused = await http.post("/v1/fatigue/experiment", json={**START, "gaps": [30, 45]}, headers=admin)
    assert refused.status_code == 422
    assert "name: arm-45" in refused.json()["errors"][0]["detail"]
    assert "arm-30" not in refused.json()["errors"][0]["detail"]


async def test_without_an_experiment_nothing_is_said_and_nothing_suggested(
    http: httpx.AsyncClient, admin: dict[str, str], invited: Invited
) -> None:
    at = NOON - timedelta(days=40)
    await invited("relation", [(f"p-{n % 50}", at + timedelta(days=n / 20), n % 3 == 0) for n in range(400)])
    report = (await http.get("/v1/fatigue", headers=admin)).json()
    assert (report["effect"]["refused"], report["asks"], report["suggestion"]) == (
        "not_randomised",
        400,
        None,
    )
    assert [one["label"] for one in report["monitors"]] == ["by lot", "not randomised"]
    refused = await http.post("/v1/fatigue/suggestions", json={}, headers=admin)
    assert (refused.status_code, "drawn by lot" in refused.json()["detail"]) == (409, True)


async def test_only_who_may_approve_policies_starts_an_experiment(http: httpx.AsyncClient, key: Key) -> None:
    headers = await key("surveys:write", "policies:write")
    assert (await http.post("/v1/fatigue/experiment", json=START, headers=headers)).status_code == 403


@dataclass
class Both:
    """Router and ingest, each where the other finds it."""

    app: RouterApp
    ingest: Ingest
    house: House
    http: httpx.AsyncClient
    clock: FakeClock

    def forward(self, days: float) -> None:
        self.clock.forward(days=days)
        self.app.clock.forward(days=days)

    async def call(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = await self.http.request(method, path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture
async def both(database: Database, clock: FakeClock) -> AsyncIterator[Both]:
    service = ServiceSettings(secret_key=base64.b64encode(b"k" * 32).decode())

    def made(router_url: str | None) -> Ingest:
        settings = IngestSettings(router_url=router_url)
        return build(settings, service, database, clock, Metrics(), Readiness(running=True))

    async with (
        served(made(None).http) as ingest_url,
        router_app(database, ingest_url=ingest_url) as app,
        served(app.core.http) as router_url,
    ):
        ingest = made(router_url)
        token = await app.key("default", "admin", name="ana")
        transport = httpx.ASGITransport(ingest.http)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://ingest", headers=headers) as http:
            yield Both(app, ingest, await House.of(app), http, clock)


async def told(
    both: Both, invited: Invited, gaps: tuple[int, ...], count: int, begin: datetime, seed: int
) -> None:
    """People are asked as in the truth, each at the gap of the lot; at a gap of 7, those without one."""
    seen = asked(TRUTH, count, gaps, np.random.default_rng(seed))
    running = await both.call("GET", "/v1/fatigue/experiment")
    experiment = Experiment(running["experiment"]["id"], (30, 60, 90), SHARE)
    waiting: dict[int | None, list[str]] = {}
    for number in range(9 * count):
        waiting.setdefault(drawn(experiment, "default", f"p-{number}"), []).append(f"p-{number}")
    lots = iter([]) if gaps != (7,) else iter(waiting[None])
    names: dict[int, str] = {}
    for customer, gap in zip(seen.customer.tolist(), seen.gap.tolist(), strict=True):
        if customer not in names:
            names[customer] = next(lots) if gaps == (7,) else waiting[gap].pop()
    async with both.ingest.database.tenant("default") as c:
        await Arms(PostgresExperiments(), both.clock).of(c, "default", experiment, sorted(names.values()))
    rows = zip(seen.customer.tolist(), seen.day.tolist(), seen.answered.tolist(), strict=True)
    await invited(
        "relation", [(names[who], begin + timedelta(days=day, hours=1), yes) for who, day, yes in rows]
    )


async def test_a_cap_is_suggested_drafted_approved_and_looked_at_afterwards(
    both: Both, invited: Invited, database: Database
) -> None:
    await both.call("POST", "/v1/fatigue/experiment", START, 201)
    begin = both.clock.now()
    await told(both, invited, (30, 60, 90), PEOPLE, begin, 1)
    await told(both, invited, (7,), 300, begin, 2)
    both.forward(TRUTH.days + 8)
    report = await both.call("GET", "/v1/fatigue?fall=0.6&opt_outs=0.5")
    effect = report["effect"]
    assert (effect["refused"], effect["verdict"], len(effect["arms"])) == (None, "falls", 3)
    assert sum(arm["customers"] for arm in effect["arms"]) == PEOPLE
    assert report["suggestion"]["code"] == "longer_gap"
    made = await both.call("POST", "/v1/fatigue/suggestions", {"fall": 0.6, "opt_outs": 0.5}, 201)
    gap = made["gap"]
    assert gap in (30, 60, 90)
    # It is a draft and nothing more: who wrote it cannot approve it, and until then nothing changes.
    version = (await both.house.ana.get(f"/v1/policies/surveys/versions/{made['draft']}")).json()
    assert (version["state"], version["author"], version["text"]) == ("draft", "ana", made["policy"])
    assert report["suggestion"]["because"][:60] in version["reason"]
    before = await both.call("GET", "/v1/policies/surveys")
    assert before["policy"] == "default@1"
    await both.house.approve("surveys", made["draft"])
    await both.house.activate("surveys", made["draft"])
    now = await both.call("GET", "/v1/policies/surveys")
    assert (now["policy"], now["problem"]) == (f"default@1-gap{gap}", None)
    kept = (await both.call("GET", "/v1/fatigue/suggestions"))["suggestions"]
    assert [one["id"] for one in kept] == [made["id"]]
    assert kept[0]["evidence"]["effect"]["slope"] == pytest.approx(effect["slope"])
    await _looked_at_afterwards(both, invited)


async def _looked_at_afterwards(both: Both, invited: Invited) -> None:
    """The arms go on as before; those outside rest, and answer more."""
    running = await both.call("GET", "/v1/fatigue/experiment")
    assert running["experiment"]["ended_at"] is None
    changed = both.clock.now()
    experiment = Experiment(running["experiment"]["id"], (30, 60, 90), SHARE)
    outside = [f"p-{n}" for n in range(600) if drawn(experiment, "default", f"p-{n}") is None]
    later = [(person, changed + timedelta(days=30), number % 3 > 0) for number, person in enumerate(outside)]
    await invited("relation", later)
    await told(both, invited, (30, 60, 90), 1_000, changed - timedelta(days=TRUTH.days - 60), 3)
    both.forward(80)
    check = (await both.call("GET", "/v1/fatigue"))["check"]
    assert (check["verdict"], check["others_after"]["customers"]) == ("better", len(outside))
    assert check["low"] > 0


async def test_refusals_and_scores_come_from_what_is_stored(
    both: Both, invited: Invited, database: Database
) -> None:
    at = both.clock.now() - timedelta(days=30)
    await invited("relation", [("p-1", at, True), ("p-1", at + timedelta(days=10), False)])
    async with database.tenant("default") as c:
        await c.execute(text(_REFUSED), {"at": at + timedelta(days=12)})
    report = await both.call("GET", "/v1/fatigue")
    bands = report["monitors"][1]["bands"]
    assert [band["opted_out"]["count"] for band in bands] == [0, 1, 0, 0]
    assert bands[0]["answered"] == {"count": 1, "of": 1, "share": None, "low": None, "high": None}


async def test_without_router_a_suggestion_waits(http: httpx.AsyncClient, key: Key) -> None:
    drafts = RouterDrafts(None)
    with pytest.raises(ProblemError, match="HEARDBACK_INGEST_ROUTER_URL"):
        await drafts.propose("surveys", "x", "y", "Bearer z")
    with pytest.raises(ProblemError, match="does not answer"):
        await RouterDrafts(f"http://127.0.0.1:{free_port()}").propose("surveys", "x", "y", "Bearer z")
