"""One moment, several surveys: the one that learns most, and a record from which that comes out again."""

from collections import Counter
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heardback_ingest.domain.sampling.competing import Contender, choose, narrowing, record_of, replayed
from heardback_ingest.domain.sampling.precision import Target

BASE = Contender("relation", Target(0.05), 5_000, 100, 260, 0.2)
contenders = st.builds(
    Contender,
    st.text("abcdef", min_size=1, max_size=4),
    st.builds(Target, st.floats(0.02, 0.2)),
    st.integers(1, 50_000),
    st.integers(0, 2_000),
    st.integers(1, 2_000),
    st.floats(0.001, 1),
    st.floats(0.1, 10),
)
several = st.lists(contenders, max_size=6, unique_by=lambda one: one.survey)


@given(several, st.data(), st.text(max_size=8))
def test_the_order_they_come_in_decides_nothing(
    found: list[Contender], data: st.DataObject, slot: str
) -> None:
    assert choose(slot, found) == choose(slot, data.draw(st.permutations(found)))


@given(several, st.text(max_size=8))
def test_nobody_chosen_is_worth_less_than_a_runner_up(found: list[Contender], slot: str) -> None:
    choice = choose(slot, found)
    values = [one.value for one in choice.ranked]
    assert values == sorted(values, reverse=True)
    assert len(values) == len(found)
    if choice.chosen is None:
        assert not any(values)
    else:
        assert choice.ranked[0].contender.survey == choice.chosen
        assert choice.ranked[0].contender.answered < choice.ranked[0].contender.needed


@given(several, st.text(max_size=8))
def test_the_record_replays_to_the_same_choice(found: list[Contender], slot: str) -> None:
    choice = choose(slot, found)
    assert replayed(orjson.loads(orjson.dumps(record_of(choice)))) == choice


@given(contenders)
def test_more_answers_there_are_less_another_is_worth(one: Contender) -> None:
    less = narrowing(one.target, one.population, one.answered)
    assert 0 <= narrowing(one.target, one.population, one.answered + 1) <= less


@pytest.mark.parametrize(
    "better",
    [
        replace(BASE, survey="other", weight=2.0),
        replace(BASE, survey="other", response=0.4),
        replace(BASE, survey="other", answered=50),
    ],
)
def test_weight_chance_and_need_each_win(better: Contender) -> None:
    for slot in map(str, range(20)):
        choice = choose(slot, [BASE, better])
        assert (choice.chosen, choice.code) == ("other", "most_value")


def test_equals_share_the_slots() -> None:
    """Neither name nor place wins every time."""
    twins = [replace(BASE, survey=name) for name in ("alpha", "beta", "gamma")]
    won = Counter(choose(f"slot-{n}", twins).chosen for n in range(600))
    assert set(won) == {"alpha", "beta", "gamma"}
    assert min(won.values()) > 150
    assert choose("slot-1", twins).code == "tie"


def test_who_has_enough_does_not_ask() -> None:
    done = replace(BASE, answered=260)
    assert choose("s", [done]).code == "none_left"
    assert choose("s", []).chosen is None
    choice = choose("s", [done, replace(BASE, survey="other")])
    assert (choice.chosen, choice.code) == ("other", "only_one")
