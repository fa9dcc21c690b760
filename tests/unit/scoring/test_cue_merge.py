"""Cues of two sources: either may fire, none vetoes the other, and a surer source never lowers a cue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.scoring import POLICIES

from heardback_scoring.domain.cue_merge import merged
from heardback_shared.contracts.score import Cue

POLICY = POLICIES.cues
NAMES = ["safety", "anger", "gratitude", "sarcasm_suspected"]


def pattern(name: str, turn: int = 0, probability: float = 0.8) -> Cue:
    return Cue(name=name, probability=probability, turn=turn, span=(2, 5), by="pattern")


def test_the_model_alone_fires_from_its_threshold_on_and_has_no_span() -> None:
    assert merged([], [(3, {"anger": 0.49})], POLICY) == ()
    [cue] = merged([], [(3, {"anger": 0.5})], POLICY)
    assert cue == Cue(name="anger", probability=0.5, turn=3, span=None, by="model")


def test_grave_cues_fire_earlier_and_doubtful_ones_later() -> None:
    assert [c.name for c in merged([], [(0, {"safety": 0.36, "anger": 0.36})], POLICY)] == ["safety"]
    assert merged([], [(0, {"sarcasm_suspected": 0.6})], POLICY) == ()


@pytest.mark.parametrize(
    ("probability", "by", "expected"), [(0.01, "pattern", 0.8), (0.6, "both", 0.8), (0.97, "both", 0.97)]
)
def test_a_pattern_stays_whatever_the_model_says(probability: float, by: str, expected: float) -> None:
    [cue] = merged([pattern("anger")], [(0, {"anger": probability})], POLICY)
    assert (cue.by, cue.probability, cue.span) == (by, expected, (2, 5))


def test_the_same_cue_in_two_turns_is_two_cues_in_their_order() -> None:
    found = merged([pattern("anger", 4)], [(2, {"anger": 0.9}), (4, {})], POLICY)
    assert [(c.turn, c.by) for c in found] == [(2, "model"), (4, "pattern")]


PATTERNS = st.lists(
    st.builds(pattern, st.sampled_from(NAMES), st.integers(0, 3), st.floats(0.01, 1)), max_size=6
)
READ = st.dictionaries(
    st.integers(0, 3), st.dictionaries(st.sampled_from(NAMES), st.floats(0, 1)), max_size=4
)


@given(PATTERNS, READ)
def test_nothing_is_lost_and_nothing_is_there_twice(
    patterns: list[Cue], read: dict[int, dict[str, float]]
) -> None:
    found = merged(patterns, sorted(read.items()), POLICY)
    places = [(c.turn, c.name) for c in found]
    assert len(set(places)) == len(places)
    assert {(c.turn, c.name) for c in patterns} <= set(places)
    assert [c.turn for c in found] == sorted(c.turn for c in found)
    assert all(c.by == "model" or c.span is not None for c in found)


@given(st.floats(0, 1), st.floats(0, 1), st.booleans())
def test_a_surer_model_never_lowers_a_cue(low: float, high: float, with_pattern: bool) -> None:
    low, high = sorted((low, high))
    patterns = [pattern("anger")] if with_pattern else []
    before = merged(patterns, [(0, {"anger": low})], POLICY)
    after = merged(patterns, [(0, {"anger": high})], POLICY)
    assert sum(c.probability for c in before) <= sum(c.probability for c in after)
