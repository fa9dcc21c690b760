"""Figures against their plain definitions, and what a bootstrap relies on: weights are repetitions."""

import math
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from heardback_scoring.evaluation import statistics as stats
from heardback_scoring.evaluation.statistics import Statistic, Values

Build = Callable[[NDArray[np.int64], NDArray[np.int64], Values], Statistic]
# (chosen classes, true classes, scores) → statistic
STATISTICS: dict[str, Build] = {
    "macro_recall": lambda chosen, truth, scores: stats.macro_recall(chosen, truth),
    "macro_f1": lambda chosen, truth, scores: stats.macro_f1(chosen, truth),
    "accuracy": lambda chosen, truth, scores: stats.share(chosen == truth),
    "answered": lambda chosen, truth, scores: stats.share(chosen == truth, scores > 0.5),
    "precision": lambda chosen, truth, scores: stats.precision(chosen == 1, truth == 1),
    "recall": lambda chosen, truth, scores: stats.recall(chosen == 1, truth == 1),
    "f1": lambda chosen, truth, scores: stats.f1(chosen == 1, truth == 1),
    "ece": lambda chosen, truth, scores: stats.calibration_error(scores, chosen == truth),
    "pearson": lambda chosen, truth, scores: stats.pearson(scores, truth.astype(float)),
    "at_precision": lambda chosen, truth, scores: stats.recall_at_precision(scores, truth == 1, 0.7),
}
rows = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from([0.1, 0.25, 0.4, 0.6, 0.8, 0.95])),
    min_size=1,
    max_size=12,
)


def columns(
    table: list[tuple[int, int, float]],
) -> tuple[NDArray[np.int64], NDArray[np.int64], Values]:
    chosen, truth, scores = zip(*table, strict=True)
    return np.array(chosen, np.int64), np.array(truth, np.int64), np.array(scores, np.float64)


@pytest.mark.parametrize("name", STATISTICS)
@settings(max_examples=30, deadline=None)
@given(table=rows, data=st.data())
def test_a_row_that_counts_twice_is_a_row_that_is_there_twice(
    name: str, table: list[tuple[int, int, float]], data: st.DataObject
) -> None:
    counts = data.draw(st.lists(st.integers(1, 3), min_size=len(table), max_size=len(table)))
    repeated = [row for row, count in zip(table, counts, strict=True) for _ in range(count)]
    weighted = STATISTICS[name](*columns(table))(np.array([counts], np.float64))[0]
    plain = stats.point(STATISTICS[name](*columns(repeated)), len(repeated))
    assert math.isnan(weighted) == math.isnan(plain)
    # Pearson of hardly any spread is a quotient of rounding errors.
    assert math.isnan(plain) or weighted == pytest.approx(plain, abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(table=rows)
def test_recall_at_precision_is_the_best_over_all_thresholds(table: list[tuple[int, int, float]]) -> None:
    _, classes, scores = columns(table)
    truth = classes == 1
    found = stats.point(stats.recall_at_precision(scores, truth, 0.7), len(table))
    best = [
        truth[scores >= cut].sum() / truth.sum()
        for cut in set(scores)
        if truth.any() and truth[scores >= cut].mean() >= 0.7 - 1e-12
    ]
    assert math.isnan(found) if not truth.any() else found == pytest.approx(max(best, default=0.0))


def test_known_values() -> None:
    truth = np.array([0, 0, 0, 1, 1, 2])
    chosen = np.array([0, 0, 1, 1, 0, 2])
    assert stats.point(stats.macro_recall(chosen, truth), 6) == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    assert stats.point(stats.macro_f1(chosen, truth), 6) == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    sure = np.array([0.9, 0.9, 0.3, 0.3])
    hit = np.array([True, False, False, False])
    assert stats.point(stats.calibration_error(sure, hit), 4) == pytest.approx(0.5 * 0.4 + 0.5 * 0.3)
    x = np.array([1.0, 2.0, 2.0, 4.0])
    assert stats.point(stats.spearman(x, np.exp(x)), 4) == pytest.approx(1.0)
    assert stats.point(stats.spearman(x, -x), 4) == pytest.approx(-1.0)
    both = np.array([[True, True], [False, True]])
    none = np.array([[True, False], [False, False]])
    assert stats.point(stats.micro_f1_of_labels(none, both), 2) == pytest.approx(2 / 4)
    assert stats.point(stats.macro_f1_of_labels(none, both), 2) == pytest.approx((1.0 + 0.0) / 2)
    assert stats.point(stats.spread_of_means(np.array([[0.1, 0.4], [0.3, 0.2]])), 2) == pytest.approx(0.1)
    assert stats.point(stats.largest(np.array([0.1, 0.7])), 2) == 0.7


def test_an_interval_holds_its_value_and_covers_as_often_as_it_says() -> None:
    random = np.random.default_rng(1)
    covered = 0
    for _ in range(60):
        hits = random.random(200) < 0.7
        found = stats.interval(stats.share(hits), 200, draws=300)
        assert found.low <= found.value <= found.high
        covered += found.low <= 0.7 <= found.high
    assert 52 <= covered <= 60


def test_the_same_rows_give_the_same_interval_however_they_are_drawn() -> None:
    hits = np.arange(50) % 3 == 0
    assert stats.interval(stats.share(hits), 50) == stats.interval(stats.share(hits), 50)
    assert [w.shape for w in stats.resamples(1_500_000, 3)] == [(2, 1_500_000), (1, 1_500_000)]


def test_a_model_differs_from_itself_by_nothing_and_from_a_worse_one_surely() -> None:
    hits = np.random.default_rng(2).random(400) < 0.8
    same = stats.paired(stats.share(hits), stats.share(hits), 400)
    assert (same.difference, same.low, same.high) == (0, 0, 0)
    worse = stats.paired(stats.share(hits), stats.share(hits & (np.arange(400) % 10 > 0)), 400)
    assert worse.difference == pytest.approx(-np.mean(hits & (np.arange(400) % 10 == 0)))
    assert worse.low < worse.difference < worse.high < 0


def test_what_cannot_be_told_is_nan_without_a_warning() -> None:
    none = np.zeros(5, np.bool_)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert math.isnan(stats.interval(stats.precision(none, none), 5).value)
        assert math.isnan(stats.interval(stats.share([]), 0).value)
        assert math.isnan(stats.interval(stats.pearson(np.ones(5), np.ones(5)), 5).low)
