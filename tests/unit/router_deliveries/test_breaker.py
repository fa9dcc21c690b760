"""The circuit of an endpoint: when it is spared, probed, closed again, and given up."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON

from heardback_router.deliveries.breaker import (
    BreakerPolicy,
    Event,
    Health,
    Outcome,
    after_attempt,
    may_send,
    next_probe,
    probing,
)

POLICY = BreakerPolicy()
STEPS = st.lists(st.tuples(st.sampled_from(["ok", "failed", "busy"]), st.integers(0, 200_000)), max_size=60)


def fail(health: Health, times: int, every: float = 1) -> tuple[Health, list[Event | None]]:
    events: list[Event | None] = []
    for n in range(times):
        judged = after_attempt(POLICY, health, "failed", NOON + timedelta(seconds=n * every))
        health = judged.health
        events.append(judged.event)
    return health, events


def test_failures_in_a_row_open_it_and_one_probe_closes_it() -> None:
    health, events = fail(Health(), 5)
    assert events == [None, None, None, None, "opened"]
    at = health.until
    assert at == NOON + timedelta(seconds=4 + 60)
    assert may_send(health, at - timedelta(seconds=1)) == "nothing"
    assert may_send(health, at) == "probe"
    flying = probing(health, at + timedelta(seconds=60))
    assert may_send(flying, at + timedelta(seconds=59)) == "nothing"
    assert may_send(flying, at + timedelta(seconds=60)) == "probe"
    judged = after_attempt(POLICY, flying, "ok", at)
    assert (judged.event, judged.health, may_send(judged.health, at)) == ("closed", Health(), "all")


def test_a_failed_probe_opens_it_for_longer_up_to_an_hour() -> None:
    health, _ = fail(Health(), 5)
    waits = []
    for _ in range(8):
        assert health.until is not None
        at = health.until
        health = after_attempt(POLICY, probing(health, at), "failed", at).health
        assert health.until is not None
        waits.append((health.until - at).total_seconds())
    assert waits == [120, 300, 600, 1_800, 3_600, 3_600, 3_600, 3_600]


def test_half_of_many_failing_opens_it_though_none_fails_five_times_in_a_row() -> None:
    health, event = Health(), None
    for n in range(30):
        outcome: Outcome = "failed" if n % 2 == 0 else "ok"
        judged = after_attempt(POLICY, health, outcome, NOON + timedelta(seconds=n))
        health, event = judged.health, event or judged.event
    assert event == "opened"


def test_half_of_many_over_a_long_time_do_not() -> None:
    health = Health()
    for n in range(60):
        outcome: Outcome = "failed" if n % 2 == 0 else "ok"
        judged = after_attempt(POLICY, health, outcome, NOON + timedelta(minutes=n))
        health = judged.health
        assert judged.event is None


def test_a_receiver_that_asks_for_time_is_neither_spared_nor_given_up() -> None:
    health = Health()
    for day in range(30):
        judged = after_attempt(POLICY, health, "busy", NOON + timedelta(days=day))
        health = judged.health
        assert (judged.event, health.circuit) == (None, "closed")


def test_five_days_of_failures_give_it_up_and_pings_grow_rare() -> None:
    _, events = fail(Health(), 130, every=3_600)
    assert events.index("disabled") == 120
    waits = [(next_probe(POLICY, n, NOON) - NOON).total_seconds() for n in range(6)]
    assert waits == [3_600, 10_800, 21_600, 43_200, 43_200, 43_200]


def test_two_failures_far_apart_give_nothing_up() -> None:
    _, events = fail(Health(), 4, every=86_400 * 10)
    assert "disabled" not in events


@given(STEPS)
def test_whatever_happens(steps: list[tuple[Outcome, int]]) -> None:
    """Given up only after five days without one success; a success closes; what is open says until when."""
    health, at, first_failure, failures = Health(), NOON, None, 0
    for outcome, seconds in steps:
        at += timedelta(seconds=seconds)
        judged = after_attempt(POLICY, health, outcome, at)
        if outcome == "ok":
            first_failure, failures = None, 0
            assert (judged.health.circuit, judged.health.failures) == ("closed", 0)
            assert judged.health.failing_since is None
        else:
            first_failure = first_failure or at
            failures += outcome == "failed"
        if judged.event == "disabled":
            assert first_failure is not None
            assert at - first_failure >= POLICY.disable_after
            assert failures >= POLICY.disable_failures
            return  # What is disabled has no circuit any more: it starts with a clean sheet.
        health = judged.health
        assert (health.circuit == "closed") == (health.until is None)
        assert health.until is None or health.until > at
        assert health.failures == failures
        assert health.window_failed <= health.window_made
        if health.circuit == "open" and may_send(health, at + timedelta(hours=1)) == "probe":
            health = probing(health, at + timedelta(hours=2))


@given(STEPS)
def test_an_endpoint_that_only_succeeds_is_never_written_to(steps: list[tuple[Outcome, int]]) -> None:
    for _, seconds in steps:
        assert after_attempt(POLICY, Health(), "ok", NOON + timedelta(seconds=seconds)).health == Health()
