"""From the scores of a classifier to probabilities, by what it says of examples that were left out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_START = (8.0, -4.0)
_PRECISION = np.array([0.01, 0.01])
_CLASS_PRECISION = 4.0
_STEPS = 30


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """probability = 1 / (1 + exp(−(slope × score + offset of the class))); the slope is positive."""

    slope: float
    offsets: Floats

    def probabilities(self, scores: Floats) -> Floats:
        return np.asarray(_sigmoid(self.slope * np.clip(scores, -0.5, 1.0) + self.offsets))


def calibrate(scores: Floats, targets: Floats) -> Calibration:
    """Platt's method (1999): logistic regression on the scores, one slope and offset for all classes.

    The prior keeps few examples from moving it far; each class may then move its offset, drawn to the common one.
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
        step *= min(1.0, 2.0 / float(np.abs(step).max() + 1e-12))
        slope, offset = max(slope - float(step[0]), 1.0), offset - float(step[1])
    offsets = np.full(scores.shape[1], offset)
    for _ in range(_STEPS):
        p = _sigmoid(slope * scores + offsets)
        gradient = (p - targets).sum(axis=0) + _CLASS_PRECISION * (offsets - offset)
        offsets = offsets - np.clip(gradient / ((p * (1.0 - p)).sum(axis=0) + _CLASS_PRECISION), -2.0, 2.0)
    return Calibration(slope, offsets)


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(values, -40.0, 40.0))))
