"""What a timer says of an item's clocks, when, and when it wants to look again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.support.clock_stories import POLICIES, Watched
from tests.support.clocks import MONDAY, PLAIN, Log, hours, policy

from heardback_router.backlog.domain import Item, ItemEvent
from heardback_router.backlog.log import Entry
from heardback_router.configuration.policies import Policies
from heardback_router.sla.seeing import NeverQuietError, see
from heardback_router.sla.settling import awaits_telling, look_at_loops
from heardback_router.sla.telling import SlaWatch
from heardback_router.sla.watch import Look


def said(watched: Watched, clock: str) -> list[tuple[str, Any, timedelta]]:
    return [(e.kind, e.data.get("percent"), e.at - MONDAY) for e in watched.said if e.data["clock"] == clock]


def test_half_three_quarters_nine_tenths_and_out() -> None:
    watched = Watched(MONDAY, "P3")
    watched.wait(hours(8))
    assert said(watched, "first_response") == [
        ("clock_warned", 50, hours(2)),
        ("clock_warned", 75, hours(3)),
        ("clock_warned", 90, hours(3.6)),
        ("clock_breached", None, hours(4) + timedelta(microseconds=1)),
    ]
    assert watched.log.item.counts.breaches == 1


def test_the_entries_say_in_words_what_is_used_of_what() -> None:
    watched = Watched(MONDAY, "P3")
    watched.wait(hours(4.5))
    first = [e for e in watched.said if e.data["clock"] == "first_response"]
    assert (
        first[1].reason == "75 % of the time for the first answer is used: 3 h of 4 h (office, rule usual)."
    )
    assert first[-1].reason == "The time for the first answer ran out: 4 h (office, rule usual)."
    assert first[-1].data["due_at"] == (MONDAY + hours(4)).isoformat()


def test_of_thresholds_passed_while_nobody_worked_only_the_last_is_told() -> None:
    always = policy(
        "plain@1", ("first_response: {within: 4h}", "first_response: {within: 20h, calendar: always}")
    )
    watched = Watched(MONDAY + hours(7.9), "P3", replace(POLICIES, sla=always))
    watched.wait(hours(17))
    # Half and three quarters passed at night.
    assert said(watched, "first_response") == [("clock_warned", 75, hours(24))]


def test_a_rule_may_have_itself_told_of_at_night() -> None:
    awake = policy(
        "plain@1",
        (
            "first_response: {within: 4h}",
            "tell_in: always\n    first_response: {within: 4h, calendar: always}",
        ),
    )
    watched = Watched(MONDAY + hours(12), "P3", replace(POLICIES, sla=awake))
    watched.wait(hours(2.5))
    assert said(watched, "first_response") == [("clock_warned", 50, hours(14))]


def test_a_threshold_reached_while_paused_is_told_when_it_goes_on() -> None:
    watched = Watched(MONDAY, "P3")
    watched.step("waits for customer", hours(1.9))
    watched.wait(hours(3))
    assert said(watched, "first_response") == []
    watched.step("goes on", hours(0.1))
    watched.wait(hours(0.2))
    assert said(watched, "first_response") == [("clock_warned", 50, hours(5.1))]


def test_an_answer_after_a_breach_at_night_is_told_of_as_late_and_not_as_open() -> None:
    always = policy(
        "plain@1", ("first_response: {within: 4h}", "first_response: {within: 4h, calendar: always}")
    )
    watched = Watched(MONDAY + hours(7.5), "P3", replace(POLICIES, sla=always))
    watched.step("answers", hours(6))
    watched.wait(hours(24))
    (breach,) = [e for e in watched.said if e.data["clock"] == "first_response"]
    assert breach.data["state"] == "met_late"
    assert breach.reason is not None
    assert breach.reason.endswith("It was met 2 h of working time too late.")


def test_an_item_without_a_kept_version_is_pinned_to_the_one_in_force() -> None:
    for data in ({"sla": None}, {"sla": "gone@1"}):
        log = Log.opened(**data)
        seen = see(log.item, log.events, POLICIES, MONDAY, [SlaWatch()])
        assert [(e.kind, e.data["sla"]) for e, _ in seen.made] == [("sla_pinned", "plain@1")]
        assert seen.made[-1][1].sla == "plain@1"
        assert not seen.made[-1][1].touched


def test_nothing_is_looked_at_again_once_an_item_is_closed_or_merged() -> None:
    merged = Log.opened().add("merged", 5, {"into": "it_2"})
    closed = Log.opened().resolved(5).add("closed", 6, {})
    for log, at in ((merged, 10), (closed, 10), (merged, 30), (closed, 30)):
        seen = see(log.item, log.events, POLICIES, MONDAY + hours(at), [SlaWatch()])
        assert (seen.made, seen.kept.timer_at, seen.kept.due_at) == ([], None, None)


class Escalates:
    """Another watch: acts on a breach, once."""

    def look(self, item: Item, log: Sequence[ItemEvent], policies: Policies, at: datetime) -> Look:
        breached = any(e.kind == "clock_breached" for e in log)
        return (
            Look((Entry("escalated", "router", "too late"),))
            if breached and not item.counts.escalations
            else Look()
        )


def test_one_watch_sees_at_once_what_another_entered() -> None:
    log = Log.opened()
    seen = see(log.item, log.events, POLICIES, MONDAY + hours(5), [SlaWatch(), Escalates()])
    assert [e.kind for e, _ in seen.made] == ["clock_breached", "escalated"]
    assert [e.sequence for e, _ in seen.made] == [2, 3]


class Chatters:
    def look(self, *_: object) -> Look:
        return Look((Entry("escalated", "router", "again"),))


def test_a_watch_that_never_comes_to_rest_is_stopped() -> None:
    log = Log.opened()
    with pytest.raises(NeverQuietError):
        see(log.item, log.events, POLICIES, MONDAY, [Chatters()])


def told(state: str, at: float, number: int = 1) -> dict[str, Any]:
    """A loop in this round that was told something in the one before it."""
    before = {"round": number - 1, "state": "told", "at": MONDAY}
    changed = {"round": number, "state": "changed", "at": MONDAY}
    last = {"round": number, "state": state, "at": MONDAY + hours(at)}
    return {"round": number, "history": [before, changed, last]}


def test_the_log_says_so_when_the_last_customer_was_told() -> None:
    log = Log.opened().resolved(1)
    at = MONDAY + hours(6)
    assert awaits_telling(log.item, log.events)
    waiting = look_at_loops(log.item, [told("told", 2), told("failed", 3)], at)
    assert (waiting.entries, waiting.again_at) == ((), at + hours(0.5))
    done = look_at_loops(log.item, [told("told", 2), told("confirmed", 3), told("not_told", 1, number=2)], at)
    (entry,) = done.entries
    assert entry.data == {"number": 1, "at": (MONDAY + hours(3)).isoformat()}
    log.add(entry.kind, at, entry.data)
    assert not awaits_telling(log.item, log.events)
    assert not awaits_telling(log.reopened(7).item, log.events)


def test_an_item_with_nobody_behind_it_has_nobody_to_tell() -> None:
    log = Log.opened().resolved(1)
    (entry,) = look_at_loops(log.item, [], MONDAY + hours(2)).entries
    assert entry.data["at"] == (MONDAY + hours(1)).isoformat()


def test_a_customer_told_and_then_disputing_was_told() -> None:
    assert PLAIN.loop_closed_when == "told"
    log = Log.opened().resolved(1)
    assert look_at_loops(log.item, [told("disputed", 2)], MONDAY + hours(3)).entries
