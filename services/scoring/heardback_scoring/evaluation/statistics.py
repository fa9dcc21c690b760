"""Figures as functions of how often each row counts, so that one bootstrap serves all of them.

A statistic takes weights, draws × rows, and gives one value per draw; NaN where a draw cannot tell. The
point value has every row once. Intervals are percentile bootstraps over rows (Efron & Tibshirani 1993);
two models are compared on the same draws (paired).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]
Statistic = Callable[[Values], Values]
DRAWS = 1000
SEED = 20_261_122
_ROUNDING = 1e-12
_CELLS = 4_000_000
"""Weights held at once; bounds the memory of a draw over many rows."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and its 95 % interval; NaN where the rows cannot tell."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Paired:
    """Two models on the same rows; the interval is that of candidate − baseline."""

    baseline: float
    candidate: float
    low: float
    high: float

    @property
    def difference(self) -> float:
        return self.candidate - self.baseline


def interval(statistic: Statistic, rows: int, draws: int = DRAWS) -> Interval:
    if not rows:
        return Interval(np.nan, np.nan, np.nan)
    values = np.concatenate([statistic(weights) for weights in resamples(rows, draws)])
    return Interval(point(statistic, rows), *_middle(values))


def paired(baseline: Statistic, candidate: Statistic, rows: int, draws: int = DRAWS) -> Paired:
    if not rows:
        return Paired(np.nan, np.nan, np.nan, np.nan)
    gaps = np.concatenate([candidate(weights) - baseline(weights) for weights in resamples(rows, draws)])
    return Paired(point(baseline, rows), point(candidate, rows), *_middle(gaps))


def point(statistic: Statistic, rows: int) -> float:
    return float(statistic(np.ones((1, rows)))[0])


def resamples(rows: int, draws: int) -> Iterator[Values]:
    """Counts of `rows` drawn with replacement, always the same for the same number of rows."""
    random = np.random.default_rng([SEED, rows])
    most = max(1, _CELLS // rows)
    for start in range(0, draws, most):
        count = min(most, draws - start)
        drawn = random.integers(0, rows, (count, rows)) + np.arange(count)[:, None] * rows
        yield np.bincount(drawn.ravel(), minlength=count * rows).reshape(count, rows).astype(np.float64)


def _middle(values: Values) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    if not len(known):
        return np.nan, np.nan
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


def share(values: ArrayLike, among: ArrayLike | None = None) -> Statistic:
    """Mean of the values over all rows, or over those `among`."""
    of = np.asarray(values, np.float64)
    base = np.ones(len(of)) if among is None else np.asarray(among, np.float64)
    return ratio(of * base, base)


def ratio(above: Values, below: Values) -> Statistic:
    """Σ above / Σ below."""
    return lambda weights: _divide(weights @ above, weights @ below)


def macro_recall(chosen: NDArray[np.int64], truth: NDArray[np.int64]) -> Statistic:
    """Mean over the classes present of the share of their rows that was found."""
    return mean_of([share(chosen == c, truth == c) for c in np.unique(truth)])


def macro_f1(chosen: NDArray[np.int64], truth: NDArray[np.int64]) -> Statistic:
    """Mean over the classes present in the truth of F1."""
    return mean_of([f1(chosen == c, truth == c) for c in np.unique(truth)])


def macro_f1_of_labels(chosen: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Statistic:
    """As `macro_f1`, where a row may have several labels: rows × labels."""
    present = np.flatnonzero(truth.any(axis=0))
    return mean_of([f1(chosen[:, c], truth[:, c]) for c in present])


def micro_f1_of_labels(chosen: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Statistic:
    """F1 of all decisions together, rows × labels."""
    return ratio(2.0 * (chosen & truth).sum(axis=1), (chosen.sum(axis=1) + truth.sum(axis=1)).astype(float))


def precision(chosen: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Statistic:
    return share(truth, chosen)


def recall(chosen: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Statistic:
    return share(chosen, truth)


def f1(chosen: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Statistic:
    both = (chosen & truth).astype(np.float64)
    return ratio(2.0 * both, chosen.astype(np.float64) + truth)


def calibration_error(top: Values, hit: NDArray[np.bool_], bins: int = 15) -> Statistic:
    """Expected calibration error (Guo et al. 2017): mean gap of confidence and accuracy over even bins."""
    slots = np.minimum((top * bins).astype(np.int64), bins - 1)
    gaps = (hit - top)[:, None] * (slots[:, None] == np.arange(bins))
    return lambda weights: np.asarray(np.abs(weights @ gaps).sum(axis=1) / weights.sum(axis=1))


def pearson(x: Values, y: Values) -> Statistic:
    """NaN where one of the two does not vary."""

    def of(weights: Values) -> Values:
        total = weights.sum(axis=1)
        mean_x, mean_y = weights @ x / total, weights @ y / total
        both = weights @ (x * y) / total - mean_x * mean_y
        return _divide(both, np.sqrt(_spread(weights, x, total) * _spread(weights, y, total)))

    return of


def _spread(weights: Values, x: Values, total: Values) -> Values:
    """The variance; 0 where it is no more than what rounding leaves of equal values."""
    square = weights @ (x * x) / total
    found = square - (weights @ x / total) ** 2
    return np.where(found > _ROUNDING * square, found, 0.0)


def spearman(x: Values, y: Values) -> Statistic:
    """Pearson of ranks, ties sharing theirs. Ranks are those of all rows, also within a draw."""
    return pearson(_ranks(x), _ranks(y))


def recall_at_precision(scores: Values, truth: NDArray[np.bool_], least: float) -> Statistic:
    """The largest recall of any threshold on the scores with a precision of at least `least`; 0 if none."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    cuts = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True) & (ranked > 0))
    right = truth[order].astype(np.float64)

    def of(weights: Values) -> Values:
        ordered = weights[:, order]
        found = np.cumsum(ordered * right, axis=1)
        taken = np.cumsum(ordered, axis=1)
        wanted = found[:, -1]
        good = np.where(found >= least * taken, found, 0.0)[:, cuts]
        return _divide(good.max(axis=1, initial=0.0), wanted)

    return of


def spread_of_means(table: Values) -> Statistic:
    """Largest minus smallest column mean, rows × groups."""

    def of(weights: Values) -> Values:
        means = weights @ table / weights.sum(axis=1, keepdims=True)
        return np.asarray(means.max(axis=1) - means.min(axis=1))

    return of


def largest(values: Values) -> Statistic:
    """The largest value of a row that was drawn."""
    return lambda weights: np.where(weights > 0, values, -np.inf).max(axis=1)


def mean_of(statistics: Sequence[Statistic]) -> Statistic:
    """The mean of several statistics of the same rows (classes, seeds), of those that can tell."""

    def of(weights: Values) -> Values:
        values = np.stack([statistic(weights) for statistic in statistics])
        known = ~np.isnan(values)
        return _divide(np.where(known, values, 0.0).sum(axis=0), known.sum(axis=0).astype(np.float64))

    return of


def _divide(above: Values, below: Values) -> Values:
    """NaN where there is nothing to divide by."""
    out = np.full(np.shape(above), np.nan)
    np.divide(above, below, out=out, where=below > 0)
    return out


def _ranks(values: Values) -> Values:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2.0)[places], dtype=np.float64)
