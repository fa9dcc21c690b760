"""What an item weighs: never less than its worst feedback, never less for more of anything."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON

from heardback_router.backlog.domain import Counts, Weight
from heardback_router.backlog.policy import read_weighing
from heardback_router.backlog.weighing import Weighed, weigh
from heardback_router.configuration.source import load_policies, packaged
from heardback_shared.policies.reading import PolicyError

POLICY = load_policies().weighing
worsts = st.integers(0, 100).map(lambda s: Weight(float(s), POLICY.band_of(s)))
counts = st.builds(Counts, *(st.integers(0, 5) for _ in fields(Counts)))
ages = st.lists(st.integers(0, 40), max_size=30)


def weighed(worst: Weight, customers: int, days_ago: list[int], happened: Counts) -> Weighed:
    arrivals = sorted(NOON - timedelta(days=days) for days in days_ago)
    return weigh(worst, customers, arrivals, happened, NOON, POLICY)


@given(worsts, st.integers(0, 300), ages, counts)
def test_contributions_add_up_and_nothing_is_lighter_than_its_worst(
    worst: Weight, customers: int, days_ago: list[int], happened: Counts
) -> None:
    answer = weighed(worst, customers, days_ago, happened)
    assert sum(part["points"] for part in answer.contributions) == answer.weight.score
    assert worst.score <= answer.weight.score <= 100
    assert answer.weight.band <= worst.band
    assert all(part["because"].endswith(".") for part in answer.contributions)


@given(worsts, st.integers(0, 300), ages, counts, st.sampled_from([f.name for f in fields(Counts)]))
def test_more_of_anything_never_makes_it_lighter(
    worst: Weight, customers: int, days_ago: list[int], happened: Counts, name: str
) -> None:
    before = weighed(worst, customers, days_ago, happened).weight
    more = replace(happened, **{name: getattr(happened, name) + 1})
    assert weighed(worst, customers, days_ago, more).weight.score >= before.score
    assert weighed(worst, customers + 1, days_ago, happened).weight.score >= before.score
    assert weighed(worst, customers, [*days_ago, 0], happened).weight.score >= before.score


def test_one_customer_once_is_as_heavy_as_their_feedback() -> None:
    worst = Weight(47.0, "P3")
    answer = weighed(worst, 1, [0], Counts())
    assert (answer.weight, len(answer.contributions)) == (worst, 1)


def test_a_third_transfer_and_a_broken_promise_lift_it_a_band() -> None:
    answer = weighed(Weight(55.0, "P2"), 1, [0], Counts(transfers=3, broken_promises=1))
    assert answer.weight == Weight(73.0, "P1")
    assert [part["points"] for part in answer.contributions] == [55.0, 8, 10]


def test_rungs_that_would_make_worse_lighter_are_refused() -> None:
    text = packaged("weighing.yaml").replace("{at_least: 20, points: 9}", "{at_least: 20, points: 4}")
    with pytest.raises(PolicyError, match="breadth: at_least must rise"):
        read_weighing(text)
