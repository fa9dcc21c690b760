"""Clocks read from a log: when they start, stop, wait, run out, and which target they follow."""

from datetime import datetime

import pytest
from tests.support.clocks import MONDAY, PLAIN, Log, facts, hours, policy

from heardback_router.sla.clocks import clocks_of, expected, next_due, outcome
from heardback_router.sla.domain import Facts


def test_the_first_answer_and_the_solution_are_awaited_from_the_start() -> None:
    clocks = Log.opened().clocks(1)
    assert set(clocks) == {"first_response", "resolution"}
    first = clocks["first_response"]
    assert (first.state, first.used, first.target, first.due_at) == (
        "running",
        hours(1),
        hours(4),
        MONDAY + hours(4),
    )
    assert (first.rule, first.because, first.policy) == ("usual", "As always", "plain@1")
    assert clocks["resolution"].due_at == MONDAY + hours(24 + 8)
    assert next_due(clocks.values()) == first.due_at


def test_a_clock_starts_when_the_feedback_was_accepted_not_when_it_was_routed() -> None:
    log = Log.opened(at=2, opened_at=MONDAY.isoformat())
    assert log.clocks(3)["first_response"].used == hours(3)


def test_nights_and_weekends_do_not_count() -> None:
    clocks = Log.opened(at=MONDAY + hours(4 * 24 + 7)).clocks(MONDAY + hours(7 * 24 + 1))
    assert clocks["first_response"].used == hours(2)
    assert clocks["first_response"].due_at == MONDAY + hours(7 * 24 + 3)


def test_met_exactly_when_due_is_met_and_a_microsecond_later_is_late() -> None:
    on_time = Log.opened().responded(4).clocks(30)["first_response"]
    assert (on_time.state, on_time.breached_at, on_time.due_at) == ("met", None, MONDAY + hours(4))
    late = Log.opened().responded(4.0001).clocks(30)["first_response"]
    assert (late.state, late.breached_at, late.ended_at) == (
        "met_late",
        MONDAY + hours(4),
        MONDAY + hours(4.0001),
    )


def test_time_that_is_up_is_breached_only_after_it() -> None:
    assert Log.opened().clocks(4)["first_response"].state == "running"
    after = Log.opened().clocks(MONDAY + hours(4.001))["first_response"]
    assert (after.state, after.breached_at) == ("breached", MONDAY + hours(4))


def test_the_next_answer_is_awaited_once_a_known_customer_writes_after_an_answer() -> None:
    log = Log.opened().wrote(1)
    assert "next_response" not in log.clocks(1.5)
    log.responded(2)
    assert "next_response" not in log.clocks(2.5)
    assert "next_response" not in log.wrote(2.5, customer="c-2").clocks(2.6)
    log.wrote(3).wrote(3.5)
    waiting = log.clocks(4)["next_response"]
    assert (waiting.state, waiting.used, waiting.run) == ("running", hours(1), 1)
    log.responded(5).wrote(6)
    assert [
        (c.run, c.state)
        for c in clocks_of(log.events, MONDAY + hours(6.5), PLAIN)
        if c.kind == "next_response"
    ] == [
        (1, "met"),
        (2, "running"),
    ]


def test_a_new_revision_is_a_message_and_a_new_reading_is_none() -> None:
    log = Log.opened(revision=2).responded(1).rescored(2, 2)
    assert "next_response" not in log.clocks(3)
    assert log.rescored(3, 3).clocks(4)["next_response"].used == hours(1)


def test_feedback_moved_by_a_person_is_no_message_and_its_next_revision_is_one() -> None:
    moved = {"worst_severity": 40.0, "worst_band": "P3", "feedback_count": 2, "customers": ["c-1", "c-2"]}
    when = {"last_feedback_at": MONDAY.isoformat(), "arrivals": [MONDAY.isoformat()]}
    log = Log.opened().responded(1).add("feedback_came", 2, {**moved, **when}, actor="ana")
    assert "next_response" not in log.clocks(3)
    again = log.rescored(3, 2, "fb_moved")
    assert again.clocks(4)["next_response"].used == hours(1)
    assert log.item.customers == ("c-1", "c-2")
    left = {**moved, **when, "customers": ["c-1"], "feedback_count": 1}
    gone = Log.opened().wrote(0.5, customer="c-2").responded(1).add("feedback_left", 2, left, actor="ana")
    assert "next_response" not in gone.wrote(3, customer="c-2").clocks(4)


def test_a_comment_of_a_customer_is_a_message_and_one_of_a_colleague_is_none() -> None:
    log = Log.opened().responded(1).add("commented", 2, {"text": "hm"}, actor="ana")
    assert "next_response" not in log.clocks(3)
    log.add("commented", 3, {"text": "not solved", "loop_id": "lp"}, actor="customer")
    assert log.clocks(4)["next_response"].used == hours(1)


def test_a_message_accepted_before_the_answer_but_routed_after_it_waits_from_the_answer_on() -> None:
    log = Log.opened().responded(2).wrote(3, accepted_at=(MONDAY + hours(1)).isoformat())
    assert log.clocks(4)["next_response"].started_at == MONDAY + hours(2)


def test_a_pause_stops_the_clocks_it_names_and_only_them() -> None:
    log = Log.opened().paused(1, "waiting_for_supplier")
    clocks = log.clocks(3)
    resolution = clocks["resolution"]
    assert (resolution.state, resolution.used, resolution.due_at) == ("paused", hours(1), None)
    assert resolution.paused_because == "A supplier acts first"
    assert (clocks["first_response"].state, clocks["first_response"].used) == ("running", hours(3))
    log.add("resumed", 3, actor="ana")
    assert log.clocks(4)["resolution"].used == hours(2)


def test_the_customers_word_ends_a_wait_for_the_customer() -> None:
    log = Log.opened().responded(1, "waiting_for_customer")
    assert log.clocks(2)["resolution"].state == "paused"
    log.wrote(3)
    clocks = log.clocks(4)
    assert (clocks["resolution"].state, clocks["resolution"].used) == ("running", hours(2))
    assert clocks["next_response"].used == hours(1)
    other = Log.opened().responded(1, "waiting_for_customer").wrote(3, customer="c-2")
    assert other.clocks(4)["resolution"].state == "paused"


def test_an_answer_ends_a_wait_unless_it_names_another() -> None:
    log = Log.opened().paused(1, "waiting_for_supplier").responded(2)
    assert log.clocks(3)["resolution"].used == hours(2)


def test_reopening_goes_on_with_the_time_used() -> None:
    log = Log.opened().responded(1).resolved(2).reopened(7)
    resolution = log.clocks(8)["resolution"]
    assert (resolution.state, resolution.used, resolution.run) == ("running", hours(3), 1)
    assert log.clocks(8)["first_response"].state == "met"
    assert "next_response" not in log.clocks(8)


def test_a_customer_who_reopens_waits_for_an_answer() -> None:
    log = Log.opened().responded(1).resolved(2).reopened(3, by_customer=True)
    assert log.clocks(4)["next_response"].used == hours(1)


def test_a_first_answer_never_given_is_awaited_again_after_a_silent_resolution() -> None:
    log = Log.opened().resolved(1, tell=False)
    assert log.clocks(3)["first_response"].state == "stopped"
    again = log.reopened(4).clocks(5)["first_response"]
    assert (again.state, again.used) == ("running", hours(2))


def test_telling_the_customers_is_awaited_from_the_solution_until_all_were_told() -> None:
    log = Log.opened().resolved(1)
    assert log.clocks(3)["loop_closed"].used == hours(2)
    log.add("loops_settled", 4, {"number": 1, "at": (MONDAY + hours(3.5)).isoformat()})
    closed = log.clocks(5)["loop_closed"]
    assert (closed.state, closed.ended_at) == ("met", MONDAY + hours(3.5))
    assert "loop_closed" not in Log.opened().resolved(1, tell=False).clocks(3)


def test_where_confirmation_counts_only_closing_ends_it() -> None:
    strict = policy("plain@1", ("tell_in: office", "tell_in: office\nloop_closed_when: confirmed"))
    log = Log.opened().resolved(1).add("loops_settled", 2, {"number": 1, "at": MONDAY.isoformat()})
    assert log.clocks(3, strict)["loop_closed"].state == "running"
    log.add("closed", 4, {"loop_id": "lp"})
    assert log.clocks(5, strict)["loop_closed"].state == "met"


def test_a_share_of_the_work_has_only_the_clock_of_the_solution() -> None:
    assert set(Log.opened(parent_id="it_0").clocks(1)) == {"resolution"}


@pytest.mark.parametrize(
    ("band", "known", "rule"),
    [
        ("P3", {}, "usual"),
        ("P1", {}, "urgent"),
        ("P1", {"context": {"contract": " gold "}}, "gold"),
        ("P4", {"context": {"contract": "silver"}}, "usual"),
        ("P1", {"contract": "gold@3"}, "gold"),
        ("P4", {"contract": "gold@3", "context": {"contract": "silver"}}, "usual"),
    ],
)
def test_the_first_rule_that_holds_and_names_the_clock_counts(
    band: str, known: dict[str, object], rule: str
) -> None:
    assert Log.opened(band, facts=facts(**known)).clocks(1)["first_response"].rule == rule


def test_none_means_no_clock_until_the_item_weighs_more() -> None:
    log = Log.opened("P4")
    assert "resolution" not in log.clocks(2)
    resolution = log.weighed(3, "P3").clocks(4)["resolution"]
    assert (resolution.used, resolution.target) == (hours(1), hours(16))


def test_more_weight_tightens_the_target_and_less_never_loosens_it() -> None:
    log = Log.opened().weighed(1, "P1")
    tight = log.clocks(1.5)["first_response"]
    assert (tight.rule, tight.used, tight.due_at) == ("urgent", hours(1.5), MONDAY + hours(2))
    assert log.weighed(1.75, "P3").clocks(1.8)["first_response"].rule == "urgent"


def test_a_target_already_used_up_when_it_tightens_ran_out_at_that_moment() -> None:
    clock = Log.opened().weighed(3, "P1").clocks(3.5)["first_response"]
    assert (clock.state, clock.breached_at) == ("breached", MONDAY + hours(3))


def test_a_customer_with_a_better_contract_who_joins_brings_it_along() -> None:
    log = Log.opened().wrote(1, customer="c-2", facts=facts(context={"contract": "gold"}))
    assert log.clocks(1)["first_response"].rule == "gold"


def test_hours_of_the_customer_and_of_the_team() -> None:
    customers = policy("plain@1", ("time_zone: UTC", "time_zone: {of: customer, otherwise: UTC}"))
    in_tokyo = Log.opened(facts=facts(time_zone="Asia/Tokyo"))
    assert in_tokyo.clocks(1, customers)["first_response"].used == hours(0)
    assert Log.opened(facts=facts(time_zone="Nowhere")).clocks(1, customers)["first_response"].used == hours(
        1
    )
    teams = policy(
        "plain@1",
        ("time_zone: UTC", "time_zone: {of: team, teams: {product: America/New_York}, otherwise: UTC}"),
    )
    log = Log.opened().add("reassigned", 2, {"team": "product", "from": "operations"}, actor="ana")
    assert log.clocks(5, teams)["first_response"].used == hours(2)
    assert log.clocks(6, teams)["first_response"].used == hours(3)


def test_what_would_have_been_under_another_policy() -> None:
    log = Log.opened().responded(3).resolved(5)
    stricter = policy("strict@1", ("first_response: {within: 4h}", "first_response: {within: 2h}"))
    found = {c.kind: c.state for c in outcome(log.events, stricter, MONDAY + hours(6))}
    assert found == {"first_response": "met_late", "resolution": "met", "loop_closed": "running"}
    assert log.clocks(6)["first_response"].state == "met"


def test_expected_agrees_with_a_clock_that_runs_undisturbed() -> None:
    promised = expected(PLAIN, MONDAY, "P1", Facts(), "operations", ("first_response", "resolution"))
    clocks = Log.opened("P1").clocks(0.1)
    assert {kind: e.due_at for kind, e in promised.items()} == {k: c.due_at for k, c in clocks.items()}
    assert promised["first_response"].rule == "urgent"


def test_what_ran_out_is_not_undone_by_a_longer_target() -> None:
    longer = policy("plain@2", ("first_response: {within: 4h}", "first_response: {within: 9h}"))
    clock = Log.opened().pinned(5, "plain@2").clocks(6, longer, [PLAIN])["first_response"]
    assert (clock.state, clock.breached_at, clock.target) == ("breached", MONDAY + hours(4), hours(4))


def test_entries_from_the_future_are_not_seen() -> None:
    log = Log.opened().responded(1)
    assert log.clocks(0.5)["first_response"].state == "running"


def test_a_log_whose_writers_clocks_differ_a_little_never_runs_backwards() -> None:
    log = Log.opened().paused(2, "waiting_for_supplier").add("resumed", 1.9, actor="ana")
    assert log.clocks(3)["resolution"].used == hours(3)


def test_an_older_version_is_read_as_it_was_and_one_not_kept_as_the_one_in_force() -> None:
    newer = policy("plain@2", ("first_response: {within: 4h}", "first_response: {within: 6h}"))
    log = Log.opened()
    assert log.clocks(1, newer, [PLAIN])["first_response"].target == hours(4)
    assert log.clocks(1, newer)["first_response"].target == hours(6)


def test_a_clock_shows_whole_minutes() -> None:
    shown = Log.opened().clocks(MONDAY + hours(1) - (hours(1) / 3600))["first_response"].shown
    assert (shown["used_minutes"], shown["target_minutes"]) == (59, 240)
    assert isinstance(shown["due_at"], datetime)
