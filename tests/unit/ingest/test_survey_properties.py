"""What holds for every policy and every past."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clock import NOON
from tests.support.surveys import OPEN, policy

from heardback_ingest.domain.surveys.engine import decide, reasons_against
from heardback_ingest.domain.surveys.facts import Conversation, Facts, Invitation, Person, Request, State
from heardback_ingest.domain.surveys.invitation import REACHED, Step, move
from heardback_ingest.domain.surveys.policy import SurveysPolicy
from heardback_ingest.domain.surveys.record import answer_of, inputs_of, replayed

SURVEYS = ("a", "b", "rare")
INSTANT = timedelta(microseconds=1)
moments = st.integers(0, 40 * 24 * 60).map(lambda minutes: NOON - timedelta(minutes=minutes))
windows = st.one_of(
    st.integers(1, 30).map(lambda d: {"rolling": f"{d}d"}),
    st.integers(1, 72).map(lambda h: {"rolling": f"{h}h"}),
    st.integers(1, 10).map(lambda d: {"local_days": d}),
    st.just({"ever": True}),
)
shared: dict[str, Any] = {
    "scope": st.sampled_from(["contact", "account", "both"]),
    "counts": st.sampled_from(["sent", "seen", "answered"]),
    "reminders": st.booleans(),
    "same": st.lists(st.sampled_from(["survey", "type", "channel", "touchpoint"]), max_size=2),
}
filters: dict[str, Any] = {"types": st.just(["nps"]), "channels": st.just(["email"])}
gaps = st.fixed_dictionaries({"gap": windows}, optional=shared | filters)


@st.composite
def caps(draw: st.DrawFn) -> dict[str, Any]:
    most = draw(st.integers(1, 6))
    rule = draw(st.fixed_dictionaries({"window": windows}, optional=shared | filters)) | {"most": most}
    if draw(st.booleans()):
        slots = draw(st.integers(1, most))
        kept: list[dict[str, Any]] = [{"surveys": ["rare"], "slots": slots}]
        if slots < most and draw(st.booleans()):
            kept.append({"surveys": ["b"], "slots": draw(st.integers(1, most - slots))})
        rule["reserved"] = kept
    return rule


@st.composite
def policies(draw: st.DrawFn) -> SurveysPolicy:
    rules = draw(st.lists(st.one_of(caps(), gaps), min_size=1, max_size=4))
    suppress = OPEN | draw(
        st.fixed_dictionaries(
            {},
            optional={
                "just_answered": st.just("3d"),
                "messages": st.just({"most": 3, "within": "5d"}),
                "auto_resolved_after": st.sampled_from(["2d", "20d"]),
            },
        )
    )
    return policy(*[rule | {"name": f"r{i}"} for i, rule in enumerate(rules)], suppress=suppress)


@st.composite
def invitations(draw: st.DrawFn) -> Invitation:
    at = draw(moments)
    state: State = draw(st.sampled_from(get_args(State)))
    times = [
        at + timedelta(minutes=m) for m in sorted(draw(st.lists(st.integers(0, 900), min_size=3, max_size=3)))
    ]
    reached = REACHED.index(state) + 1 if state in REACHED else 0
    told = [min(t, NOON) for t in times[:reached]] + [None] * (3 - reached)
    return Invitation(
        draw(st.uuids()).hex,
        draw(st.sampled_from(SURVEYS)),
        draw(st.sampled_from(["nps", "csat"])),
        draw(st.sampled_from(["email", "sms"])),
        draw(st.sampled_from([None, "delivery"])),
        draw(st.sampled_from(["invitation", "reminder"])),
        state,
        at,
        at + timedelta(minutes=draw(st.integers(1, 3000))),
        *told,
    )


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    own = tuple(draw(st.lists(invitations(), max_size=8)))
    colleagues = tuple(draw(st.lists(invitations(), max_size=4)))
    zone = draw(st.sampled_from([None, "Europe/Berlin", "Pacific/Auckland"]))
    return Facts(
        Person("p", "acme", zone),
        own,
        (*own, *colleagues),
        answers=tuple(draw(st.lists(moments, max_size=2))),
        messages=tuple(draw(st.lists(moments, max_size=3))),
    )


requests = st.builds(
    Request,
    st.just("c"),
    st.sampled_from(SURVEYS),
    st.sampled_from(["nps", "csat"]),
    st.sampled_from(["email", "sms"]),
    st.sampled_from([None, "delivery"]),
    st.sampled_from(["invitation", "reminder"]),
    conversation=st.one_of(st.none(), moments.map(lambda at: Conversation("x", auto_resolved_at=at))),
)


@given(policies(), facts(), requests, invitations())
def test_more_of_the_past_never_allows_what_was_denied(
    rules: SurveysPolicy, known: Facts, request: Request, more: Invitation
) -> None:
    own = replace(
        known,
        invitations=(*known.invitations, more),
        account_invitations=(*known.account_invitations, more),
    )
    before, after = decide(request, known, rules, NOON), decide(request, own, rules, NOON)
    assert not after.allowed or before.allowed
    said = {(r.code, r.rule) for r in before.reasons}
    assert said <= {(r.code, r.rule) for r in after.reasons}
    if before.next_eligible_at and after.next_eligible_at:
        assert before.next_eligible_at <= after.next_eligible_at


@settings(max_examples=300)
@given(policies(), facts(), requests, st.lists(st.floats(0, 1, exclude_max=True), max_size=5))
def test_the_next_moment_allows_and_none_before_it(
    rules: SurveysPolicy, known: Facts, request: Request, shares: list[float]
) -> None:
    made = decide(request, known, rules, NOON)
    at = made.next_eligible_at
    if made.allowed:
        assert at is None
        return
    if at is None:
        for day in range(0, 400, 7):
            assert reasons_against(request, known, rules, NOON + timedelta(days=day))
        return
    assert at > NOON
    assert decide(request, known, rules, at).allowed
    earlier = [NOON, at - INSTANT, *(min(NOON + (at - NOON) * share, at - INSTANT) for share in shares)]
    assert all(not decide(request, known, rules, moment).allowed for moment in earlier)


@given(policies(), facts(), requests)
def test_each_reason_stands_exactly_until_its_own_moment(
    rules: SurveysPolicy, known: Facts, request: Request
) -> None:
    for reason in decide(request, known, rules, NOON).reasons:
        if reason.until is not None:
            assert _stands(reason.rule or reason.code, request, known, rules, reason.until - INSTANT)
    for rule in rules.rules:
        one = [r.until for r in reasons_against(request, known, rules, NOON) if r.rule == rule.name]
        if one and all(one):
            assert not _stands(rule.name, request, known, rules, max(u for u in one if u is not None))


def _stands(name: str, request: Request, known: Facts, rules: SurveysPolicy, at: datetime) -> bool:
    return name in {r.rule or r.code for r in reasons_against(request, known, rules, at)}


@given(policies(), facts(), requests)
def test_all_reasons_of_all_rules_are_told(rules: SurveysPolicy, known: Facts, request: Request) -> None:
    together = {r.rule for r in decide(request, known, rules, NOON).reasons if r.rule}
    alone = {
        rule.name
        for rule in rules.rules
        if any(
            r.rule == rule.name for r in decide(request, known, replace(rules, rules=(rule,)), NOON).reasons
        )
    }
    assert together == alone


@given(policies(), facts(), requests)
def test_a_decision_is_made_again_from_what_was_written_down(
    rules: SurveysPolicy, known: Facts, request: Request
) -> None:
    written = inputs_of(request, known, NOON)
    assert replayed(written, rules) == answer_of(decide(request, known, rules, NOON))


@given(
    invitations(),
    st.permutations(["sent", "seen", "answered"]),
    st.lists(st.integers(0, 90), min_size=3, max_size=3),
)
def test_steps_told_in_any_order_and_twice_end_in_the_same(
    start: Invitation, order: list[Step], minutes: list[int]
) -> None:
    times = dict(zip(("sent", "seen", "answered"), sorted(minutes), strict=True))
    fresh = replace(start, state="reserved", sent_at=None, seen_at=None, answered_at=None)

    def through(steps: list[Step]) -> Invitation:
        one = fresh
        for step in steps:
            one = move(one, step, NOON + timedelta(minutes=times[step]), NOON + timedelta(hours=2)).invitation
        return one

    expected = through(["sent", "seen", "answered"])
    assert through([*order, *order]) == expected
    assert expected.state == "answered"


@given(
    invitations(), st.lists(st.sampled_from(["sent", "seen", "answered", "released", "expired"]), max_size=6)
)
def test_what_reached_the_customer_is_never_taken_back(start: Invitation, steps: list[Step]) -> None:
    one = start
    for step in steps:
        after = move(one, step, NOON, NOON).invitation
        assert one.state not in REACHED or after.state in REACHED
        assert (one.sent_at is None) or (after.sent_at is not None and after.sent_at <= one.sent_at)
        one = after
