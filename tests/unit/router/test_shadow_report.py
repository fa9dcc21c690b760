"""The disagreement of two models: intervals that hold what they promise, and counts that add up."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heardback_router.shadow.domain import Group, confusion, disagreement, slices, wilson

LABELS, BANDS = ("negative", "neutral", "positive"), ("P1", "P2", "P3", "P4")
groups = st.builds(
    Group,
    source=st.sampled_from(["typeform", "zendesk"]),
    language=st.sampled_from(["en", "und"]),
    labels=st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)),
    bands=st.tuples(st.sampled_from(BANDS), st.sampled_from(BANDS)),
    abstained=st.tuples(st.booleans(), st.booleans()),
    same_cause=st.booleans(),
    count=st.integers(1, 50),
    difference=st.floats(-2, 2),
    distance=st.floats(0, 2),
)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_the_interval_holds_the_share_and_stays_inside(one: int, other: int) -> None:
    count, total = min(one, other), max(one, other)
    found = wilson(count, total)
    if total == 0:
        assert (found.share, found.low, found.high) == (None, None, None)
        return
    assert found.share is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.share == count / total <= found.high <= 1


def test_the_interval_of_a_known_share() -> None:
    """10 of 100, as tables of the Wilson interval have it."""
    found = wilson(10, 100)
    assert found.low == pytest.approx(0.0552, abs=5e-5)
    assert found.high == pytest.approx(0.1744, abs=5e-5)


def test_it_holds_the_true_share_about_as_often_as_it_says() -> None:
    chance, held = random.Random(3), 0
    for _ in range(2000):
        found = wilson(sum(chance.random() < 0.1 for _ in range(120)), 120)
        held += found.low is not None and found.high is not None and found.low <= 0.1 <= found.high
    assert 0.93 < held / 2000 < 0.975


@given(st.lists(groups, max_size=12))
def test_everything_counted_is_counted_once(found: list[Group]) -> None:
    whole = disagreement(found)
    assert whole.compared == sum(g.count for g in found)
    assert whole.raised + whole.lowered == whole.band.count
    by_label = confusion(found, lambda g: g.labels)
    assert sum(n for row in by_label.values() for n in row.values()) == whole.compared
    same = sum(row.get(label, 0) for label, row in by_label.items())
    assert whole.label.count == whole.compared - same
    for parts in (slices(found, lambda g: g.source), slices(found, lambda g: g.language)):
        assert sum(part.disagreement.compared for part in parts) == whole.compared
        assert sum(part.disagreement.label.count for part in parts) == whole.label.count


def test_a_graver_band_is_raised() -> None:
    graver = Group("s", "en", ("neutral", "negative"), ("P4", "P2"), (False, True), True, 3, -1.5, 1.5)
    milder = Group("s", "en", ("negative", "negative"), ("P1", "P3"), (False, False), False, 1, 0.1, 0.1)
    found = disagreement([graver, milder])
    assert (found.raised, found.lowered, found.cause.count) == (3, 1, 1)
    assert (found.abstained_active.count, found.abstained_candidate.count) == (0, 3)
    assert found.mean_difference == pytest.approx(-0.35)
    assert found.mean_distance == pytest.approx(0.4)


def test_nothing_compared_has_no_share() -> None:
    found = disagreement([])
    assert (found.compared, found.label.share, found.mean_distance) == (0, None, None)
