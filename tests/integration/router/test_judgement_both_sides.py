"""What people say in the router, scoring learns; what scoring said, the router's store replays."""

import re
from collections.abc import AsyncIterator
from importlib.resources import files
from typing import Any

import orjson
import pytest
from tests.support.both_sides import BothSides
from tests.support.clock import NOON
from tests.support.judgement import activated
from tests.support.router_http import RouterApp, router_app
from tests.support.scoring import nps

from heardback_router.configuration.source import load_policies as load_router_policies
from heardback_router.corrections.domain import overlaid
from heardback_router.corrections.store import PostgresCorrections
from heardback_router.routing.domain import decide
from heardback_scoring.adapters.models import OpenedModel, open_model
from heardback_scoring.adapters.policy_files import load_policies
from heardback_scoring.adapters.py3langid_guesser import Py3langidGuesser
from heardback_scoring.app.rejudge import rejudge
from heardback_scoring.app.understanding import Understanding, understanding_of
from heardback_shared.contracts.customer import CustomerHistory, CustomerSnapshot
from heardback_shared.contracts.envelope import to_bytes
from heardback_shared.contracts.events import FeedbackAccepted
from heardback_shared.contracts.feedback import FeedbackContent, Turn
from heardback_shared.db.database import Database

SEVERITY = files("heardback_scoring.policies").joinpath("severity.yaml").read_text("utf-8")
TAXONOMY = files("heardback_scoring.policies").joinpath("taxonomy.yaml").read_text("utf-8")
WINDOW = "The seat by the window was freezing cold for the whole train ride."
PARAPHRASE = "My window seat was ice cold during the entire train journey."
COMMENTS = [
    "The invoice is wrong again and nobody answers my mails.",
    "Great service, thank you so much, I will come back!",
    "The app crashes every time I open the settings page.",
    "Your delivery is two weeks late. I want to cancel my contract and will call my lawyer.",
    "I was charged twice this month, please give me my money back.",
    "n/a",
    "Die Lieferung war schon wieder zu spät und niemand antwortet mir.",
    "Could you add a dark mode? It would be so nice.",
    "ok",
    WINDOW,
]


@pytest.fixture(scope="module")
def opened() -> OpenedModel:
    return open_model("default", threads=1)


@pytest.fixture
def by(opened: OpenedModel) -> Understanding:
    return understanding_of(
        load_policies(), Py3langidGuesser(), opened.reader, opened.fallback, satisfaction=opened.satisfaction
    )


@pytest.fixture
async def app(database: Database) -> AsyncIterator[RouterApp]:
    async with router_app(database) as found:
        yield found


def said(number: int, comment: str | None, **fields: Any) -> FeedbackAccepted:
    content = FeedbackContent(
        kind="survey",
        source="forms",
        external_id=f"r-{number}",
        revision=1,
        comment=comment,
        metric=nps(number % 11) if number % 2 else None,
        touchpoint="delivery",
        context={"order": f"A-{number}"},
        **fields,
    )
    customer = CustomerSnapshot(
        id=f"c-{number}",
        tier=("standard", "key", "strategic")[number % 3],
        lifetime_value=1234.56 * number,
        renewal_date=NOON.date(),
        history=CustomerHistory(contacts_30d=number % 5, last_scores=(9, 8.5)),
    )
    return FeedbackAccepted(
        feedback_id=f"fb_{number:03}",
        revision=1,
        accepted_at=NOON,
        content=content,
        customer=customer if number % 4 else None,
    )


def talked(number: int) -> FeedbackAccepted:
    turns = (
        Turn(role="customer", text="My parcel has been lost and nobody helps."),
        Turn(role="agent", text="I am sorry. What is your order number?"),
        Turn(role="customer", text="I already told you! This is outrageous, I am leaving you."),
        Turn(role="customer", text="Bitte schnell."),
    )
    content = FeedbackContent(
        kind="transcript",
        source="desk",
        external_id=f"t-{number}",
        revision=1,
        turns=turns,
        resolution="unresolved",
    )
    return FeedbackAccepted(feedback_id=f"fb_{number:03}", revision=1, accepted_at=NOON, content=content)


FEEDBACKS = [*(said(i, comment) for i, comment in enumerate(COMMENTS)), said(21, None), talked(22)]


async def replays(both: BothSides, tenant: str) -> None:
    """Severity, causes, taxonomy and the routing decision, from nothing but what is stored."""
    stored = await both.kept(tenant)
    again = rejudge([kept for kept, _ in stored], both.serving.understanding.for_tenant(tenant))
    for (kept, score_json), found in zip(stored, again, strict=True):
        first = orjson.loads(score_json)
        name = kept.accepted.feedback_id
        assert to_bytes(found.severity) == orjson.dumps(first["severity"]), name
        for mine, theirs in (("root_causes", found.root_causes), ("runners_up", found.runners_up)):
            assert b"[" + b",".join(map(to_bytes, theirs)) + b"]" == orjson.dumps(first[mine]), name
        assert found.taxonomy == first["taxonomy"]
        assert found.because is None
    routing = load_router_policies().routing
    for link in await both.app.router.links(tenant):
        record = link["decision"]
        assert orjson.dumps(decide(record["inputs"], routing).record) == orjson.dumps(record)


async def test_what_is_stored_replays_byte_for_byte(app: RouterApp, by: Understanding) -> None:
    both = BothSides(app, by)
    await both.hear(*FEEDBACKS)
    stored = await both.kept()
    assert len(stored) == len(FEEDBACKS)
    assert sum(bool(kept.score.root_causes) for kept, _ in stored) >= 4
    assert sum(kept.embedding is not None for kept, _ in stored) >= 8
    await replays(both, "default")


async def test_a_tenants_own_policies_and_corrections_replay_byte_for_byte(
    app: RouterApp, by: Understanding
) -> None:
    both = BothSides(app, by)
    severity = re.sub(r"(?m)^policy: .*$", "policy: acme@7", SEVERITY).replace(
        "full_hurt: 40", "full_hurt: 30"
    )
    taxonomy = re.sub(r"(?m)^policy: .*$", "policy: acme@3", TAXONOMY)
    await both.teach(activated("severity", severity, "acme"), activated("taxonomy", taxonomy, "acme"))
    await both.hear(said(30, WINDOW), tenant="acme")
    ana = await app.caller("acme", name="ana")
    body = {"root_causes": ["product/missing_feature"], "reason": "a test"}
    assert (await ana.post("/v1/feedback/fb_030:correct", body)).status_code == 200
    await both.teach()
    await both.hear(*FEEDBACKS, tenant="acme")
    stored = [kept for kept, _ in await both.kept("acme") if kept.accepted.feedback_id != "fb_030"]
    assert {kept.score.severity.policy for kept in stored} == {"acme@7"}
    assert all(kept.score.taxonomy.startswith("acme@3+1correction.") for kept in stored)
    async with app.database.tenant("acme") as connection:
        [known] = (await PostgresCorrections().in_force(connection, "acme", ["fb_030"])).values()
    [(corrected, score_json)] = [
        one for one in await both.kept("acme") if one[0].accepted.feedback_id == "fb_030"
    ]
    weighing = load_router_policies().weighing
    again = overlaid(known.machine, known.correction.word, weighing.band_of)
    assert to_bytes(again).decode() == score_json
    assert corrected.score.root_causes[0].confidence == 1
    await both.hear(said(30, WINDOW).model_copy(update={"pass_number": 2}), tenant="acme")
    async with app.database.tenant("acme") as connection:
        [known] = (await PostgresCorrections().in_force(connection, "acme", ["fb_030"])).values()
    assert known.machine.root_causes[0].path == "product/missing_feature"
    ids = {kept.accepted.feedback_id for kept in stored}
    rows = [one for one in await both.kept("acme") if one[0].accepted.feedback_id in ids]
    found = rejudge([kept for kept, _ in rows], both.serving.understanding.for_tenant("acme"))
    for (_, first_json), one in zip(rows, found, strict=True):
        first = orjson.loads(first_json)
        assert to_bytes(one.severity) == orjson.dumps(first["severity"])
        assert b"[" + b",".join(map(to_bytes, one.root_causes)) + b"]" == orjson.dumps(first["root_causes"])


async def test_the_next_near_paraphrase_is_read_as_a_person_said(app: RouterApp, by: Understanding) -> None:
    wanted = "product/defect"
    both = BothSides(app, by)
    await both.hear(said(1, WINDOW), said(2, PARAPHRASE))
    before = {link["feedback_id"]: link["score"]["root_causes"] for link in await app.router.links()}
    assert all(f"{c['domain']}/{c['category']}" != wanted for c in before["fb_002"])
    ana = await app.caller()
    body = {"root_causes": [wanted], "reason": "the heating is broken"}
    assert (await ana.post("/v1/feedback/fb_001:correct", body)).status_code == 200
    await both.teach()
    await both.hear(said(3, PARAPHRASE))
    [link] = [one for one in await app.router.links() if one["feedback_id"] == "fb_003"]
    first = link["score"]["root_causes"][0]
    assert f"{first['domain']}/{first['category']}" == wanted
    assert "fb_001, corrected by a person" in first["nearest"][0]["text"]
    [item] = [one for one in await app.router.items() if one.id == link["item_id"]]
    assert (item.category, item.team) == ("defect", "product")
    # Taken back, it is as if nobody had said anything.
    await ana.delete("/v1/feedback/fb_001/corrections")
    await both.teach()
    await both.hear(said(4, PARAPHRASE))
    [link] = [one for one in await app.router.links() if one["feedback_id"] == "fb_004"]
    assert link["score"]["root_causes"] == before["fb_002"]


async def test_complaint_old_settings_keep_applying_after_a_policy_was_activated(
    app: RouterApp, by: Understanding
) -> None:
    both = BothSides(app, by)
    await both.hear(said(1, COMMENTS[0]))
    text = re.sub(r"(?m)^policy: .*$", "policy: default@99", SEVERITY)
    await both.teach(activated("severity", text, "default"))
    await both.hear(said(5, COMMENTS[0]))
    policies = [link["score"]["severity"]["policy"] for link in await app.router.links()]
    assert policies == [load_policies().severity.policy, "default@99"]
