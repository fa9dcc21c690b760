"""A custom request that recurs is suggested as an option, with evidence, and a decision lasts."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON

from heardback_router.options.domain import Asked, Decided, Verdict, suggestions
from heardback_router.steps.thresholds import Promotion

POLICY = Promotion(items=3, customers=2, days=30)


def asked(number: int, customer: str = "c", days_ago: float = 1, request: str = "split") -> Asked:
    return Asked(request, f"it_{number}", (f"{customer}{number}",), NOON - timedelta(days=days_ago), 10)


def decided(decision: Verdict, days_ago: float) -> Decided:
    return Decided("split", 1, decision, "ana", "because", 3, NOON - timedelta(days=days_ago))


def test_the_suggestion_shows_threshold_and_evidence() -> None:
    (one,) = suggestions([asked(n) for n in range(3)], [], POLICY, NOON)
    assert (one.count, one.customers, one.minutes, set(one.items)) == (3, 3, 30, {"it_0", "it_1", "it_2"})
    assert one.because == (
        "3 items of 3 customers asked for it in 30 days; from 3 items of 2 customers on it is suggested."
    )


def test_too_few_items_or_customers_or_too_long_ago_is_no_suggestion() -> None:
    same = [Asked("split", f"it_{n}", ("c-1",), NOON, 0) for n in range(9)]
    old = [asked(n, days_ago=31) for n in range(9)]
    for items in ([asked(1), asked(2)], same, old):
        assert suggestions(items, [], POLICY, NOON) == ()


def test_what_was_promoted_is_done_with_and_what_was_declined_comes_back_when_asked_as_often_again() -> None:
    before = [asked(n, days_ago=10) for n in range(5)]
    two, three = [asked(n, days_ago=1) for n in (10, 11)], [asked(n, days_ago=1) for n in (10, 11, 12)]
    assert suggestions([*before, *three], [decided("promote", 5)], POLICY, NOON) == ()
    assert suggestions([*before, *two], [decided("decline", 5)], POLICY, NOON) == ()
    (one,) = suggestions([*before, *three], [decided("decline", 5)], POLICY, NOON)
    assert (one.count, one.last) == (3, decided("decline", 5))
    assert "since it was declined on 2026-11-17" in one.because


@given(
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from("ab"), st.floats(0, 60)), max_size=30),
    st.integers(2, 5),
)
def test_only_what_reaches_the_threshold_is_suggested_most_often_first(
    given_: list[tuple[int, str, float]], items: int
) -> None:
    policy = Promotion(items=items, customers=1, days=30)
    all_asked = [asked(n, days_ago=days, request=request) for n, request, days in given_]
    found = suggestions(all_asked, [], policy, NOON)
    counts = [one.count for one in found]
    assert counts == sorted(counts, reverse=True)
    for request in "ab":
        recent = sum(a.request == request and a.opened_at > NOON - timedelta(days=30) for a in all_asked)
        assert (recent >= items) == any(one.request == request for one in found)
