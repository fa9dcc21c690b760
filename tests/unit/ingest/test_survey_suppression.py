"""Every reason for which nobody is asked, by its name, with when it ends."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.support.clock import NOON
from tests.support.surveys import ADA, ASK, DAY, OPEN, ago, past, policy, reserved, sent

from heardback_ingest.domain.surveys.engine import decide
from heardback_ingest.domain.surveys.facts import Conversation, Facts, Reason, Request
from heardback_ingest.domain.surveys.policy import SurveysPolicy

STRICT: dict[str, Any] = {
    "just_answered": "14d",
    "open_complaint": True,
    "severe": {"within": "10d", "bands": ["P1", "P2"]},
    "vulnerability": {"within": "30d", "cues": ["safety"]},
    "auto_resolved_after": "7d",
    "agent_started": True,
    "messages": {"most": 2, "within": "7d"},
    "unknown_customer": True,
    "consent_needed": True,
}
FINE = replace(ADA, person=replace(ADA.person, agreed=True))
WEEK = timedelta(days=7)


def person(**fields: Any) -> Facts:
    return replace(FINE, person=replace(FINE.person, **fields))


def about(**fields: Any) -> Request:
    return replace(ASK, conversation=Conversation("conv-1", **fields))


def reasons(facts: Facts, request: Request = ASK, rules: SurveysPolicy | None = None) -> tuple[Reason, ...]:
    return decide(request, facts, rules or policy(suppress=STRICT), NOON).reasons


def test_nobody_of_whom_nothing_speaks_against_it_is_held_back() -> None:
    assert reasons(FINE, about()) == ()
    assert decide(ASK, FINE, policy(suppress=STRICT), NOON).next_eligible_at is None


@pytest.mark.parametrize(
    ("facts", "request_", "code", "until", "ends"),
    [
        (person(refused=True), ASK, "opted_out", None, "event"),
        (person(agreed=False), ASK, "no_consent", None, "event"),
        (person(known=False), ASK, "unknown_customer", None, "event"),
        (person(erased=True, known=False), ASK, "erased", None, "event"),
        (person(held_because="bereaved"), ASK, "on_hold", None, "event"),
        (replace(FINE, sending_stopped="wrong texts"), ASK, "sending_stopped", None, "event"),
        (replace(FINE, crisis_because="flood", crisis_ends=NOON + DAY), ASK, "crisis", NOON + DAY, "at"),
        (replace(FINE, open_items=2), ASK, "open_complaint", None, "event"),
        (replace(FINE, severe=(("P2", ago(days=4)),)), ASK, "open_complaint", NOON + 6 * DAY, "at"),
        (replace(FINE, answers=(ago(minutes=1),)), ASK, "just_answered", ago(minutes=1) + 14 * DAY, "at"),
        (replace(FINE, cues=(("safety", ago(days=29)),)), ASK, "vulnerability_cue", NOON + DAY, "at"),
        (replace(FINE, messages=(ago(days=6), ago(days=5))), ASK, "contacted_too_often", NOON + DAY, "at"),
        (FINE, about(agent_started=True), "agent_started", None, "never"),
        (FINE, about(spam=True), "spam_thread", None, "never"),
        (FINE, about(can_reply=False), "cannot_reply", None, "event"),
        (FINE, about(auto_resolved_at=ago(days=7)), "auto_resolved_long_ago", None, "never"),
        (replace(FINE, skipped_because="grieving"), about(), "conversation_skipped", None, "event"),
    ],
)
def test_each_reason_has_a_name_and_an_end(
    facts: Facts, request_: Request, code: str, until: datetime | None, ends: str
) -> None:
    made = decide(request_, facts, policy(suppress=STRICT), NOON)
    assert [(r.code, r.until, r.ends) for r in made.reasons] == [(code, until, ends)]
    assert made.next_eligible_at == until
    if until is not None:
        assert decide(request_, facts, policy(suppress=STRICT), until).allowed
        assert not decide(request_, facts, policy(suppress=STRICT), until - timedelta(microseconds=1)).allowed


@pytest.mark.parametrize(
    ("facts", "request_"),
    [
        (replace(FINE, open_items=0), ASK),
        (replace(FINE, open_items=None), ASK),
        (replace(FINE, severe=(("P3", ago(days=1)), ("P1", ago(days=10)))), ASK),
        (replace(FINE, answers=(ago(days=14),)), ASK),
        (replace(FINE, cues=(("gratitude", ago(days=1)), ("safety", ago(days=30)))), ASK),
        (replace(FINE, messages=(ago(days=7), ago(days=1))), ASK),
        (replace(FINE, crisis_because="flood", crisis_ends=NOON), ASK),
        (FINE, about(auto_resolved_at=ago(days=6))),
    ],
)
def test_what_is_over_or_of_another_kind_is_no_reason(facts: Facts, request_: Request) -> None:
    assert reasons(facts, request_) == ()


def test_what_the_policy_does_not_ask_for_is_no_reason() -> None:
    facts = replace(
        person(known=False, agreed=False),
        open_items=3,
        severe=(("P1", NOON),),
        answers=(NOON,),
        cues=(("safety", NOON),),
        messages=(NOON, NOON),
    )
    request = about(agent_started=True, auto_resolved_at=ago(days=300))
    assert reasons(facts, request, policy(suppress=OPEN)) == ()


def test_some_reasons_nobody_can_turn_off() -> None:
    facts = replace(
        person(refused=True, erased=True, held_because="x"),
        sending_stopped="x",
        crisis_because="x",
        crisis_ends=NOON + DAY,
        skipped_because="x",
    )
    codes = {r.code for r in reasons(facts, about(spam=True, can_reply=False), policy(suppress=OPEN))}
    assert codes == {
        "opted_out", "erased", "on_hold", "sending_stopped", "crisis", "conversation_skipped", "spam_thread",
        "cannot_reply",
    }  # fmt: skip


def test_only_surveys_of_the_policy_where_it_lists_them() -> None:
    rules = policy(suppress=OPEN, surveys={"relation": "nps", "pulse": "csat"})
    assert reasons(FINE, ASK, rules) == ()
    assert [r.code for r in reasons(FINE, replace(ASK, survey="new"), rules)] == ["survey_unknown"]
    assert [r.code for r in reasons(FINE, replace(ASK, survey="pulse"), rules)] == ["survey_type_differs"]


def test_surveys_are_among_what_we_write_and_a_kept_place_only_while_it_is_kept() -> None:
    kept = reserved(ago(minutes=1), NOON + timedelta(minutes=14))
    facts = replace(FINE, invitations=past(kept).invitations, messages=(ago(days=1),))
    (reason,) = reasons(facts)
    assert (reason.code, reason.until) == ("contacted_too_often", NOON + timedelta(minutes=14))
    facts = replace(facts, invitations=(sent(ago(days=2)),))
    assert [r.until for r in reasons(facts)] == [ago(days=2) + WEEK]


def test_a_conversation_that_grows_too_old_while_waiting_is_never_asked_about() -> None:
    facts = replace(FINE, answers=(ago(days=1),))
    made = decide(about(auto_resolved_at=ago(days=1)), facts, policy(suppress=STRICT), NOON)
    assert [r.code for r in made.reasons] == ["just_answered"]
    assert made.next_eligible_at is None


def test_all_of_them_are_told_at_once() -> None:
    facts = replace(person(refused=True), open_items=1, answers=(NOON,))
    found = [r.code for r in reasons(facts, about(spam=True))]
    assert found == ["opted_out", "open_complaint", "just_answered", "spam_thread"]
    assert all(reason.detail.endswith(".") for reason in reasons(replace(FINE, open_items=1)))
