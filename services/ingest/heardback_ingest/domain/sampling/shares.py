"""Intervals of shares: Wilson for independent ones; customers' means where one is asked repeatedly."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np

from heardback_ingest.domain.sampling.exposure import Bools, Floats, Ints

CONFIDENCE = 0.95
Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
LEAST = 30
"""Shares of fewer are not shown."""


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `of`, with the interval; all None where there are fewer than 30."""

    count: int
    of: int
    share: float | None
    low: float | None
    high: float | None


def wilson(count: int, of: int) -> Share:
    """Wilson's score interval at 95 %."""
    if of < LEAST:
        return Share(count, of, None, None, None)
    found, square = count / of, Z * Z
    middle = (found + square / (2 * of)) / (1 + square / of)
    reach = Z * sqrt(found * (1 - found) / of + square / (4 * of * of)) / (1 + square / of)
    low = 0.0 if count == 0 else middle - reach
    return Share(count, of, found, low, 1.0 if count == of else middle + reach)


def per_customer(customer: Ints, values: Floats | Bools) -> Floats:
    """Each customer's mean, so that each counts once however often they were asked."""
    _, place = np.unique(customer, return_inverse=True)
    sums = np.bincount(place, weights=values.astype(np.float64))
    means: Floats = np.divide(sums, np.bincount(place))
    return means


def movable(customer: Ints, answered: Bools) -> Floats:
    """By how much each customer's share moves with a logit: p(1 − p), from those asked twice or more without
    bias as k(n − k)/(n(n − 1)) with k of n answered. Who was asked once counts as the mean of the others; 0
    for everybody where nobody answered some and left others.
    """
    _, place = np.unique(customer, return_inverse=True)
    asked = np.bincount(place).astype(np.float64)
    yes = np.bincount(place, weights=answered.astype(np.float64))
    often = asked > 1
    weights: Floats = np.zeros(len(asked))
    weights[often] = yes[often] * (asked - yes)[often] / (asked * (asked - 1))[often]
    weights[~often] = weights[often].mean() if often.any() else 0.0
    return weights
