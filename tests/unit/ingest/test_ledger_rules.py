"""How a ledger row moves, and when it is sent again."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON

from heardback_ingest.domain.ledger import (
    Due,
    RedrivePolicy,
    event_id,
    event_key,
    feedback_id,
    next_step,
    status,
)

POLICY = RedrivePolicy(first_seconds=30, longest_seconds=300, limit=3, rescore_seconds=100, rescore_limit=2)
ROW = Due("t", "fb_1", 1, "c", "in_flight", 1, 0, b"{}", None, 1)


def test_ids_are_the_same_for_the_same_and_differ_otherwise() -> None:
    assert feedback_id("t", "s", "x") == feedback_id("t", "s", "x")
    others = [("u", "s", "x"), ("t", "r", "x"), ("t", "s", "y")]
    assert len({feedback_id("t", "s", "x"), *(feedback_id(*o) for o in others)}) == 4
    events = {event_id("t", "fb", revision, number) for revision in (1, 2) for number in (1, 2)}
    assert len(events) == 4
    assert event_key("t", "c", "fb") == "t:c"
    assert event_key("t", None, "fb") == "t:fb"


def test_waits_double_up_to_the_longest() -> None:
    waits = [(POLICY.next_due(NOON, n) - NOON).total_seconds() for n in (1, 2, 3, 4, 5)]
    assert POLICY.first_due(NOON) - NOON == timedelta(seconds=30)
    assert waits == [60, 120, 240, 300, 300]


@given(st.integers(min_value=0, max_value=10_000))
def test_a_wait_is_never_shorter_than_the_first_nor_longer_than_the_longest(redrives: int) -> None:
    wait = POLICY.next_due(NOON, redrives) - NOON
    assert timedelta(seconds=30) <= wait <= timedelta(seconds=300)


def test_degraded_scores_are_asked_again_later_each_time_and_not_for_ever() -> None:
    assert POLICY.rescore_due(NOON, 1) == NOON + timedelta(seconds=100)
    assert POLICY.rescore_due(NOON, 2) == NOON + timedelta(seconds=200)
    assert POLICY.rescore_due(NOON, 3) is None


@pytest.mark.parametrize(
    ("change", "step"),
    [
        ({}, "redrive"),
        ({"redrives": 2}, "redrive"),
        ({"redrives": 3}, "die"),
        ({"newest_revision": 2}, "supersede"),
        ({"newest_revision": 2, "redrives": 9}, "supersede"),
        ({"state": "settled"}, "rescore"),
        ({"state": "settled", "newest_revision": 2}, "rest"),
        ({"state": "dead"}, "rest"),
    ],
)
def test_what_is_done_with_a_row_that_is_due(change: dict[str, object], step: str) -> None:
    assert next_step(replace(ROW, **change), POLICY) == step  # type: ignore[arg-type]


def test_public_words() -> None:
    assert status("in_flight", None, None) == "accepted"
    assert status("in_flight", None, NOON) == "scored"
    assert status("settled", NOON, NOON) == "routed"
    assert status("in_flight", NOON, NOON) == "routed"
    assert status("dead", NOON, NOON) == "dead"
