"""Severity and taxonomy of a tenant, with the real scoring at the other end: tried, in force, followed."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import pytest
from tests.support.both_sides import BothSides
from tests.support.broker import free_port
from tests.support.clock import NOON
from tests.support.policies import House
from tests.support.router_http import RouterApp, router_app
from tests.support.scoring import ScriptedScorer, understanding
from tests.support.serving import served

from heardback_router.configuration.announce import PolicyPages
from heardback_router.configuration.store import PostgresVersions
from heardback_scoring.app.drafts import Drafts
from heardback_scoring.app.taxonomies import Taxonomies
from heardback_scoring.http.judging import add_judging
from heardback_shared.access.store import ApiKeys
from heardback_shared.contracts.customer import CustomerSnapshot
from heardback_shared.contracts.events import FeedbackAccepted, PolicyActivated
from heardback_shared.contracts.feedback import FeedbackContent
from heardback_shared.contracts.topics import JUDGEMENT
from heardback_shared.db.database import Database
from heardback_shared.health import Readiness
from heardback_shared.http.app import create_app
from heardback_shared.http.auth import Guard
from heardback_shared.http.rate_limit import RateLimiter
from heardback_shared.keyring import Keyring
from heardback_shared.metrics import Metrics

SEVERITY = files("heardback_scoring.policies").joinpath("severity.yaml").read_text("utf-8")
TAXONOMY = files("heardback_scoring.policies").joinpath("taxonomy.yaml").read_text("utf-8")
COMMENTS = ("The invoice is wrong.", "My parcel never came.", "The app crashes again.", "Fine, thank you.")
NUMBER = 320


def named(text: str, name: str) -> str:
    return re.sub(r"(?m)^policy: .*$", f"policy: {name}", text)


def said(number: int) -> FeedbackAccepted:
    content = FeedbackContent(
        kind="survey",
        source="forms",
        external_id=f"r-{number}",
        revision=1,
        comment=COMMENTS[number % 4],
        touchpoint="delivery",
    )
    tiers: tuple[Any, ...] = ("standard", "key", "strategic")
    customer = CustomerSnapshot(id=f"c-{number}", tier=tiers[number % 3])
    return FeedbackAccepted(
        feedback_id=f"fb_{number:03}", revision=1, accepted_at=NOON, content=content, customer=customer
    )


@dataclass
class Sides:
    app: RouterApp
    both: BothSides
    house: House

    async def ran(self, **asked: Any) -> dict[str, Any]:
        started = await self.house.ana.post("/v1/what-if", {"days": 30, **asked})
        assert started.status_code == 202, started.text
        assert await self.app.core.changing.runner.once()
        run = (await self.house.ana.get(started.headers["Location"])).json()
        assert run["state"] == "done", run["problem"]
        return dict(run["report"])

    async def in_force(self, kind: str, text: str) -> None:
        number = await self.house.draft(kind, text)
        await self.house.approve(kind, number)
        await self.ran(kind=kind, version=number)
        await self.house.activate(kind, number)
        await self.both.teach()


@pytest.fixture
async def sides(database: Database) -> AsyncIterator[Sides]:
    by = understanding(
        ScriptedScorer({"The invoice is wrong.": (0.9, 0.08, 0.02)}, words=("invoice", "parcel", "crash"))
    )
    http = create_app("scoring", "", metrics=Metrics(), readiness=Readiness(), max_body_bytes=16_000_000)
    async with served(http) as url, router_app(database, url) as app:
        both = BothSides(app, by)
        guard = Guard(ApiKeys(database, Keyring(b"k" * 32), app.clock), RateLimiter(0))
        add_judging(http, both.serving, Drafts(both.serving, Taxonomies()), guard)
        await both.hear(*(said(n) for n in range(NUMBER)))
        yield Sides(app, both, await House.of(app))


async def test_the_policies_that_judged_first_change_nothing_and_come_out_again(sides: Sides) -> None:
    for kind, text in (("severity", SEVERITY), ("taxonomy", TAXONOMY)):
        report = await sides.ran(kind=kind, text=text)
        assert (report["changed"], report["looked_at"]) == (0, NUMBER)
        assert report["replay"] == {"checked": NUMBER, "same": NUMBER}


async def test_a_tenants_severity_is_tried_put_in_force_followed_and_rolled_back(sides: Sides) -> None:
    tiers = "tiers: {standard: 0, key: 20, strategic: 24}"
    harsher = re.sub(r"(?m)^tiers: .*$", tiers, named(SEVERITY, "acme@1"))
    tried = await sides.ran(kind="severity", text=harsher)
    assert tried["counts"]["raised"] == tried["changed"] > 0
    await sides.in_force("severity", harsher)
    await sides.both.hear(said(700), said(701), said(702))
    fresh = {link["feedback_id"]: link["score"] for link in await sides.app.router.links()}
    assert {fresh[f"fb_{n}"]["severity"]["policy"] for n in (700, 701, 702)} == {"acme@1"}
    # What was judged by two policies is compared under one and the same.
    report = await sides.ran(kind="severity", text=harsher)
    assert (report["changed"], report["replay"]) == (0, {"checked": 3, "same": 3})
    await sides.house.bo.post("/v1/policies/severity:rollback", {"reason": "too harsh"})
    await sides.both.teach()
    await sides.both.hear(said(703))
    last = {link["feedback_id"]: link["score"] for link in await sides.app.router.links()}
    assert last["fb_703"]["severity"]["policy"] == fresh["fb_000"]["severity"]["policy"]


async def test_a_smaller_taxonomy_says_what_would_be_relabelled(sides: Sides) -> None:
    small = """policy: acme@1
decision: {unclear_below: 0.1, also_at: 0.9, most: 1, runners_up: 2, keyword_confidence: 0.5}
domains:
  money:
    invoices:
      keywords: [invoice]
      examples: [the invoice is wrong, an invoice too many, my invoice again, invoice not right]
  things:
    parcels:
      keywords: [parcel]
      examples: [the parcel is lost, no parcel came, my parcel is late, parcel broken]
"""
    report = await sides.ran(kind="taxonomy", text=small)
    invoices = next(one for one in report["relabels"] if one["after"] == "money/invoices")
    assert invoices["count"] == NUMBER // 4
    assert f"{report['counts']['causes_changed']} would be re-labelled" in report["says"]


async def test_what_scoring_refuses_is_told_with_its_place(sides: Sides) -> None:
    wrong = named(SEVERITY, "acme@1").replace("p1: 70", "p1: 10")
    answer = await sides.house.ana.post("/v1/policies/severity/versions", {"text": wrong, "reason": "x"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/text/bands"
    odd = named(SEVERITY, "acme@1").replace("  anger:", "  feeling_blue:")
    drafted = await sides.house.ana.post("/v1/policies/severity/versions", {"text": odd, "reason": "x"})
    assert drafted.json()["warnings"][0].startswith("feeling_blue: no pattern")


async def test_what_comes_in_force_is_announced_and_again_for_whoever_starts_late(
    sides: Sides, database: Database
) -> None:
    await sides.in_force("severity", named(SEVERITY, "acme@1"))
    sent = [one for one in await sides.app.router.sent(JUDGEMENT.name) if one.get("kind")]
    (told,) = [PolicyActivated.model_validate(one) for one in sent]
    assert (told.kind, told.version, told.text) == ("severity", "acme@1", named(SEVERITY, "acme@1"))
    async with database.worker() as connection:
        again, place = await PolicyPages(PostgresVersions()).page(connection, ("", ""))
    assert place is None
    assert [PolicyActivated.model_validate_json(one.event.data) for one in again] == [told]
    assert [one.event.key for one in again] == ["default:severity"]


async def test_without_scoring_its_policies_wait_and_the_others_do_not(database: Database) -> None:
    for url, named_setting in ((None, "Set HEARDBACK_ROUTER_SCORING_URL"), (nowhere(), "does not answer at")):
        async with router_app(database, url) as app:
            house = await House.of(app)
            answer = await house.ana.post("/v1/policies/severity/versions", {"text": SEVERITY, "reason": "x"})
            assert (answer.status_code, named_setting in answer.json()["detail"]) == (503, True)
            line = (await house.ana.get("/v1/policies/severity")).json()
            assert (line["from"], line["text"]) == ("scoring", None)
            against = await house.ana.get("/v1/policies/severity/versions/1/diff")
            assert against.status_code == 404


def nowhere() -> str:
    return f"http://127.0.0.1:{free_port()}"
