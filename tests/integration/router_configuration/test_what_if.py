"""What-ifs over stored feedback: what changes is told one by one, and only what changes."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from tests.support.clock import NOON
from tests.support.fake_scoring import FakeScoring, as_stored, fake_scoring
from tests.support.policies import ROUTING, House, billing_to_accounts, renamed
from tests.support.router_http import RouterApp, router_app
from tests.support.scored import band_of, incoming, score, scored

from heardback_router.configuration.source import packaged
from heardback_router.whatif.steps import Job, Step, Steps
from heardback_shared.db.database import Database

CAUSES = ("operations/billing", "operations/fulfilment", "product/defect", None)
NUMBER = 450


@pytest.fixture
def scoring() -> Iterator[FakeScoring]:
    with fake_scoring() as fake:
        yield fake


@pytest.fixture
async def app(database: Database, scoring: FakeScoring) -> AsyncIterator[RouterApp]:
    async with router_app(database, scoring.url) as opened:
        yield opened


@pytest.fixture
async def house(app: RouterApp) -> House:
    """A tenant with some hundred feedbacks routed, the last of them just now."""
    batch = [
        incoming(
            scored(
                n,
                customer=f"c-{n}",
                reading=score(20.0 + n % 70, CAUSES[n % 4]),
                accepted_at=NOON - timedelta(minutes=10 * n),
            )
        )
        for n in range(NUMBER)
    ]
    for start in range(0, NUMBER, 150):
        await app.router.receive(*batch[start : start + 150])
    return await House.of(app)


async def ran(house: House, **asked: Any) -> dict[str, Any]:
    """A finished run."""
    started = await house.ana.post("/v1/what-if", asked)
    assert started.status_code == 202, started.text
    assert started.json()["state"] == "waiting"
    while await house.app.core.changing.runner.once():
        pass
    return dict((await house.ana.get(started.headers["Location"])).json())


async def every_change(house: House, run: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = (await house.ana.get(f"/v1/what-if/{run['id']}/changes", after=after, limit=70)).json()
        found += page["changes"]
        after = page["next_after"]
    return found


async def test_what_is_in_force_changes_nothing_and_every_decision_comes_out_again(house: House) -> None:
    run = await ran(house, kind="routing", text=ROUTING, days=30)
    assert (run["state"], run["changed"]) == ("done", 0), run
    report = run["report"]
    assert report["looked_at"] == NUMBER
    assert report["replay"] == {"checked": NUMBER, "same": NUMBER}
    assert report["says"] == f"Of the {NUMBER} feedbacks of the last 30 days nothing would be another."
    assert await every_change(house, run) == []


async def test_a_new_rule_moves_what_it_says_and_no_more(house: House) -> None:
    run = await ran(house, kind="routing", text=billing_to_accounts(), days=30)
    bills = [n for n in range(NUMBER) if CAUSES[n % 4] == "operations/billing"]
    report = run["report"]
    assert report["counts"]["team_changed"] == report["changed"] == len(bills)
    assert report["moves"] == [{"before": "operations", "after": "account-management", "count": len(bills)}]
    assert report["counts"]["items_moved"] == len(bills)
    loads = {one["team"]: one for one in report["teams"]}
    assert loads["operations"]["before"]["arrivals"] - loads["operations"]["after"]["arrivals"] == len(bills)
    assert loads["account-management"]["after"]["open"] == len(bills)
    assert sum(one["after"]["arrivals"] for one in report["teams"]) == NUMBER
    changes = await every_change(house, run)
    assert [one["number"] for one in changes] == list(range(1, len(bills) + 1))
    assert changes[0]["rule"] == {"before": "operations-domain", "after": "billing-to-accounts"}
    assert {"what": "team", "before": "operations", "after": "account-management"} in changes[0]["changes"]
    again = await ran(house, kind="routing", text=billing_to_accounts(), days=30)
    assert again["report_digest"] == run["report_digest"]
    assert again["report"] == run["report"]
    # Nothing of it took effect.
    assert {item.team for item in await house.app.router.items()} == {"operations", "product", "triage"}


async def test_days_until_and_limit_say_what_is_looked_at(house: House) -> None:
    text = billing_to_accounts()
    day = await ran(house, kind="routing", text=text, days=1)
    assert day["report"]["looked_at"] == 145  # every ten minutes of a day, both ends counted
    newest = await ran(house, kind="routing", text=text, days=30, limit=50)
    assert newest["report"]["looked_at"] == newest["progress"]["total"] == 50
    assert newest["report"]["changed"] == len([n for n in range(50) if n % 4 == 0])
    until = (NOON - timedelta(minutes=100)).isoformat()
    earlier = await ran(house, kind="routing", text=text, days=30, until=until)
    assert earlier["report"]["looked_at"] == NUMBER - 10


async def test_a_run_lets_a_reviewed_version_be_activated(house: House) -> None:
    number = await house.draft("routing", billing_to_accounts())
    await house.approve("routing", number)
    path = f"/v1/policies/routing/versions/{number}:activate"
    assert (await house.bo.post(path)).json()["type"].endswith("what-if-required")
    other = await ran(house, kind="routing", text=billing_to_accounts("else@1"), days=30)
    assert other["state"] == "done"
    assert (await house.bo.post(path)).status_code == 409
    run = await ran(house, kind="routing", version=number, days=30)
    activated = await house.bo.post(path)
    assert (activated.status_code, activated.json()["activation"]["what_if"]) == (200, run["id"])


async def test_another_taxonomy_is_judged_by_scoring_and_routed_anew(
    house: House, scoring: FakeScoring
) -> None:
    def judge(texts: Mapping[str, str | None], row: dict[str, Any]) -> dict[str, Any]:
        assert texts["severity"] is None
        found = as_stored(texts, row)
        for cause in found["root_causes"]:
            if cause["category"] == "defect":
                cause |= {"domain": "operations", "category": "repairs"}
        return {**found, "taxonomy": "ours@1"}

    scoring.judge = judge
    run = await ran(house, kind="taxonomy", text="policy: ours@1\n", days=30)
    assert run["state"] == "done", run
    defects = len([n for n in range(NUMBER) if CAUSES[n % 4] == "product/defect"])
    report = run["report"]
    assert report["counts"]["causes_changed"] == report["counts"]["team_changed"] == defects
    assert report["relabels"] == [
        {"before": "product/defect", "after": "operations/repairs", "count": defects}
    ]
    assert f"{defects} would be re-labelled" in report["says"]
    judged = [(body, bearer) for path, body, bearer in scoring.asked if path == "/v1/judge"]
    assert sum(len(body["feedback"]) for body, _ in judged) == NUMBER
    assert max(len(body["feedback"]) for body, _ in judged) <= 500
    assert all(bearer.startswith("Bearer hb_") for _, bearer in judged)
    row = judged[0][0]["feedback"][0]
    assert set(row) == {"accepted", "score", "embedding"}
    assert row["accepted"]["content"]["comment"]


async def test_a_severity_policy_as_it_judged_first_changes_nothing(
    house: House, scoring: FakeScoring
) -> None:
    run = await ran(house, kind="severity", text="policy: default@1\n", days=30)
    assert (run["report"]["changed"], run["report"]["replay"]) == (0, {"checked": NUMBER, "same": NUMBER})

    def harsher(texts: Mapping[str, str | None], row: dict[str, Any]) -> dict[str, Any]:
        found = as_stored(texts, row)
        old = found["severity"]["score"]
        found["severity"] |= {"score": min(100.0, old + 10), "policy": "default@1"}
        return found

    # A scoring that does not give again what it gave is found out.
    scoring.judge = harsher
    run = await ran(house, kind="severity", text="policy: default@1\n", days=30)
    assert run["report"]["replay"] == {"checked": NUMBER, "same": 0}
    assert run["report"]["counts"]["raised"] == NUMBER


async def test_weights_are_tried_item_by_item(house: House) -> None:
    text = packaged("weighing.yaml")
    assert (await ran(house, kind="weighing", text=text, days=30))["report"]["changed"] == 0
    # From the first customer on breadth adds three points, which lifts some over the edge of a band.
    stricter = renamed(text, "ours@1").replace("{at_least: 2, points: 2}", "{at_least: 1, points: 3}")
    run = await ran(house, kind="weighing", text=stricter, days=30)
    weights = [20 + n % 70 for n in range(NUMBER)]
    report = run["report"]
    assert (report["unit"], report["looked_at"], report["changed"]) == ("items", NUMBER, NUMBER)
    assert report["counts"]["raised"] == NUMBER
    lifted = len([w for w in weights if band_of(w) > ours(w + 3)])
    assert report["counts"]["band_changed"] == lifted > 0


def ours(weight: float) -> str:
    return "P1" if weight >= 70 else "P2" if weight >= 45 else "P3" if weight >= 20 else "P4"


async def test_other_targets_are_tried_on_the_logs_as_they_are(house: House) -> None:
    text = packaged("sla.yaml")
    house.app.clock.forward(days=3)
    same = await ran(house, kind="sla", text=text, days=30)
    assert same["report"]["changed"] == 0
    before = same["report"]["counts"]["breached_before"]
    assert same["report"]["counts"]["breached_after"] == before > 0
    looser = renamed(text, "ours@1").replace("first_response: {within: 2h}", "first_response: {within: 400h}")
    run = await ran(house, kind="sla", text=looser, days=30)
    urgent = len([n for n in range(NUMBER) if 20 + n % 70 >= 75])
    counts = run["report"]["counts"]
    assert run["report"]["changed"] == counts["breached_changed"] == urgent
    assert counts["breached_before"] - counts["breached_after"] == urgent
    assert f"Clocks run out: {before} before, {before - urgent} after." in run["report"]["says"]
    (change, *_) = await every_change(house, run)
    assert change["changes"] == [
        {"what": "breached", "before": ["first_response", "resolution"], "after": ["resolution"]}
    ]


async def test_a_cancelled_run_stops_and_is_no_report(house: House) -> None:
    started = (await house.ana.post("/v1/what-if", {"kind": "routing", "text": ROUTING})).json()
    gone = await house.ana.post(f"/v1/what-if/{started['id']}:cancel")
    assert (gone.status_code, gone.json()["state"]) == (200, "cancelled")
    assert not await house.app.core.changing.runner.once()
    assert (await house.ana.post(f"/v1/what-if/{started['id']}:cancel")).status_code == 409
    assert (await house.ana.post(f"/v1/what-if/{started['id']}:resume")).status_code == 409
    assert (await house.ana.get(f"/v1/what-if/{started['id']}")).json()["report"] is None


async def test_what_cannot_be_tried_is_said(house: House, scoring: FakeScoring) -> None:
    for asked, pointer in (
        ({"kind": "rooting", "text": ROUTING}, "/kind"),
        ({"kind": "grouping", "text": packaged("grouping.yaml")}, "/kind"),
        ({"kind": "routing"}, ""),
        ({"kind": "routing", "text": ROUTING, "version": 1}, ""),
        ({"kind": "routing", "version": 9}, "/version"),
        ({"kind": "routing", "text": "rules: []"}, "/text/policy"),
        ({"kind": "routing", "text": ROUTING, "days": 0}, "/days"),
        ({"kind": "routing", "text": ROUTING, "days": 400}, "/days"),
        ({"kind": "routing", "text": ROUTING, "until": "2030-01-01T00:00:00Z"}, "/until"),
        ({"kind": "taxonomy", "text": "domains: {}\n"}, "/text/policy"),
    ):
        answer = await house.ana.post("/v1/what-if", asked)
        assert answer.status_code == 422, (asked, answer.text)
        assert pointer in [error["pointer"] for error in answer.json()["errors"]], answer.text
    scoring.status = 500
    down = await house.ana.post("/v1/what-if", {"kind": "severity", "text": "policy: x@1"})
    assert (down.status_code, down.headers["Retry-After"]) == (503, "5")
    assert (await house.ana.get("/v1/what-if/wi_none")).status_code == 404
    assert (await house.bo.post("/v1/policies/routing/versions", {})).status_code == 403


async def test_what_a_person_corrected_keeps_its_label(
    app: RouterApp, house: House, scoring: FakeScoring
) -> None:
    def judge(texts: Mapping[str, str | None], row: dict[str, Any]) -> dict[str, Any]:
        found = as_stored(texts, row)
        found["root_causes"] = [{"domain": "things", "category": "parcels", "confidence": 0.9, "nearest": []}]
        return {**found, "taxonomy": "ours@1"}

    scoring.judge = judge
    worker = await app.caller()
    corrected = (await app.router.links())[7]["feedback_id"]
    said = await worker.post(
        f"/v1/feedback/{corrected}:correct", {"root_causes": ["product/wish"], "reason": "I asked her."}
    )
    assert said.status_code == 200, said.text
    run = await ran(house, kind="taxonomy", text="policy: ours@1\n", days=30)
    assert run["report"]["counts"]["held_by_people"] == 1
    assert run["report"]["changed"] == NUMBER - 1
    assert corrected not in [change["feedback_id"] for change in await every_change(house, run)]


class Dying:
    """Steps of a process that is told to stop, or killed, after some of them."""

    def __init__(self, steps: Steps, stop: asyncio.Event, after: int) -> None:
        self._steps, self._stop, self._left = steps, stop, after

    async def next(self, job: Job, place: Sequence[str]) -> Step:
        self._left -= 1
        if self._left == 0:
            self._stop.set()
        return await self._steps.next(job, place)


async def half_way(app: RouterApp, run: str) -> None:
    """One step of the run is done, and its process is gone."""
    runner, stop = app.core.changing.runner, asyncio.Event()
    runner._steps = Dying(runner._steps, stop, 1)  # type: ignore[assignment]
    assert await runner.once(stop)


async def test_another_process_goes_on_where_one_ended(
    app: RouterApp, house: House, database: Database, scoring: FakeScoring
) -> None:
    undisturbed = await ran(house, kind="routing", text=billing_to_accounts(), days=30)
    run = (await house.ana.post("/v1/what-if", {"kind": "routing", "text": billing_to_accounts()})).json()
    await half_way(app, run["id"])
    path = f"/v1/what-if/{run['id']}"
    there = (await house.ana.get(path)).json()
    assert (there["state"], there["progress"]) == ("running", {"done": 200, "total": NUMBER})
    async with router_app(database, scoring.url) as other:
        runner = other.core.changing.runner
        assert not await runner.once()  # the first may still be at it
        other.clock.forward(minutes=6)
        assert await runner.once()
    done = (await house.ana.get(path)).json()
    assert (done["state"], done["progress"]["done"]) == ("done", NUMBER)
    assert done["report_digest"] == undisturbed["report_digest"]
    assert len(await every_change(house, done)) == done["changed"]


async def test_a_run_that_lost_its_key_is_resumed_by_somebody_with_one(
    app: RouterApp, house: House, database: Database, scoring: FakeScoring
) -> None:
    asked = {"kind": "severity", "text": "policy: default@1\n"}
    run = (await house.ana.post("/v1/what-if", asked)).json()
    await half_way(app, run["id"])
    path = f"/v1/what-if/{run['id']}"
    async with router_app(database, scoring.url) as other:
        other.clock.forward(minutes=6)
        assert not await other.core.changing.runner.once()
        failed = (await house.ana.get(path)).json()
        assert (failed["state"], "resume it" in failed["problem"]) == ("failed", True)
        cleo = await other.caller("default", "policies:read", "policies:write", name="cleo")
        assert (await cleo.post(f"{path}:resume")).status_code == 202
        assert await other.core.changing.runner.once()
    done = (await house.ana.get(path)).json()
    assert (done["state"], done["report"]["looked_at"], done["problem"]) == ("done", NUMBER, None)
    assert len({bearer for where, _, bearer in scoring.asked if where == "/v1/judge"}) == 2


async def test_a_run_fails_with_its_reason_and_not_with_the_router(
    house: House, scoring: FakeScoring
) -> None:
    run = (await house.ana.post("/v1/what-if", {"kind": "severity", "text": "policy: x@1\n"})).json()
    scoring.status = 500
    assert await house.app.core.changing.runner.once()
    failed = (await house.ana.get(f"/v1/what-if/{run['id']}")).json()
    assert failed["state"] == "failed"
    assert "cannot answer: told to fail" in failed["problem"]
    other = (await house.ana.post("/v1/what-if", {"kind": "routing", "text": ROUTING})).json()
    await house.put_in_force("grouping", renamed(packaged("grouping.yaml"), "ours@1"))
    await house.app.core.changing.runner.once()
    assert "has changed" in (await house.ana.get(f"/v1/what-if/{other['id']}")).json()["problem"]


async def test_runs_of_other_tenants_are_not_there(app: RouterApp, house: House) -> None:
    run = await ran(house, kind="routing", text=billing_to_accounts(), days=30)
    other = await House.of(app, "other")
    for path in (f"/v1/what-if/{run['id']}", f"/v1/what-if/{run['id']}/changes"):
        assert (await other.ana.get(path)).status_code == 404
    assert (await other.ana.post(f"/v1/what-if/{run['id']}:cancel")).status_code == 404
    assert (await other.ana.get("/v1/what-if")).json()["runs"] == []
    theirs = await ran(other, kind="routing", text=billing_to_accounts(), days=30)
    assert theirs["report"]["looked_at"] == 0


async def test_old_runs_are_forgotten_unless_a_version_came_in_force_by_them(
    app: RouterApp, house: House
) -> None:
    number = await house.draft("routing", billing_to_accounts())
    await house.approve("routing", number)
    kept = await ran(house, kind="routing", version=number, days=30)
    await house.activate("routing", number)
    gone = await ran(house, kind="routing", text=ROUTING, days=30)
    app.clock.forward(days=91)
    await app.core.forget.forget()
    assert (await house.ana.get(f"/v1/what-if/{kept['id']}")).status_code == 200
    assert (await house.ana.get(f"/v1/what-if/{gone['id']}")).status_code == 404
