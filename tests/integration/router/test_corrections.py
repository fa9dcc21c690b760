"""Corrections on a real database: at once, for good, per tenant, and announced."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from tests.support.router_http import Caller, RouterApp, router_app
from tests.support.scored import incoming, score, scored

from heardback_router.configuration.source import load_policies
from heardback_router.corrections.http import correction_routes
from heardback_router.corrections.overlay import Overlay
from heardback_router.corrections.store import PostgresCorrections
from heardback_router.corrections.teaching import CorrectionPages, Teaching
from heardback_router.routing.domain import decide
from heardback_shared.contracts.events import Embedding, FeedbackScored
from heardback_shared.contracts.score import ModelRef, Score
from heardback_shared.contracts.topics import BACKLOG, JUDGEMENT, ROUTED
from heardback_shared.db.database import Database
from heardback_shared.http.app import serve_routes

DEFECT = {"root_causes": ["product/defect"], "reason": "it is the app, not the bill"}
VALUES = "ADw="


@pytest.fixture
async def app(database: Database) -> AsyncIterator[RouterApp]:
    async with router_app(database) as opened:
        yield opened


def heard(number: int = 1, reading: Score | None = None, **fields: Any) -> FeedbackScored:
    embedding = Embedding(model="m@1", values=VALUES)
    return scored(number, reading=reading, **fields).model_copy(update={"embedding": embedding})


async def corrected(by: Caller, feedback_id: str, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    answer = await by.post(f"/v1/feedback/{feedback_id}:correct", body)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def one(app: RouterApp, **fields: Any) -> tuple[Caller, str]:
    """One feedback about billing, routed, and somebody who may correct it."""
    feedback = heard(**fields)
    await app.router.receive(incoming(feedback))
    return await app.caller(), feedback.accepted.feedback_id


def stored(link: dict[str, Any]) -> Score:
    return Score.model_validate(link["score"])


async def test_the_item_of_a_single_feedback_follows_at_once(app: RouterApp) -> None:
    ana, feedback_id = await one(app)
    [before] = await app.router.items()
    assert (before.domain, before.team) == ("operations", "operations")
    answer = await corrected(ana, feedback_id, DEFECT)
    [item] = await app.router.items()
    assert (item.domain, item.category, item.team) == ("product", "defect", "product")
    assert item.key != before.key
    assert answer["item"]["id"] == item.id
    assert answer["item"]["version"] == item.version == before.version + 1
    [link] = await app.router.links()
    assert [c.path for c in stored(link).root_causes] == ["product/defect"]
    assert answer["score"] == stored(link).model_dump(mode="json")
    record = link["decision"]
    again = decide(record["inputs"], load_policies().routing)
    assert again.record == record
    entry = (await app.router.log(item.id))[-1]
    assert (entry.kind, entry.actor) == ("corrected", "ana")
    assert entry.data["said"]["root_causes"] == [{"path": "operations/billing", "confidence": 0.8}]


async def test_it_is_announced_to_whoever_learns_and_whoever_shows(app: RouterApp) -> None:
    ana, feedback_id = await one(app)
    await app.router.empty_outbox()
    await corrected(ana, feedback_id, DEFECT)
    [told] = await app.router.sent(JUDGEMENT.name)
    assert (told["feedback_id"], told["right"]) == (feedback_id, ["product/defect"])
    assert told["embedding"] == {"model": "m@1", "values": VALUES}
    [answer] = await app.router.sent(ROUTED.name)
    assert answer["score"]["root_causes"][0]["category"] == "defect"
    assert answer["item"]["team"] == "product"
    [change] = await app.router.sent(BACKLOG.name)
    assert (change["change"], change["domain"]) == ("corrected", "product")


async def test_the_same_word_again_changes_nothing(app: RouterApp) -> None:
    ana, feedback_id = await one(app)
    first = await corrected(ana, feedback_id, DEFECT)
    await app.router.empty_outbox()
    assert await corrected(ana, feedback_id, DEFECT) == first
    assert await app.router.sent(JUDGEMENT.name) == []
    [item] = await app.router.items()
    assert item.version == 2


@pytest.mark.parametrize(
    "reading",
    [
        score(90.0, "operations/delivery"),
        score(20.0, None, mood=0.8),
        score(60.0, "operations/billing").model_copy(
            update={
                "models": (ModelRef(name="newer", revision="9", sha256="9" * 64),),
                "taxonomy": "acme@9",
                "policies": ("acme@9",),
            }
        ),
    ],
    ids=["another reading", "another mood, unclear", "another model and taxonomy"],
)
async def test_complaint_a_correction_is_undone_by_the_next_reading(app: RouterApp, reading: Score) -> None:
    ana, feedback_id = await one(app)
    word = {**DEFECT, "sentiment": "neutral", "severity": 44}
    await corrected(ana, feedback_id, word)
    await app.router.receive(incoming(heard(1, reading, pass_number=2)))
    [link] = await app.router.links()
    kept = stored(link)
    assert [c.path for c in kept.root_causes] == ["product/defect"]
    assert kept.sentiment is not None
    assert (kept.sentiment.label, kept.severity.score) == ("neutral", 44)
    assert sum(round(10 * c.points) for c in kept.severity.contributions) == 440
    assert kept.models == reading.models
    assert (link["severity"], link["pass_number"]) == (44, 2)
    [item] = await app.router.items()
    assert (item.team, item.category, item.worst.score) == ("product", "defect", 44)
    # And what the machine says now counts again once the word is taken back.
    answer = await ana.delete(f"/v1/feedback/{feedback_id}/corrections")
    assert answer.status_code == 200, answer.text
    [link] = await app.router.links()
    assert stored(link) == reading
    [item] = await app.router.items()
    assert item.worst.score == reading.severity.score
    assert item.domain == (reading.root_causes[0].domain if reading.root_causes else None)


async def test_an_event_that_comes_again_is_answered_with_the_correction(app: RouterApp) -> None:
    ana, feedback_id = await one(app)
    await corrected(ana, feedback_id, DEFECT)
    await app.router.empty_outbox()
    await app.router.receive(incoming(heard()))
    [answer] = await app.router.sent(ROUTED.name)
    assert answer["score"]["root_causes"][0]["category"] == "defect"


async def test_taking_back_tells_scoring_and_keeps_the_history(app: RouterApp) -> None:
    ana, feedback_id = await one(app)
    zoe = await app.caller("default", name="zoe")
    await corrected(ana, feedback_id, DEFECT)
    await corrected(zoe, feedback_id, {"root_causes": [], "reason": "no cause at all"})
    await app.router.empty_outbox()
    await zoe.delete(f"/v1/feedback/{feedback_id}/corrections", reason="a slip")
    again = await zoe.delete(f"/v1/feedback/{feedback_id}/corrections")
    assert (again.status_code, again.json()["correction"]) == (200, None)
    [told] = await app.router.sent(JUDGEMENT.name)
    assert told["taken_back"]
    assert "embedding" not in told
    history = (await ana.get(f"/v1/feedback/{feedback_id}/corrections")).json()
    assert history["in_force"] is None
    assert [(w["number"], w["actor"], w["ended_by"]) for w in history["history"]] == [
        (1, "ana", "zoe"),
        (2, "zoe", "zoe"),
    ]
    assert {w["said"]["root_causes"][0]["path"] for w in history["history"]} == {"operations/billing"}
    [item] = await app.router.items()
    assert (item.domain, item.team) == ("operations", "operations")


async def test_where_a_person_moved_it_the_team_stays(app: RouterApp) -> None:
    ana, feedback_id = await one(app)
    [item] = await app.router.items()
    moved = await ana.act(item.id, "reassign", {"team": "account-management", "reason": "theirs"})
    assert moved.status_code == 200, moved.text
    await corrected(ana, feedback_id, DEFECT)
    [item] = await app.router.items()
    assert (item.team, item.category) == ("account-management", "defect")


async def test_whoever_worked_on_it_in_the_former_team_is_let_go(app: RouterApp) -> None:
    ana, feedback_id = await one(app)
    [item] = await app.router.items()
    await ana.act(item.id, "claim", {})
    await corrected(ana, feedback_id, DEFECT)
    [item] = await app.router.items()
    assert (item.team, item.assignee, item.assigned_by, item.state) == ("product", None, None, "open")


async def test_an_item_of_several_keeps_its_face_and_weighs_anew(app: RouterApp) -> None:
    heavy, light = heard(1, score(80.0)), heard(2, score(40.0))
    await app.router.receive(incoming(heavy), incoming(light))
    ana = await app.caller()
    [before] = await app.router.items()
    assert (before.feedback_count, before.worst.score) == (2, 80)
    await corrected(ana, heavy.accepted.feedback_id, {**DEFECT, "severity": 10})
    [item] = await app.router.items()
    assert (item.domain, item.team, item.worst.score) == ("operations", before.team, 40)
    assert sum(part["points"] for part in item.contributions) == item.weight.score < before.weight.score


async def test_sentiment_alone_teaches_no_causes(app: RouterApp) -> None:
    ana, feedback_id = await one(app)
    await app.router.empty_outbox()
    await corrected(ana, feedback_id, {"sentiment": "positive", "reason": "irony"})
    assert await app.router.sent(JUDGEMENT.name) == []
    await corrected(ana, feedback_id, {"wrong": ["operations/billing"], "reason": "not that"})
    [link] = await app.router.links()
    assert stored(link).root_causes == ()
    await corrected(ana, feedback_id, {"sentiment": "positive", "reason": "irony"})
    first, second = await app.router.sent(JUDGEMENT.name)
    assert (first["wrong"], second["taken_back"]) == (["operations/billing"], True)
    assert first["at"] < second["at"]


async def test_a_newer_models_embedding_is_announced_so_that_it_teaches_again(app: RouterApp) -> None:
    ana, feedback_id = await one(app)
    await corrected(ana, feedback_id, DEFECT)
    await app.router.empty_outbox()
    newer = heard(1, pass_number=2).model_copy(update={"embedding": Embedding(model="m@2", values=VALUES)})
    await app.router.receive(incoming(newer))
    [told] = await app.router.sent(JUDGEMENT.name)
    assert (told["embedding"]["model"], told["right"]) == ("m@2", ["product/defect"])


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"reason": "x"}, ""),
        ({"root_causes": []}, "/reason"),
        ({"root_causes": ["billing"], "reason": "x"}, "/root_causes/0"),
        ({"root_causes": ["a/b"], "wrong": ["a/b"], "reason": "x"}, ""),
        ({"sentiment": "angry", "reason": "x"}, "/sentiment"),
        ({"severity": 101, "reason": "x"}, "/severity"),
        ({"severity": "high", "reason": "x"}, "/severity"),
        ({"severity": 5, "reason": " "}, "/reason"),
        ({"severity": 5, "reason": "x", "mood": 1}, "/mood"),
    ],
)
async def test_what_cannot_be_a_correction_is_told_where(
    app: RouterApp, body: dict[str, Any], pointer: str
) -> None:
    ana, feedback_id = await one(app)
    problem = await corrected(ana, feedback_id, body, 422)
    assert pointer in [error["pointer"] for error in problem["errors"]]
    assert (await ana.get(f"/v1/feedback/{feedback_id}/corrections")).json()["history"] == []


async def test_tenants_neither_see_nor_correct_each_others_feedback(app: RouterApp) -> None:
    ana, feedback_id = await one(app)
    zoe = await app.caller("acme", name="zoe")
    await corrected(zoe, feedback_id, DEFECT, 404)
    assert (await zoe.get(f"/v1/feedback/{feedback_id}/corrections")).status_code == 404
    assert (await zoe.delete(f"/v1/feedback/{feedback_id}/corrections")).status_code == 404
    await app.router.receive(incoming(heard(), tenant="acme"))
    await corrected(ana, feedback_id, DEFECT)
    assert (await zoe.get(f"/v1/feedback/{feedback_id}/corrections")).json()["history"] == []
    [theirs] = await app.router.items("acme")
    assert theirs.domain == "operations"
    reader = await app.caller("default", "items:read", name="reader")
    await corrected(reader, feedback_id, DEFECT, 403)


async def test_erasing_leaves_nothing_and_says_so(app: RouterApp, database: Database) -> None:
    ana, feedback_id = await one(app)
    await corrected(ana, feedback_id, DEFECT)
    await corrected(ana, feedback_id, {"root_causes": [], "reason": "none"})
    async with database.tenant("default") as connection:
        told = await app.core.corrections.erase(connection, "default", [feedback_id, "fb_unknown"])
    assert [event.event.subject for event in told] == [feedback_id]
    assert b'"taken_back":true' in told[0].event.data
    async with database.worker() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM router.correction")) == 0


async def test_what_was_taught_is_announced_at_the_start_and_when_the_broker_forgot(
    app: RouterApp, database: Database
) -> None:
    ana, feedback_id = await one(app)
    await corrected(ana, feedback_id, DEFECT)
    other = heard(2)
    await app.router.receive(incoming(other))
    await corrected(ana, other.accepted.feedback_id, {"severity": 3, "reason": "teaches nothing"})
    teaching = Teaching(database, app.core.outbox, [CorrectionPages(PostgresCorrections())])
    ends = iter([5, 5, 9, 2, 2])

    async def end() -> int:
        return next(ends)

    counts = []
    for _ in range(5):
        await app.router.empty_outbox()
        await teaching.look(end)
        counts.append([told["feedback_id"] for told in await app.router.sent(JUDGEMENT.name)])
    assert counts == [[feedback_id], [], [], [feedback_id], []]


async def test_pages_of_announcements_reach_every_tenant(
    app: RouterApp, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heardback_router.corrections.teaching.AT_ONCE", 2)
    for tenant in ("acme", "default"):
        by = await app.caller(tenant, name="ana")
        for number in (1, 2, 3):
            feedback = heard(number, customer=f"c-{number}")
            await app.router.receive(incoming(feedback, tenant=tenant))
            await corrected(by, feedback.accepted.feedback_id, DEFECT)
    await app.router.empty_outbox()
    assert await Teaching(database, app.core.outbox, [CorrectionPages(PostgresCorrections())]).announce() == 6
    for tenant in ("acme", "default"):
        assert len(await app.router.sent(JUDGEMENT.name, tenant)) == 3


async def test_quality_counts_what_the_machine_had_said_before_it_was_told(app: RouterApp) -> None:
    ana, feedback_id = await one(app)
    for number in (2, 3, 4):
        await app.router.receive(incoming(heard(number, customer=f"c-{number}")))
    await app.router.receive(incoming(heard(5, score(30.0, None), customer="c-5")))
    await app.router.receive(incoming(heard(6, score().model_copy(update={"models": ()}), customer="c-6")))
    await corrected(ana, feedback_id, DEFECT)
    told = score(60.0, "product/defect").model_copy(update={"taxonomy": "taxonomy@1+1correction.ab"})
    await app.router.receive(incoming(heard(1, told, pass_number=2)))
    unclear = heard(5).accepted.feedback_id
    await corrected(ana, unclear, DEFECT)
    found = (await ana.get("/v1/quality/root-causes", days=7)).json()
    whole = found["whole"]
    assert (whole["read"], whole["judged"], whole["unclear_resolved"]) == (5, 2, 1)
    assert (whole["disagreed"]["count"], whole["unclear"]["count"]) == (2, 1)
    by_path = {one["path"]: one for one in found["categories"]}
    billing, defect = by_path["operations/billing"], by_path["product/defect"]
    assert (billing["answered"], billing["corrected_away"]) == (4, 1)
    assert billing["right_if_silence_is_consent"]["share"] == 0.75
    assert (defect["answered"], defect["corrected_to"]) == (0, 2)
    assert [(v["version"], v["whole"]["read"]) for v in found["versions"]] == [("taxonomy@1 lexicon@1", 5)]
    assert (await (await app.caller("acme")).get("/v1/quality/root-causes")).json()["whole"]["read"] == 0
    assert (await ana.get("/v1/quality/root-causes", days=0)).status_code == 422


async def test_a_cause_that_is_in_no_taxonomy_is_refused_with_what_may_be_meant(database: Database) -> None:
    """As soon as scoring can be asked; else it is taken."""

    class Known:
        async def of(self, tenant_id: str, bearer: str) -> frozenset[str] | None:
            return frozenset({"operations/billing", "product/defect"}) if bearer else None

    async with router_app(database) as app:
        app.core.http.router.routes.clear()
        serve_routes(app.core.http, correction_routes(app.core.corrections, Known(), app.core.guard))
        ana, feedback_id = await one(app)
        body = {"root_causes": ["product/defect", "product/defekt"], "reason": "x"}
        problem = await corrected(ana, feedback_id, body, 422)
        assert problem["errors"] == [
            {
                "pointer": "/root_causes/1",
                "detail": "is not in the taxonomy in force; did you mean product/defect?",
            }
        ]
        await corrected(ana, feedback_id, DEFECT)


async def test_a_what_if_holds_what_a_person_said(app: RouterApp, database: Database) -> None:
    ana, feedback_id = await one(app)
    overlay = Overlay(PostgresCorrections())
    for body, held in (
        (DEFECT, {"causes"}),
        ({"severity": 5, "reason": "x"}, {"severity"}),
        ({"sentiment": "neutral", "reason": "x"}, {"severity"}),
        ({"wrong": ["a/b"], "severity": 5, "reason": "x"}, {"causes", "severity"}),
    ):
        await corrected(ana, feedback_id, body)
        async with database.tenant("default") as connection:
            assert await overlay.held(connection, "default", [feedback_id, "fb_x"]) == {feedback_id: held}
