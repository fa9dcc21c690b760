"""What people complain about in other survey tools, and why it does not happen here."""

from tests.integration.ingest.survey_house import House
from tests.support.surveys import OPEN, cap, days, gap, policy_text

from heardback_shared.db.database import Database


async def test_complaint_waits_are_counted_per_survey_instead_of_across_surveys(house: House) -> None:
    await house.send(survey="relation")
    denied = await house.check(survey="pulse", type="csat", channel="sms")
    assert [reason["rule"] for reason in denied["reasons"]] == ["week-between"]


async def test_complaint_show_it_n_times_is_ignored(house: House) -> None:
    await house.works_by(
        policy_text(cap(3, {"ever": True}, "three-times", counts="seen", same=["survey"]), suppress=OPEN)
    )
    await house.writes_at_most(10, 10)
    for _ in range(3):
        place = await house.send()
        assert (await house.check())["allowed"]  # sent, but nobody has seen it yet
        await house.act("seen", {"reservation": place})
    denied = await house.check()
    assert (denied["allowed"], denied["next_eligible_at"]) == (False, None)
    assert [(r["rule"], r["ends"]) for r in denied["reasons"]] == [("three-times", "never")]
    assert (await house.check(survey="other"))["allowed"]


async def test_complaint_nobody_understands_the_global_wait(house: House) -> None:
    await house.send()
    denied = await house.check(survey="pulse")
    (reason,) = denied["reasons"]
    assert reason["detail"] == "This person was asked less than 7 days ago (sent counts)."
    assert (reason["rule"], reason["until"]) == ("week-between", "2026-11-29T12:00:00Z")
    assert denied["next_eligible_at"] == reason["until"]
    rules = await house.call("GET", "/v1/survey-rules")
    said = {line["rule"]: line["says"] for line in rules["in_words"]}
    assert said["week-between"] == (
        "Invitations of any kind to one person: at most one in any 7 days; "
        "what was sent counts, reminders too."
    )
    house.clock.forward(days=7)
    assert (await house.check(survey="pulse"))["allowed"]


async def test_complaint_asked_again_one_minute_after_answering(house: House) -> None:
    await house.post_survey(1)
    house.clock.forward(minutes=1)
    denied = await house.check(survey="pulse")
    assert [(r["code"], r["until"]) for r in denied["reasons"]] == [("just_answered", "2026-12-06T12:00:00Z")]


async def test_complaint_one_conversation_cannot_be_left_out(house: House) -> None:
    await house.call("PUT", "/v1/survey-skips/conv/1", {"because": "The customer is bereaved."})
    assert await house.codes(conversation={"id": "conv/1"}) == ["conversation_skipped"]
    assert await house.codes(conversation={"id": "conv/2"}) == []
    assert await house.codes() == []
    await house.call("DELETE", "/v1/survey-skips/conv/1")
    assert await house.codes(conversation={"id": "conv/1"}) == []
    await house.call("DELETE", "/v1/survey-skips/conv/1", status=404)


async def test_complaint_a_survey_thirty_days_after_the_conversation_closed_by_itself(house: House) -> None:
    closed = {"id": "conv-1", "auto_resolved_at": "2026-10-23T12:00:00Z"}
    denied = await house.check(conversation=closed)
    assert [(r["code"], r["ends"]) for r in denied["reasons"]] == [("auto_resolved_long_ago", "never")]
    assert await house.codes(conversation=closed | {"auto_resolved_at": "2026-11-22T09:00:00Z"}) == []


async def test_complaint_a_survey_where_the_customer_cannot_reply(house: House) -> None:
    assert await house.codes(conversation={"id": "conv-1", "can_reply": False}) == ["cannot_reply"]


async def test_complaint_surveys_on_spam_and_on_what_an_agent_began(house: House) -> None:
    said = {"id": "conv-1", "spam": True, "agent_started": True}
    assert await house.codes(conversation=said) == ["spam_thread", "agent_started"]


async def test_complaint_waits_cannot_depend_on_who_the_customer_is(house: House) -> None:
    await house.works_by(
        policy_text(
            gap(days(60), "free-plan", when={"plan": {"equals": "free"}}),
            gap(days(5), "key-accounts", when={"customer.tier": {"in": ["key", "strategic"]}}),
            suppress=OPEN,
        )
    )
    await house.send()
    rules = [r["rule"] for r in (await house.check(attributes={"plan": "free"}))["reasons"]]
    assert rules == ["free-plan", "key-accounts"]
    assert [r["rule"] for r in (await house.check(attributes={"plan": "pro"}))["reasons"]] == ["key-accounts"]
    house.clock.forward(days=6)
    assert (await house.check(attributes={"plan": "pro"}))["allowed"]
    assert not (await house.check(attributes={"plan": "free"}))["allowed"]


async def test_complaint_after_every_conversation_must_be_possible_too(house: House) -> None:
    """The opposite wish: where a company says so, nothing holds a short question after each conversation."""
    await house.writes_at_most(100, 500)
    await house.works_by(policy_text(gap(days(30), types=["nps", "ces"]), suppress=OPEN))
    for _ in range(3):
        await house.send(survey="after-chat", type="csat")
    await house.send(survey="relation", type="nps")
    assert not (await house.check(survey="effort", type="ces"))["allowed"]
    assert (await house.check(survey="after-chat", type="csat"))["allowed"]


async def test_complaint_why_was_i_not_asked(house: House, database: Database) -> None:
    await house.post_survey(1)
    denied = await house.check()
    house.clock.forward(days=15)
    granted = await house.act("reserve", [{**_ask(), "reservation_key": "k"}])
    await house.act("confirm", {"reservation": granted[0]["reservation"]})
    house.clock.forward(days=1)
    await house.check(survey="pulse")
    page = await house.call("GET", "/v1/survey-invitations?customer=c-1&limit=2")
    newest, asked = page["decisions"]
    assert [r["rule"] for r in newest["reasons"]] == ["week-between"]
    assert (asked["act"], asked["allowed"], asked["invitation"]["state"]) == ("reserve", True, "sent")
    rest = await house.call(
        "GET", f"/v1/survey-invitations?customer=c-1&limit=2&cursor={page['next_cursor']}"
    )
    (first,) = rest["decisions"]
    assert (first["decision"], first["reasons"]) == (denied["decision"], denied["reasons"])
    assert (first["asked_by"], rest["next_cursor"]) == ("test", None)
    shown = await house.call("GET", f"/v1/survey-decisions/{denied['decision']}")
    assert shown["replayed"] == {
        "same": True,
        "answer": {k: denied[k] for k in ("allowed", "reasons", "next_eligible_at")},
        "because": None,
    }


def _ask() -> dict[str, str]:
    return {"customer": "c-1", "survey": "relation", "type": "nps", "channel": "email"}
