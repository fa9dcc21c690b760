"""Caps and gaps: what counts for whom, and from when on there is room again."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.support.clock import NOON
from tests.support.surveys import ASK, DAY, ago, cap, days, gap, past, policy, reserved, sent

from heardback_ingest.domain.surveys.engine import decide
from heardback_ingest.domain.surveys.facts import Facts, Request
from heardback_ingest.domain.surveys.policy import AttributeValue, SurveysPolicy


def asked(**fields: Any) -> Request:
    return Request(**{name: getattr(ASK, name) for name in Request.__slots__} | fields)


def next_at(facts: Facts, rules: SurveysPolicy, request: Request = ASK, now: datetime = NOON) -> object:
    """True if allowed now, else when."""
    made = decide(request, facts, rules, now)
    return True if made.allowed else made.next_eligible_at


def test_a_cap_counts_across_surveys_unless_it_says_the_same_one() -> None:
    facts = past(sent(ago(days=5), "a", "csat"), sent(ago(days=3), "relation"))
    assert next_at(facts, policy(cap(2, days(30)))) == ago(days=5) + 30 * DAY
    assert next_at(facts, policy(cap(2, days(30), same=["survey"]))) is True
    assert next_at(facts, policy(cap(1, days(30), same=["survey"]))) == ago(days=3) + 30 * DAY


def test_the_boundary_of_a_rolling_window_is_exact() -> None:
    instant = timedelta(microseconds=1)
    rules = policy(gap({"rolling": "7d"}))
    assert next_at(past(sent(ago(days=7))), rules) is True
    assert next_at(past(sent(ago(days=7) + instant)), rules) == NOON + instant


@pytest.mark.parametrize(
    ("fields", "held"),
    [
        ({"surveys": ["relation"]}, True),
        ({"surveys": ["other"]}, False),
        ({"types": ["nps", "ces"]}, True),
        ({"types": ["csat"]}, False),
        ({"channels": ["email"]}, True),
        ({"channels": ["sms"]}, False),
        ({"touchpoints": ["delivery"]}, True),
        ({"touchpoints": ["support"]}, False),
        ({"types": ["nps"], "channels": ["sms"]}, False),
        ({"same": ["type", "channel"]}, True),
        ({"same": ["touchpoint"]}, True),
    ],
)
def test_filters_say_what_a_rule_is_about(fields: dict[str, Any], held: bool) -> None:
    rules = policy(cap(1, days(30), **fields))
    facts = past(sent(ago(days=1), touchpoint="delivery"))
    assert decide(asked(touchpoint="delivery"), facts, rules, NOON).allowed is not held


def test_what_the_filter_does_not_take_does_not_count() -> None:
    rules = policy(cap(1, days(30), types=["nps"]))
    assert next_at(past(sent(ago(days=1), type="csat")), rules) is True
    assert next_at(past(sent(ago(days=1), channel="sms")), policy(cap(1, days(30), same=["channel"]))) is True


@pytest.mark.parametrize(
    ("told", "when", "held"),
    [
        ({"plan": "free"}, {"plan": {"equals": "free"}}, True),
        ({"plan": "pro"}, {"plan": {"equals": "free"}}, False),
        ({"plan": "pro"}, {"plan": {"in": ["pro", "team"]}}, True),
        ({"seats": 10.0}, {"seats": {"min": 10}}, True),
        ({"seats": 9.5}, {"seats": {"min": 10}}, False),
        ({"seats": 11.0}, {"seats": {"min": 1, "max": 10}}, False),
        ({"seats": "many"}, {"seats": {"max": 10}}, False),
        ({"vip": True}, {"vip": {"equals": True}}, True),
        ({}, {"plan": {"equals": "free"}}, False),
        ({"plan": "free"}, {"plan": {"equals": "free"}, "seats": {"min": 1}}, False),
    ],
)
def test_attributes_say_for_whom_a_rule_is(
    told: dict[str, AttributeValue], when: dict[str, Any], held: bool
) -> None:
    rules = policy(cap(1, days(30), when=when))
    assert decide(asked(attributes=told), past(sent(ago(days=1))), rules, NOON).allowed is not held


@pytest.mark.parametrize("counts", ["sent", "seen", "answered"])
def test_it_is_stated_whether_sent_seen_or_answered_counts(counts: str) -> None:
    rules = policy(cap(1, days(10), counts=counts))
    only_sent = sent(ago(days=4))
    was_seen = sent(ago(days=4), seen_at=ago(days=3), state="seen")
    answered = sent(ago(days=4), seen_at=ago(days=3), answered_at=ago(days=2), state="answered")
    got = [next_at(past(one), rules) for one in (only_sent, was_seen, answered)]
    expected = {"sent": [6, 6, 6], "seen": [True, 7, 7], "answered": [True, True, 8]}[counts]
    assert got == [True if e is True else NOON + e * DAY for e in expected]


def test_a_kept_place_counts_as_sent_until_it_runs_out_or_is_given_back() -> None:
    rules = policy(cap(1, days(10)))
    kept = reserved(ago(minutes=5), NOON + timedelta(minutes=10))
    assert next_at(past(kept), rules) == NOON + timedelta(minutes=10)
    assert next_at(past(kept), rules, now=NOON + timedelta(minutes=10)) is True
    for state in ("released", "expired"):
        assert next_at(past(reserved(ago(minutes=5), NOON + DAY, state=state)), rules) is True
    assert next_at(past(kept), policy(cap(1, days(10), counts="seen"))) is True


def test_reminders_count_unless_the_rule_says_not() -> None:
    counted, not_counted = policy(cap(2, days(30))), policy(cap(2, days(30), reminders=False))
    reminded = past(sent(ago(days=3)), replace(sent(ago(days=1)), kind="reminder"))
    assert next_at(reminded, counted) == ago(days=3) + 30 * DAY
    assert next_at(reminded, not_counted) is True
    full = past(sent(ago(days=3)), sent(ago(days=1)))
    assert next_at(full, not_counted, asked(kind="reminder")) is True
    assert next_at(full, counted, asked(kind="reminder")) == ago(days=3) + 30 * DAY


def test_per_contact_per_account_and_both() -> None:
    colleague = sent(ago(days=1), "other")
    crowded = past(account=(colleague,))
    assert next_at(crowded, policy(cap(1, days(30)))) is True
    assert next_at(crowded, policy(cap(1, days(30), scope="account"))) == ago(days=1) + 30 * DAY
    both = decide(
        ASK, past(sent(ago(days=2)), account=(colleague,)), policy(cap(1, days(30), scope="both")), NOON
    )
    assert [r.detail.split(" has ")[0] for r in both.reasons] == ["This person", "The account"]
    assert both.next_eligible_at == ago(days=1) + 30 * DAY


def test_days_of_the_calendar_are_those_of_the_person_else_of_the_policy() -> None:
    rules = policy(cap(1, {"local_days": 1}), zone="America/New_York")
    facts = past(sent(ago(hours=3)))  # 09:00 UTC, now 12:00 UTC
    assert next_at(facts, rules) == datetime.fromisoformat("2026-11-23T05:00:00+00:00")
    berlin = past(sent(ago(hours=3)), zone="Europe/Berlin")
    assert next_at(berlin, rules) == datetime.fromisoformat("2026-11-22T23:00:00+00:00")
    auckland = past(sent(ago(hours=3)), zone="Pacific/Auckland")  # midnight there was 11:00 UTC
    assert next_at(auckland, rules) is True


def test_every_reason_is_told_and_the_next_moment_is_when_the_last_of_them_ends() -> None:
    rules = policy(
        gap(days(7), "week"), cap(2, days(30), "month"), cap(1, {"local_days": 1}, "day"),
        gap(days(90), "same", same=["survey"]),
    )  # fmt: skip
    facts = past(sent(ago(days=20)), sent(ago(hours=2), "other"))
    made = decide(ASK, facts, rules, NOON)
    assert [reason.rule for reason in made.reasons] == ["week", "month", "day", "same"]
    assert made.next_eligible_at == max(r.until for r in made.reasons if r.until) == ago(days=20) + 90 * DAY


def test_all_time_means_never_again() -> None:
    made = decide(ASK, past(sent(ago(days=900))), policy(cap(1, {"ever": True}, same=["survey"])), NOON)
    assert [(r.ends, r.until) for r in made.reasons] == [("never", None)]
    assert made.next_eligible_at is None


def test_kept_slots_are_left_for_whom_they_are_kept() -> None:
    rules = policy(cap(4, days(30), reserved=[{"surveys": ["quarterly"], "slots": 1}]))
    three = tuple(sent(ago(days=d), "pulse") for d in (9, 6, 3))
    assert decide(asked(survey="quarterly"), past(*three), rules, NOON).allowed
    made = decide(asked(survey="pulse"), past(*three), rules, NOON)
    assert "1 of them kept for quarterly" in made.reasons[0].detail
    assert made.next_eligible_at == ago(days=9) + 30 * DAY
    with_own = (*three[:2], sent(ago(days=1), "quarterly"))
    assert decide(asked(survey="pulse"), past(*with_own), rules, NOON).allowed
    assert decide(asked(survey="quarterly"), past(*with_own), rules, NOON).allowed  # a free one
    assert not decide(asked(survey="quarterly"), past(*three, with_own[2]), rules, NOON).allowed


def test_a_share_keeps_at_least_one_place() -> None:
    rules = policy(cap(10, days(30), reserved=[{"surveys": ["q"], "share": 0.25}]))
    assert rules.rules[0].reserved[0].slots == 2
    rules = policy(cap(2, days(30), reserved=[{"surveys": ["q"], "share": 0.25}]))
    assert rules.rules[0].reserved[0].slots == 1


def test_a_gap_may_be_shorter_for_a_rare_survey() -> None:
    rules = policy(gap(days(14), shorter_for=[{"surveys": ["quarterly"], "gap": {"rolling": "3d"}}]))
    facts = past(sent(ago(days=4), "pulse"))
    assert next_at(facts, rules, asked(survey="quarterly")) is True
    assert next_at(facts, rules, asked(survey="pulse")) == ago(days=4) + 14 * DAY
    assert next_at(past(sent(ago(days=2), "pulse")), rules, asked(survey="quarterly")) == NOON + DAY


def test_one_rare_survey_does_not_take_the_place_of_another() -> None:
    kept = [{"surveys": ["quarterly"], "slots": 1}, {"surveys": ["yearly"], "slots": 1}]
    rules = policy(cap(3, days(30), reserved=kept))
    two = past(sent(ago(days=5), "quarterly"), sent(ago(days=4), "quarterly"))  # its own and the free one
    assert next_at(two, rules, asked(survey="quarterly")) == ago(days=5) + 30 * DAY
    assert next_at(two, rules, asked(survey="pulse")) == ago(days=5) + 30 * DAY
    assert next_at(two, rules, asked(survey="yearly")) is True
