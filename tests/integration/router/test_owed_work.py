"""What is owed on an item over HTTP: criterion, form, steps, promises; the gate."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from tests.support.clock import NOON
from tests.support.router_http import Caller, RouterApp, router_app
from tests.support.scored import incoming, scored

from heardback_router.backlog.fold import fold
from heardback_shared.contracts.events import FeedbackScored
from heardback_shared.contracts.feedback import Turn
from heardback_shared.db.database import Database

SOLVED = {
    "root_cause": "The rate table was old",
    "action": "Loaded the new one",
    "tell_customer": {"text": "Your invoice is corrected."},
}


@pytest.fixture
async def app(database: Database) -> AsyncIterator[RouterApp]:
    async with router_app(database) as opened:
        yield opened


@pytest.fixture
async def ana(app: RouterApp) -> Caller:
    return await app.caller()


async def only_item(app: RouterApp, **given: Any) -> str:
    await app.router.receive(incoming(scored(1, **given)))
    (item,) = await app.router.items()
    return item.id


async def shown(caller: Caller, item_id: str) -> dict[str, Any]:
    body: dict[str, Any] = (await caller.get(f"/v1/items/{item_id}")).json()
    return body


async def done(caller: Caller, item_id: str, command: str, body: Any = None) -> dict[str, Any]:
    answer = await caller.act(item_id, command, body)
    assert answer.status_code == 200, (command, answer.text)
    found: dict[str, Any] = answer.json()
    return found


async def test_resolving_waits_for_the_customer_s_own_criterion(app: RouterApp, ana: Caller) -> None:
    item_id = await only_item(app)
    said = await done(
        ana, item_id, "set-criterion", {"text": "Two right invoices in a row", "source": "call"}
    )
    assert said["criterion"]["text"] == "Two right invoices in a row"
    assert said["criterion"]["outcome"] is None
    refused = await ana.act(item_id, "resolve", SOLVED)
    assert (refused.status_code, refused.json()["type"].rsplit("/", 1)[1]) == (409, "gate-closed")
    assert [e["pointer"] for e in refused.json()["errors"]] == ["/criterion"]
    unreasoned = await ana.act(item_id, "settle-criterion", {"outcome": "waived"})
    assert unreasoned.status_code == 422
    await done(ana, item_id, "settle-criterion", {"outcome": "waived", "because": "The customer left"})
    resolved = await done(ana, item_id, "resolve", SOLVED)
    assert (resolved["state"], resolved["criterion"]["because"]) == ("resolved", "The customer left")


async def test_a_reopened_item_is_rework_and_leads_back_to_what_did_not_hold(
    app: RouterApp, ana: Caller
) -> None:
    item_id = await only_item(app)
    await done(ana, item_id, "set-criterion", {"text": "A right invoice", "source": "survey"})
    await done(ana, item_id, "settle-criterion", {"outcome": "met"})
    await done(ana, item_id, "resolve", SOLVED)
    await done(ana, item_id, "reopen", {"reason": "the second invoice is wrong too"})
    body = await shown(ana, item_id)
    (undone,) = body["earlier_resolutions"]
    assert (undone["number"], undone["root_cause"]) == (1, "The rate table was old")
    assert undone["reopened_because"] == "the second invoice is wrong too"
    assert (body["counts"]["rework"], body["criterion"]["outcome"]) == (1, None)
    assert body["severity"]["score"] == 66.0
    assert (await ana.act(item_id, "resolve", SOLVED)).status_code == 409
    log = await app.router.log(item_id)
    assert log[-1].data["resolution"] == 1
    assert fold(log) == (await app.router.items())[0]


async def test_the_form_of_the_domain_is_checked_field_by_field(app: RouterApp, ana: Caller) -> None:
    item_id = await only_item(app)
    wrong = await ana.act(item_id, "resolve", {**SOLVED, "form": {"remedy": "gold", "amount": -1, "x": 1}})
    assert wrong.status_code == 422
    assert {e["pointer"] for e in wrong.json()["errors"]} == {"/form/remedy", "/form/amount", "/form/x"}
    resolved = await done(ana, item_id, "resolve", {**SOLVED, "form": {"amount": 12.5, "remedy": "refund"}})
    assert resolved["warnings"] == []
    assert (await shown(ana, item_id))["resolution"]["form"] == {"remedy": "refund", "amount": 12.5}


async def test_a_text_with_an_unfilled_field_is_refused_and_other_findings_are_told(
    app: RouterApp, ana: Caller
) -> None:
    item_id = await only_item(app)
    unfilled = {**SOLVED, "tell_customer": {"text": "Dear {name}, it is solved."}}
    refused = await ana.act(item_id, "resolve", unfilled)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/tell_customer/text")
    loud = {**SOLVED, "tell_customer": {"text": "The SLA was met, you should have called FIRST."}}
    resolved = await done(ana, item_id, "resolve", loud)
    assert {w["rule"] for w in resolved["warnings"]} == {"blame", "internal_word", "shouting"}


async def test_a_template_is_filled_and_says_what_is_missing(ana: Caller) -> None:
    path = "/v1/templates/promise-broken:fill"
    missing = await ana.post(path, {"fields": {"name": "Mr Ode"}})
    assert missing.status_code == 422
    assert "/fields/promise" in {e["pointer"] for e in missing.json()["errors"]}
    fields = {
        "name": "Mr Ode",
        "promise": "we would call on Monday",
        "action": "we call you",
        "date": "Friday",
        "contact": "Ana",
    }
    body = (await ana.post(path, {"fields": fields})).json()
    assert body["text"].startswith("Dear Mr Ode, we told you that we would call on Monday")
    assert body["findings"] == []
    assert (await ana.post("/v1/templates/none:fill", {})).status_code == 404


async def test_a_promise_that_is_not_kept_in_time_is_broken_and_weighs(app: RouterApp, ana: Caller) -> None:
    item_id = await only_item(app)
    due = (NOON + timedelta(hours=4)).isoformat()
    tag = (await ana.get(f"/v1/items/{item_id}")).headers["ETag"]
    answer = await ana.post(
        f"/v1/items/{item_id}/promises", {"what": "Call back", "due_at": due}, If_Match=tag
    )
    assert answer.status_code == 200, answer.text
    (promise,) = (await shown(ana, item_id))["promises"]
    assert (promise["to"], promise["by"], promise["state"]) == ("c-1", "ana", "open")
    await app.core.timekeeper.look()
    assert (await shown(ana, item_id))["counts"]["open_promises"] == 1
    app.clock.forward(hours=5)
    await app.core.timekeeper.look()
    body = await shown(ana, item_id)
    assert (body["promises"][0]["state"], body["counts"]["broken_promises"]) == ("broken", 1)
    assert "broken_promises" in {c["factor"] for c in body["severity"]["contributions"]}
    await app.core.timekeeper.look()
    kinds = [event.kind for event in await app.router.log(item_id)]
    assert kinds.count("promise_settled") == 1
    late = await ana.post(f"/v1/items/{item_id}/promises/{promise['id']}:keep", {}, If_Match="*")
    assert late.status_code == 409
    assert fold(await app.router.log(item_id)) == (await app.router.items())[0]


async def test_a_promise_kept_after_it_was_due_is_broken_whoever_is_first(
    app: RouterApp, ana: Caller
) -> None:
    item_id = await only_item(app)
    body = {"what": "Call back", "due_at": (NOON + timedelta(hours=1)).isoformat()}
    await ana.post(f"/v1/items/{item_id}/promises", body, If_Match="*")
    (promise,) = (await shown(ana, item_id))["promises"]
    app.clock.forward(hours=2)
    kept = await ana.post(f"/v1/items/{item_id}/promises/{promise['id']}:keep", {}, If_Match="*")
    assert kept.json()["counts"]["broken_promises"] == 1


def conversation(*turns: tuple[Any, str]) -> FeedbackScored:
    feedback = scored(1)
    content = feedback.accepted.content.model_copy(
        update={
            "kind": "transcript",
            "comment": None,
            "turns": tuple(Turn(role=role, text=text) for role, text in turns),
            "closed_at": NOON,
        }
    )
    accepted = feedback.accepted.model_copy(update={"content": content})
    return feedback.model_copy(update={"accepted": accepted})


async def test_a_suggested_promise_counts_only_once_a_person_confirms_it(app: RouterApp, ana: Caller) -> None:
    said = conversation(
        ("customer", "Nobody called me back, please call me tomorrow."),
        ("agent", "I am sorry. I'll call you back tomorrow morning. We will also waive the fee."),
    )
    await app.router.receive(incoming(said))
    (item,) = await app.router.items()
    path = f"/v1/items/{item.id}/promises"
    first, second = (await ana.get(path)).json()["suggestions"]
    assert (first["what"], first["due_at"]) == (
        "I'll call you back tomorrow morning.",
        "2026-11-23T12:00:00+00:00",
    )
    assert (first["source"]["turn"], second["due_at"]) == (1, None)
    assert (await shown(ana, item.id))["counts"]["open_promises"] == 0
    undated = await ana.post(f"{path}/{second['id']}:confirm", {}, If_Match="*")
    assert (undated.status_code, undated.json()["errors"][0]["pointer"]) == (422, "/due_at")
    assert (await ana.post(f"{path}/{first['id']}:confirm", {}, If_Match="*")).status_code == 200
    dismissed = await ana.post(f"{path}/{second['id']}:withdraw", {"reason": "none"}, If_Match="*")
    assert dismissed.json()["counts"]["open_promises"] == 1
    body = (await ana.get(path)).json()
    assert (len(body["promises"]), body["suggestions"]) == (1, [])
    again = await ana.post(f"{path}/{first['id']}:confirm", {}, If_Match="*")
    assert again.status_code == 409
    assert (await ana.post(f"{path}/pr_none:confirm", {}, If_Match="*")).status_code == 404
    assert fold(await app.router.log(item.id)) == (await app.router.items())[0]


async def test_steps_are_turned_on_by_who_the_customer_is_and_stay_on(app: RouterApp, ana: Caller) -> None:
    item_id = await only_item(app, tier="strategic")
    await app.core.timekeeper.look()
    await app.core.timekeeper.look()
    steps = (await shown(ana, item_id))["steps"]
    assert [s["id"] for s in steps] == ["inform-account-owner", "call-customer"]
    kinds = [event.kind for event in await app.router.log(item_id)]
    assert kinds.count("steps_chosen") == 1
    unknown = await ana.act(item_id, "settle-step", {"step": "none", "outcome": "done"})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/step")
    await done(ana, item_id, "settle-step", {"step": "call-customer", "outcome": "done"})
    wrong = await ana.act(item_id, "settle-step", {"step": "call-customer", "outcome": "approved"})
    assert wrong.status_code == 409
    assert (await shown(ana, item_id))["steps"][1]["settled_by"] == "ana"


async def test_a_deviation_beyond_the_limit_holds_the_item_up_until_it_is_taken_back(
    app: RouterApp, ana: Caller
) -> None:
    item_id = await only_item(app)
    within = await done(ana, item_id, "deviate", {"process": "refund", "cost": 40, "reason": "goodwill"})
    assert (await shown(ana, within["id"]))["steps"] == []
    await done(ana, item_id, "deviate", {"process": "refund", "cost": 300, "reason": "goodwill"})
    (step,) = (await shown(ana, item_id))["steps"]
    assert (step["approval"], step["asked_by"], step["holds_up"]) == ("lead", "ana", True)
    assert "Cost 300 is within 500" in step["because"]
    mine = await ana.act(item_id, "settle-step", {"step": step["id"], "outcome": "approved"})
    assert (mine.status_code, mine.json()["type"].rsplit("/", 1)[1]) == (403, "not-an-approver")
    refused = await ana.act(item_id, "resolve", SOLVED)
    assert refused.json()["errors"][0]["pointer"] == f"/steps/{step['id']}"
    await done(ana, item_id, "settle-step", {"step": step["id"], "outcome": "skipped", "note": "not needed"})
    assert (await done(ana, item_id, "resolve", SOLVED))["state"] == "resolved"


async def test_counters_tell_rework_time_and_switches(app: RouterApp, ana: Caller) -> None:
    item_id = await only_item(app)
    await done(ana, item_id, "flag", {"flag": "standard"})
    await done(ana, item_id, "log-time", {"minutes": 30})
    await done(ana, item_id, "respond", {"channel": "phone"})
    app.clock.forward(hours=3)
    await done(ana, item_id, "resolve", SOLVED)
    await done(ana, item_id, "reopen", {"reason": "again"})
    await done(ana, item_id, "log-time", {"minutes": 10})
    app.clock.forward(hours=1)
    await done(ana, item_id, "resolve", SOLVED)
    body = (await ana.get("/v1/backlog/counters", team="operations")).json()
    assert (body["items"], body["more"], body["rework"]["mean"]) == (1, False, 1.0)
    assert (body["minutes"]["mean"], body["rework_minutes"]["mean"]) == (40.0, 10.0)
    assert (body["switches"]["mean"], body["responses"]) == (1.0, {"phone": 1})
    assert body["cycle_hours"]["standard"]["mean"] == 4.0
    assert body["cycle_hours"]["custom"] == {"n": 0, "mean": None, "median": None, "variance": None}
    assert body["resolutions"] == {"made": 2, "undone": 1}
    assert (await ana.get("/v1/backlog/counters", team="product")).json()["items"] == 0
    assert (await ana.get("/v1/thresholds/suggestions")).json()["suggestions"] == []


async def test_what_is_asked_for_again_and_again_is_suggested_once_and_decided(
    app: RouterApp, ana: Caller
) -> None:
    for number in range(1, 6):
        await app.router.receive(incoming(scored(number, customer=f"c-{number}")))
    for item in await app.router.items():
        await done(ana, item.id, "flag", {"flag": "custom", "request": "billing/split"})
    body = (await ana.get("/v1/options/suggestions")).json()
    (one,) = body["suggestions"]
    assert (one["request"], one["count"], one["customers"]) == ("billing/split", 5, 5)
    assert body["threshold"] == {"items": 5, "customers": 3, "days": 90}
    assert one["because"].startswith("5 items of 5 customers asked for it in 90 days")
    path = "/v1/options/suggestions/billing/split:decide"
    decided = await ana.post(path, {"decision": "promote", "reason": "cheaper for all"})
    assert (decided.status_code, decided.json()["items"]) == (200, 5), decided.text
    after = (await ana.get("/v1/options/suggestions")).json()
    assert (after["suggestions"], after["decisions"][0]["actor"]) == ([], "ana")
    assert (await ana.post(path, {"decision": "promote", "reason": "again"})).status_code == 409
    strange = "/v1/options/suggestions/a%00b:decide"
    assert (await ana.post(strange, {"decision": "promote", "reason": "x"})).status_code == 404


async def test_the_context_shows_history_with_freshness_and_masks_by_scope(
    app: RouterApp, ana: Caller
) -> None:
    item_id = await only_item(app, tier="key")
    await done(ana, item_id, "resolve", SOLVED)
    app.clock.forward(days=1)
    await app.router.receive(incoming(_valued(2, app)))
    _, second = await app.router.items()
    due = (app.clock.now() + timedelta(days=1)).isoformat()
    await ana.post(f"/v1/items/{second.id}/promises", {"what": "Call", "due_at": due}, If_Match="*")
    body = (await ana.get(f"/v1/items/{second.id}/context")).json()
    assert (body["customer_id"], body["feedback_count"], body["open_items"]) == ("c-1", 2, 1)
    assert body["profile"]["lifetime_value"] == {
        "value": None,
        "as_of": "2026-11-01T00:00:00Z",
        "masked": True,
    }
    assert body["profile"]["tier"]["value"] == "key"
    assert [loop["item_id"] for loop in body["loops"]] == [second.id, item_id]
    assert [p["what"] for p in body["open_promises"]] == ["Call"]
    account = await app.caller("default", "items:read", "customers:read", name="account")
    seen = (await account.get(f"/v1/items/{second.id}/context")).json()["profile"]["lifetime_value"]
    assert (seen["value"], seen["masked"]) == (5000.0, False)
    stranger = await ana.get(f"/v1/items/{second.id}/context", customer="c-9")
    assert stranger.status_code == 422


def _valued(number: int, app: RouterApp) -> FeedbackScored:
    feedback = scored(number, tier="key", accepted_at=app.clock.now())
    assert feedback.accepted.customer is not None
    customer = feedback.accepted.customer.model_validate(
        {
            "id": "c-1",
            "tier": "key",
            "lifetime_value": 5000,
            "taken_at": app.clock.now(),
            "profile_at": "2026-11-01",
        }
    )
    accepted = feedback.accepted.model_copy(update={"customer": customer})
    return feedback.model_copy(update={"accepted": accepted})
