"""What stands against asking, from where it is really told: contacts, backlog, scores, people who are one."""

from typing import Any

from sqlalchemy import text
from tests.integration.ingest.survey_house import House
from tests.support.feedback import incoming, routed, score
from tests.support.surveys import OPEN, days, gap, policy_text

from heardback_shared.contracts.events import CUSTOMER_STANDING
from heardback_shared.db.database import Database


def standing(customer: str, open_items: int, counter: int = 1) -> Any:
    figures = dict.fromkeys(("transfers", "open_promises", "broken_promises", "breaches"), 0)
    said = {
        "customer_id": customer,
        "counter": counter,
        "at": "2026-11-22T11:00:00Z",
        "open_items": open_items,
    }
    return incoming(CUSTOMER_STANDING, said | figures, event_id=f"ev-{customer}-{counter}")


async def test_who_does_not_want_to_be_asked_is_not_from_the_next_decision_on(house: House) -> None:
    assert await house.codes() == []
    withdrawn = {"purpose": "surveys", "given": False, "source": "web"}
    await house.call("POST", "/v1/customers/c-1/consents", withdrawn)
    assert await house.codes() == ["opted_out"]
    granted = await house.act("reserve", {"customer": "c-1", "survey": "s", "type": "nps", "channel": "sms"})
    assert granted["allowed"] is False
    house.clock.forward(minutes=1)
    given = {"given": True, "proof": "ticked", "text_version": "v1", "channel": "web"}
    await house.call("POST", "/v1/customers/c-1/consents", withdrawn | given)
    assert await house.codes() == []


async def test_a_policy_may_ask_only_who_agreed(house: House) -> None:
    await house.works_by(policy_text(suppress=OPEN | {"consent_needed": True}))
    assert await house.codes() == ["no_consent"]
    given = {"purpose": "surveys", "given": True, "source": "web", "proof": "ticked"}
    await house.call("POST", "/v1/customers/c-1/consents", given | {"text_version": "v1", "channel": "web"})
    assert await house.codes() == []


async def test_holds_and_the_stop_of_everything(house: House) -> None:
    await house.call("PUT", "/v1/customers/c-1/hold", {"because": "A death in the family."})
    assert await house.codes() == ["on_hold"]
    assert await house.codes("c-2") == []
    await house.call("PUT", "/v1/sending-stop", {"because": "Wrong texts went out."})
    assert await house.codes() == ["on_hold", "sending_stopped"]


async def test_a_crisis_stops_surveys_until_its_date_or_until_it_is_lifted(house: House) -> None:
    told = {"because": "Flood in the south.", "ends_at": "2026-11-25T00:00:00Z"}
    crisis = await house.call("PUT", "/v1/survey-crisis", told)
    denied = await house.check()
    assert [(r["code"], r["until"]) for r in denied["reasons"]] == [("crisis", "2026-11-25T00:00:00Z")]
    house.clock.forward(days=3)
    assert await house.codes() == []
    await house.call("PUT", "/v1/survey-crisis", told | {"ends_at": "2026-11-30T00:00:00Z"})
    assert await house.codes() == ["crisis"]
    await house.call("DELETE", "/v1/survey-crisis")
    assert await house.codes() == []
    await house.call("DELETE", "/v1/survey-crisis", status=404)
    newest, oldest = (await house.call("GET", "/v1/survey-crisis"))["crises"]
    assert (newest["lifted_by"], newest["called_by"], oldest["id"]) == ("test", "test", crisis["id"])
    for ends in ("2026-11-22T12:00:00Z", "2030-01-01T00:00:00Z"):
        problem = await house.call("PUT", "/v1/survey-crisis", told | {"ends_at": ends}, status=422)
        assert [e["pointer"] for e in problem["errors"]] == ["/ends_at"]


async def test_open_items_stand_against_it_until_they_are_closed(house: House) -> None:
    await house.ingest.standings([standing("c-1", 2)])
    assert await house.codes() == ["open_complaint"]
    await house.ingest.standings([standing("c-1", 0, 2)])
    assert await house.codes() == []


async def test_what_was_heard_lately_stands_against_it(house: House) -> None:
    heard = score() | {
        "severity": {"score": 80, "band": "P1", "contributions": [], "policy": "d@1"},
        "cues": [{"name": "safety", "probability": 0.9, "turn": 0, "by": "pattern"}],
    }
    feedback = await house.post_survey(1)
    await house.ingest.settle([routed(feedback, score=heard)])
    house.clock.forward(days=14)
    assert await house.codes() == ["vulnerability_cue"]
    house.clock.at = house.clock.at.replace(day=22, month=11)
    denied = await house.check()
    assert {(r["code"], r.get("until")) for r in denied["reasons"]} == {
        ("open_complaint", "2026-12-06T12:00:00Z"),
        ("just_answered", "2026-12-06T12:00:00Z"),
        ("vulnerability_cue", "2026-12-22T12:00:00Z"),
    }


async def test_ids_that_are_one_person_are_asked_as_one_and_apart_again_when_that_is_undone(
    house: House,
) -> None:
    await house.send("c-2")
    assert await house.codes("c-1") == []
    merged = await house.call(
        "POST", "/v1/identity:merge", {"customer_id": "c-1", "into": "c-2", "reason": "same phone"}
    )
    assert await house.codes("c-1", survey="x") == ["rule"]
    await house.ingest.standings([standing("c-2", 1)])
    assert await house.codes("c-1", survey="x") == ["open_complaint", "rule"]
    undo = {"event": merged["event"]["id"], "reason": "father and son"}
    await house.call("POST", "/v1/identity:undo", undo)
    assert await house.codes("c-1") == []


async def test_our_own_messages_count_too(house: House, database: Database) -> None:
    async with database.tenant("default") as c:
        rows = ", ".join(
            f"('default', 'm-{n}', 'c-1', 'case_updates', 'email', true, '2026-11-2{n}T10:00:00Z')"
            for n in range(3)
        )
        rows += ", ('default', 'm-8', 'c-1', 'case_updates', 'email', false, '2026-11-22T11:00:00Z')"
        rows += ", ('default', 'm-9', 'c-1', 'case_updates', 'email', true, '2026-11-22T11:30:00Z')"
        await c.execute(
            text(
                "INSERT INTO platform.contact_touch"
                f" (tenant_id, id, person_id, purpose, channel, automatic, at) VALUES {rows}"
            )
        )
    denied = await house.check()
    assert [(r["code"], r["until"]) for r in denied["reasons"]] == [
        ("contacted_too_often", "2026-11-27T10:00:00Z"),
        ("daily_cap", "2026-11-23T00:00:00Z"),
        ("weekly_cap", "2026-11-27T10:00:00Z"),
    ]


async def test_of_whom_nothing_is_known_and_who_was_erased_is_not_asked(
    house: House, database: Database
) -> None:
    assert await house.codes("c-77") == ["unknown_customer"]
    await house.post_survey(1, "c-88")
    house.clock.forward(days=15)
    assert await house.codes("c-88") == []  # heard of, though nobody told of them
    await house.call("PUT", "/v1/customers/c-1", {"source": "crm", "email": "ada@example.com"})
    checked = await house.check("c-1", attributes={"hobby": "sailing"})
    await house.call("DELETE", "/v1/customers/c-1/personal-data")
    assert await house.codes() == ["erased"]
    shown = await house.call("GET", f"/v1/survey-decisions/{checked['decision']}")
    assert shown["inputs"] is None
    assert shown["replayed"] == {"same": None, "answer": None, "because": "The customer's data were erased."}
    async with database.worker() as c:
        kept = await c.scalar(
            text("SELECT count(*) FROM ingest.survey_decision WHERE inputs::text LIKE '%sail%'")
        )
    assert kept == 0
    house.clock.forward(minutes=1)
    await house.call("PUT", "/v1/customers/c-1", {"source": "crm", "tier": "standard"})
    assert await house.codes() == []


async def test_a_decision_is_made_again_by_the_policy_of_its_time(house: House) -> None:
    await house.send()
    before = await house.check(survey="pulse")
    await house.works_by(policy_text(gap(days(2)), suppress=OPEN))
    after = await house.check(survey="pulse")
    assert (before["rules"], after["rules"]) == ("surveys:default@1", "surveys:test@1")
    for made in (before, after):
        shown = await house.call("GET", f"/v1/survey-decisions/{made['decision']}")
        assert shown["replayed"]["same"] is True
        assert shown["replayed"]["answer"]["next_eligible_at"] == made["next_eligible_at"]
    assert before["next_eligible_at"] != after["next_eligible_at"]


async def test_old_decisions_are_forgotten(house: House) -> None:
    checked = await house.check()
    house.clock.forward(days=399)
    await house.ingest.lapse()
    await house.call("GET", f"/v1/survey-decisions/{checked['decision']}")
    house.clock.forward(days=2)
    await house.ingest.lapse()
    await house.call("GET", f"/v1/survey-decisions/{checked['decision']}", status=404)
