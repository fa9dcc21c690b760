"""The schedule is data; every answer has one meaning."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON

from heardback_router.deliveries.domain import (
    Delivered,
    Disable,
    GiveUp,
    Response,
    Retry,
    RetryPolicy,
    excerpt,
    next_attempt,
    retry_after_seconds,
)

POLICY = RetryPolicy()
REFUSED = Response(None, "connection refused")


def wait(response: Response, attempt: int = 1, jitter: float = 0.0) -> float:
    decision = next_attempt(POLICY, attempt, response, NOON, jitter)
    assert isinstance(decision, Retry)
    return (decision.at - NOON).total_seconds()


def test_ten_attempts_over_three_days_then_it_gives_up() -> None:
    waits = [wait(REFUSED, attempt) for attempt in range(1, 10)]
    assert waits == [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert timedelta(seconds=sum(waits)) == timedelta(hours=75, minutes=35, seconds=5)
    last = next_attempt(POLICY, 10, REFUSED, NOON, 0)
    assert last == GiveUp("10 attempts failed; the last: connection refused")


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_only_2xx_is_success(status: int) -> None:
    assert next_attempt(POLICY, 1, Response(status), NOON, 0) == Delivered()


@pytest.mark.parametrize("status", [100, 301, 302, 307, 308, 400, 401, 404, 408, 500, 503])
def test_everything_else_is_tried_again_redirects_included(status: int) -> None:
    assert wait(Response(status)) == 5


def test_gone_disables_and_abort_stops() -> None:
    assert isinstance(next_attempt(POLICY, 1, Response(410), NOON, 0), Disable)
    assert isinstance(next_attempt(POLICY, 1, Response(400, abort=True), NOON, 0), GiveUp)


@pytest.mark.parametrize("status", [429, 502, 504])
def test_an_overloaded_receiver_is_left_alone(status: int) -> None:
    decision = next_attempt(POLICY, 1, Response(status), NOON, 0)
    until = NOON + timedelta(seconds=30)
    assert decision == Retry(until, until, f"the receiver answered {status}")


def test_retry_after_lengthens_the_wait_up_to_a_cap_and_never_shortens_it() -> None:
    assert wait(Response(503, retry_after="90")) == 90
    assert wait(Response(503, retry_after="90"), attempt=2) == 300
    assert wait(Response(429, retry_after="99999999")) == POLICY.retry_after_cap_seconds
    assert wait(Response(503, retry_after="Sun, 22 Nov 2026 12:01:00 GMT")) == 60


@pytest.mark.parametrize("header", ["", "soon", "-5", "1.5", "²", "Sun, 99 Nov 2026", "\x00"])
def test_an_unreadable_retry_after_says_nothing(header: str) -> None:
    assert retry_after_seconds(header, NOON) is None


def test_a_retry_after_in_the_past_is_no_wait() -> None:
    assert retry_after_seconds("Sun, 22 Nov 2026 11:00:00 GMT", NOON) == 0
    assert retry_after_seconds("Sun, 22 Nov 2026 11:00:00", NOON) == 0
    assert retry_after_seconds(None, NOON) is None


@given(
    st.integers(1, 9),
    st.floats(-1, 1),
    st.integers(300, 599).filter(lambda s: s != 410),
    st.one_of(st.none(), st.text(max_size=12), st.integers(0, 10**9).map(str)),
)
def test_a_retry_lies_within_the_jitter_of_the_schedule_or_what_was_asked(
    attempt: int, jitter: float, status: int, header: str | None
) -> None:
    base = POLICY.delays_seconds[attempt]
    seconds = wait(Response(status, retry_after=header), attempt, jitter)
    assert seconds >= base * 0.8 - 1e-3
    assert seconds <= max(base * 1.2, POLICY.retry_after_cap_seconds, POLICY.overload_seconds) + 1e-3


@given(st.binary(max_size=5_000))
def test_an_excerpt_is_short_text_a_database_takes(body: bytes) -> None:
    text = excerpt(body)
    assert len(text.encode()) <= 1_024
    assert "\x00" not in text
