"""What users of other help desks complain of about clocks must not happen here."""

from dataclasses import replace
from datetime import timedelta

from tests.support.clock_stories import POLICIES, Watched
from tests.support.clocks import MONDAY, PLAIN, Log, hours, policy

from heardback_router.configuration.policies import Policies
from heardback_router.sla.telling import SlaWatch


def test_complaint_the_clock_runs_on_after_the_item_was_resolved() -> None:
    log = Log.opened().resolved(2)
    for later in (3, 30, 300):
        clocks = log.clocks(later)
        assert clocks["resolution"].used == hours(2)
        assert clocks["first_response"].state == clocks["resolution"].state == "met"


def test_complaint_a_policy_that_items_use_cannot_be_changed() -> None:
    faster = policy("plain@2", ("resolution: {within: 16h}", "resolution: {within: 4h}"))
    log = Log.opened()
    assert log.clocks(2, faster, [PLAIN])["resolution"].target == hours(16)
    resolution = log.pinned(2, "plain@2").clocks(3, faster, [PLAIN])["resolution"]
    assert (resolution.used, resolution.target, resolution.due_at) == (hours(3), hours(4), MONDAY + hours(4))
    assert resolution.policy == "plain@2"


def test_complaint_used_time_is_lost_or_counted_anew_when_the_calendar_changes() -> None:
    nights = policy(
        "plain@2", ("{within: 16h}", "{within: 16h, calendar: always}"), ("within: 8h", "within: 9h")
    )
    log = Log.opened().pinned(7, "plain@2")
    # Seven hours of the office, then every hour.
    assert log.clocks(12, nights, [PLAIN])["resolution"].used == hours(12)
    assert log.clocks(12, nights, [PLAIN])["resolution"].due_at == MONDAY + hours(16)


def test_complaint_an_update_takes_the_place_of_the_first_answer() -> None:
    log = Log.opened().wrote(1).rescored(2, 2).add("commented", 2.5, {"text": "hm"}, actor="ana")
    first = log.clocks(3)["first_response"]
    assert (first.state, first.started_at, first.due_at) == ("running", MONDAY, MONDAY + hours(4))
    assert "next_response" not in log.clocks(3)


def test_complaint_it_escalates_although_the_agent_has_answered() -> None:
    watched = Watched(MONDAY, "P3")
    watched.step("answers", hours(1))
    watched.step("solves", hours(1))
    watched.step("told", hours(1))
    watched.wait(timedelta(days=30))
    assert watched.said == []


def test_complaint_a_held_warning_goes_out_in_the_morning_although_it_was_answered_at_night() -> None:
    evening = MONDAY + hours(7.5)
    held = Watched(evening, "P3", _around_the_clock())
    held.step("answers", hours(3))
    held.wait(hours(24))
    assert [e.kind for e in held.said if e.data["clock"] == "first_response"] == []


def test_complaint_reminders_at_midnight() -> None:
    watched = Watched(MONDAY + hours(7.5), "P3", _around_the_clock())
    watched.wait(timedelta(days=2))
    first = [e for e in watched.said if e.data["clock"] == "first_response"]
    (breach,) = first
    assert breach.kind == "clock_breached"
    assert breach.at == MONDAY + hours(24)
    assert breach.data["breached_at"] == (MONDAY + hours(11.5)).isoformat()


def test_complaint_a_merged_item_still_escalates() -> None:
    watched = Watched(MONDAY, "P3")
    watched.step("merges", hours(1))
    watched.wait(timedelta(days=30))
    assert watched.said == []
    assert {c.state for c in watched.log.clocks(200).values()} == {"stopped"}


def test_complaint_a_pause_is_lost_when_the_policy_changes() -> None:
    bare = policy(
        "plain@2",
        ("  waiting_for_supplier: {title: A supplier acts first, stops: [resolution]}\n", ""),
    )
    log = Log.opened().paused(1, "waiting_for_supplier").pinned(2, "plain@2")
    resolution = log.clocks(5, bare, [PLAIN])["resolution"]
    assert (resolution.state, resolution.used) == ("paused", hours(1))
    assert log.item.waiting_for == "waiting_for_supplier"
    narrower = policy("plain@2", ("stops: [resolution]", "stops: [next_response]"))
    # Not even where the version it began under is not kept any more.
    assert log.clocks(5, narrower)["resolution"].state == "paused"
    assert log.add("resumed", 6, actor="ana").clocks(7, bare, [PLAIN])["resolution"].used == hours(2)


def test_complaint_the_clock_stays_paused_although_the_customer_has_replied() -> None:
    log = Log.opened().responded(1, "waiting_for_customer").wrote(3)
    look = SlaWatch().look(log.item, log.events, POLICIES, MONDAY + hours(3))
    (entry,) = look.entries
    assert (entry.kind, entry.reason) == ("resumed", "The customer wrote again.")
    log.add(entry.kind, 3)
    assert log.item.waiting_for is None
    assert log.clocks(4)["resolution"].used == hours(2)


def test_complaint_reopening_gives_an_item_all_its_time_again() -> None:
    log = Log.opened().resolved(6).reopened(6.5)
    assert log.clocks(7)["resolution"].used == hours(6.5)


def _around_the_clock() -> Policies:
    always = policy(
        "plain@1", ("first_response: {within: 4h}", "first_response: {within: 4h, calendar: always}")
    )
    return replace(POLICIES, sla=always)
