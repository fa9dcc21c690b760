"""From the scores of a classifier to probabilities, by what it says of examples that were left out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_START = (8.0, -4.0)
_PRECISION = np.array([0.01, 0.01])
_CLASS_PRECISION = 4.0
_STEPS = 30
_LONGEST = 2.0
_STILL = 1e-6
_USUAL_SHARE = 0.4
_USUAL_ROWS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """probability = 1 / (1 + exp(−(slope × score + offset of the class))); the slope is positive."""

    slope: float
    offsets: Floats

    def probabilities(self, scores: Floats) -> Floats:
        return np.asarray(_sigmoid(self.slope * np.clip(scores, -0.5, 1.0) + self.offsets))


def calibrate(scores: Floats, targets: Floats) -> Calibration:
    """Platt's method (1999): logistic regression on the scores, one slope and offset for all classes.

    A prior keeps few examples from moving it far. Then each class moves its offset, drawn to the common one.
    """
    slope, offset = _START
    for _ in range(_STEPS):
        p = _sigmoid(slope * scores + offset)
        miss, spread = p - targets, p * (1.0 - p)
        gradient = np.array([(miss * scores).sum(), miss.sum()])
        gradient += _PRECISION * (np.array([slope, offset]) - _START)
        cross = (spread * scores).sum()
        hessian = np.array([[(spread * scores**2).sum(), cross], [cross, spread.sum()]]) + np.diag(_PRECISION)
        step = np.linalg.solve(hessian, gradient)
        step *= min(1.0, _LONGEST / float(np.abs(step).max() + _STILL))
        slope, offset = max(slope - float(step[0]), 1.0), offset - float(step[1])
        if np.abs(step).max() < _STILL:
            break
    offsets = np.full(scores.shape[1], offset)
    for _ in range(_STEPS):
        p = _sigmoid(slope * scores + offsets)
        gradient = (p - targets).sum(axis=0) + _CLASS_PRECISION * (offsets - offset)
        steps = gradient / ((p * (1.0 - p)).sum(axis=0) + _CLASS_PRECISION)
        offsets = offsets - np.clip(steps, -_LONGEST, _LONGEST)
        if np.abs(steps).max() < _STILL:
            break
    return Calibration(slope, offsets)


def best_share(probabilities: Floats, targets: Floats) -> float:
    """The probability from which on counting a class as found has the best micro-F1, in steps of 0.01.

    With few rows it is drawn to 0.4: the best is half of the best F1 (Lipton et al. 2014), often about 0.8.
    """
    steps = np.arange(1, 100)
    places = np.minimum((probabilities * 100).astype(np.int64), 99).ravel()
    found = np.bincount(places, minlength=100)[::-1].cumsum()[::-1]
    right = np.bincount(places, targets.ravel(), minlength=100)[::-1].cumsum()[::-1]
    f1 = 2.0 * right[steps] / np.maximum(found[steps] + targets.sum(), 1.0)
    best, rows = float(steps[np.argmax(f1)]) / 100.0, len(targets)
    return (rows * best + _USUAL_ROWS * _USUAL_SHARE) / (rows + _USUAL_ROWS)


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(values, -40.0, 40.0))))
