"""Which messages of one person go out now: each gets one decision, and the customer's wishes hold."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from heardback_router.messages.domain import ChangeFacts, MessageFacts, Step
from heardback_router.outreach.deciding import (
    Decision,
    Due,
    End,
    Hand,
    Wait,
    by_rules,
    decide,
    is_about_erased,
    still,
)
from heardback_router.outreach.domain import Draft
from heardback_router.outreach.states import FOLLOWS, comes_before, may_follow
from heardback_router.wording import CustomerText
from heardback_shared.contact.domain import Channel, ContactRules, Later, Never, QuietHours, Recipient, Touch

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
"""A Monday at the hour of digests."""
RULES = ContactRules("test@1", "UTC", QuietHours(time(21), time(8)), 2, 5, time(9), 0, 365)
CHANNELS: tuple[Channel, ...] = ("email", "webhook", "sms")

DRAFTS = st.builds(
    lambda n, step, loops, **more: Draft(
        f"me_{n}", "c-1", step, MessageFacts(), item_ids=(f"it_{n}",), loop_ids=loops, **more
    ),
    st.integers(0, 30),
    st.sampled_from(get_args(Step)),
    st.lists(st.sampled_from(["lp_1", "lp_2"]), unique=True, max_size=2).map(tuple),
    critical=st.booleans(),
    automatic=st.booleans(),
    expires_at=st.none() | st.integers(-60, 60).map(lambda m: NOW + timedelta(minutes=m)),
)
DUE = st.builds(
    Due,
    DRAFTS,
    st.integers(0, 5_000).map(lambda m: NOW - timedelta(minutes=m)),
    st.lists(st.sampled_from(CHANNELS), unique=True, max_size=3).map(tuple),
    st.booleans(),
    st.dictionaries(st.sampled_from(CHANNELS), st.just("closed"), max_size=3),
    st.booleans(),
)
LISTS = st.lists(DUE, max_size=12, unique_by=lambda d: d.draft.id)
PEOPLE = st.builds(
    Recipient,
    st.just("c-1"),
    st.just("p-1"),
    st.lists(st.sampled_from(CHANNELS), unique=True).map(tuple),
    quiet=st.none() | st.just(QuietHours(time(8), time(10))),
    digest=st.sampled_from(["none", "daily", "weekly"]),
    refused=st.frozensets(st.just("case_updates"), max_size=1),
    refused_items=st.frozensets(st.sampled_from(["it_1", "it_2", "it_3"])),
    held_because=st.none() | st.just("too personal"),
)
TOUCHES = st.lists(
    st.integers(1, 10_000).map(
        lambda m: Touch(
            f"t-{m}", "p-1", "case_updates", "email", automatic=True, at=NOW - timedelta(minutes=m)
        )
    ),
    max_size=6,
)


def decided(
    due: Sequence[Due], who: Recipient, touches: Sequence[Touch], stopped: str | None = None
) -> list[Decision]:
    return decide(due, {"c-1": who}, touches, by_rules(RULES, stopped), NOW)


@given(LISTS, PEOPLE, TOUCHES, st.none() | st.just("stopped"))
def test_every_message_gets_one_decision(
    due: list[Due], who: Recipient, touches: list[Touch], stopped: str | None
) -> None:
    decisions = decided(due, who, touches, stopped)
    named = [d.draft.id for one in decisions for d in (one.due if isinstance(one, Hand) else (one.due,))]
    assert sorted(named) == sorted(one.draft.id for one in due)
    assert all(one.at > NOW for one in decisions if isinstance(one, Wait))
    assert all(one.because for one in decisions if not isinstance(one, Hand))


@given(LISTS, PEOPLE, TOUCHES, st.none() | st.just("stopped"))
def test_what_goes_out_is_what_the_customer_allows(
    due: list[Due], who: Recipient, touches: list[Touch], stopped: str | None
) -> None:
    hands = [one for one in decided(due, who, touches, stopped) if isinstance(one, Hand)]
    for hand in hands:
        for one in hand.due:
            assert hand.channel in who.channels
            assert hand.channel not in one.tried
            assert hand.channel not in one.closed
            if one.draft.critical:
                continue
            assert not who.refused
            assert who.quiet is None
            assert not (one.draft.automatic and (who.held_because or stopped))
            assert one.draft.item_ids[0] not in who.refused_items


@given(LISTS, PEOPLE, TOUCHES)
def test_caps_hold_for_all_that_goes_out_at_once(
    due: list[Due], who: Recipient, touches: list[Touch]
) -> None:
    hands = [one for one in decided(due, who, touches) if isinstance(one, Hand)]
    capped = [h for h in hands if all(d.draft.automatic and not d.draft.critical for d in h.due)]
    today = sum(t.at.date() == NOW.date() for t in touches)
    assert not capped or len(capped) + today <= RULES.daily_cap


@given(LISTS, PEOPLE, TOUCHES)
def test_a_digest_is_one_hand_over(due: list[Due], who: Recipient, touches: list[Touch]) -> None:
    who = replace(who, digest="daily")
    ordinary = [one for one in due if not one.draft.critical]
    hands = [one for one in decided(ordinary, who, touches) if isinstance(one, Hand)]
    assert len({(hand.channel, hand.touch.id) for hand in hands}) == len(hands)
    assert len({hand.channel for hand in hands}) == len(hands)


@given(LISTS, PEOPLE)
def test_a_step_that_is_overtaken_never_goes_out(due: list[Due], who: Recipient) -> None:
    decisions = decided(due, who, ())
    gone = {d.draft.id for one in decisions if isinstance(one, Hand) for d in one.due}
    live = [d for d in due if d.draft.expires_at is None or d.draft.expires_at > NOW]
    for one in due:
        if any(comes_before(one.draft, o.draft) and o.since >= one.since for o in live):
            assert one.draft.id not in gone


def test_no_channel_says_which_could_not_be_used_and_why() -> None:
    who = Recipient("c-1", "p-1", ("webhook",))
    draft = Draft("me_1", "c-1", "told", MessageFacts())
    (end,) = decided([Due(draft, NOW, closed={"webhook": "no enabled endpoint"})], who, ())
    assert isinstance(end, End)
    assert (end.state, end.code) == ("refused", "no_channel")
    assert end.because.endswith("Not to be used here: webhook (no enabled endpoint).")


def test_a_channel_that_is_down_is_waited_for_but_not_for_ever() -> None:
    who = Recipient("c-1", "p-1", ("webhook",))
    draft = Draft("me_1", "c-1", "told", MessageFacts())
    down = Due(draft, NOW, closed={"webhook": "disabled"}, down=True)
    (wait,) = decided([down], who, ())
    assert isinstance(wait, Wait)
    assert wait.code == "channel_down"
    (end,) = decided([replace(down, since=NOW - timedelta(days=5))], who, ())
    assert isinstance(end, End)


def test_hours_later_wishes_count_and_caps_do_not() -> None:
    who = Recipient("c-1", "p-1", ("email",), digest="daily")
    draft = Draft("me_1", "c-1", "told", MessageFacts(), item_ids=("it_1",))
    ask = by_rules(RULES, None)
    at = NOW.replace(hour=20)
    assert not isinstance(still(draft, who, "email", ask, at), Later | Never)
    assert isinstance(still(draft, who, "email", ask, NOW.replace(hour=22)), Later)
    assert isinstance(still(draft, who, "webhook", ask, at), Never)
    assert isinstance(still(draft, replace(who, refused_items=frozenset({"it_1"})), "email", ask, at), Never)
    assert isinstance(still(draft, who, "email", by_rules(RULES, "stopped"), at), Later)


def test_what_has_ended_stays_ended_but_for_a_late_arrival() -> None:
    assert may_follow(None, "waiting")
    assert not may_follow(None, "sent")
    assert {state: FOLLOWS[state] for state in ("sent", "refused", "cancelled")} == {
        "sent": frozenset(),
        "refused": frozenset(),
        "cancelled": frozenset(),
    }
    assert FOLLOWS["failed"] == {"sent"}


def told(customer: str, *changes: str, step: Step = "told") -> Due:
    facts = MessageFacts(
        changes=tuple(ChangeFacts("done", CustomerText("It is right."), NOW.date(), one) for one in changes)
    )
    return Due(Draft(f"me_{customer}_{step}", customer, step, facts, item_ids=("it_1",)), NOW)


def of_one_person(due: Sequence[Due], heard: Sequence[Draft] = (), **more: Any) -> dict[str, Decision]:
    who = Recipient("", "p-1", ("email",), **more)
    people = {one.draft.customer_id: replace(who, customer_id=one.draft.customer_id) for one in due}
    found = decide(due, people, (), by_rules(replace(RULES, quiet=None), None), NOW, heard)
    return {one.draft.customer_id: d for d in found for one in (d.due if isinstance(d, Hand) else (d.due,))}


def test_two_ids_that_have_become_one_person_hear_of_a_change_once() -> None:
    found = of_one_person([told("c-1", "ch_1"), told("c-2", "ch_1")])
    assert isinstance(found["c-1"], Hand)
    assert isinstance(ended := found["c-2"], End)
    assert (ended.state, ended.code) == ("cancelled", "same_person")
    before = of_one_person([told("c-2", "ch_1")], [told("c-1", "ch_1", "ch_2").draft])
    assert isinstance(before["c-2"], End)


def test_what_is_new_to_the_person_goes_out_under_any_id() -> None:
    for due, heard in (
        ([told("c-1", "ch_1"), told("c-2", "ch_1", "ch_2")], ()),
        ([told("c-1", "ch_1"), told("c-2", "ch_1", step="planned")], ()),
        ([told("c-2", "ch_2")], [told("c-1", "ch_1").draft]),
        ([told("c-1", "ch_1")], [told("c-1", "ch_1").draft]),
    ):
        assert all(isinstance(one, Hand) for one in of_one_person(due, heard).values())


def test_a_message_that_waits_does_not_silence_the_other_id() -> None:
    """Both wait for the same reason; whichever goes first says it."""
    found = of_one_person([told("c-1", "ch_1"), told("c-2", "ch_1")], held_because="too personal")
    assert all(isinstance(one, Wait) for one in found.values())


@given(
    st.lists(st.integers(-5, 5), max_size=4),
    st.integers(-5, 5),
    st.none() | st.integers(-5, 5),
    st.booleans(),
)
def test_what_was_raised_before_an_erasure_is_not_told_of_after_it(
    raised: list[int], since: int, erased: int | None, critical: bool
) -> None:
    def at(hour: int) -> datetime:
        return NOW + timedelta(hours=hour)

    about = Draft("m-1", "c-1", "told", MessageFacts(), critical=critical)
    found = is_about_erased(about, at(since), [at(h) for h in raised], None if erased is None else at(erased))
    if erased is None or critical:
        assert not found
    elif raised:
        assert found == all(hour <= erased for hour in raised)
    else:
        assert found == (since <= erased)
