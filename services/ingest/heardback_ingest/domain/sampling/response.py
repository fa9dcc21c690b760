"""What is known of the share of those asked who answer: a Beta distribution that fades with time."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln, gammaln

HALF_LIFE_DAYS = 90.0
LEAST_KAPPA = 4.0
MOST_KAPPA = 1_000.0
"""However many were asked before, the next survey is another one: its rate is not known better than this."""
SUMMED = 10_000
"""Up to so many answers, chances are summed one by one."""
_REACH, _STEPS = 9.0, 4_000


@dataclass(frozen=True, slots=True)
class Rate:
    """Beta(expected·kappa, (1 − expected)·kappa). `kappa` says how many asked customers it is worth."""

    expected: float
    kappa: float = 40.0

    def __post_init__(self) -> None:
        if not 0 < self.expected < 1:
            raise ValueError("the expected share must lie between 0 and 1")
        if not self.kappa > 0:
            raise ValueError("kappa must be above 0")

    @property
    def a(self) -> float:
        return self.expected * self.kappa

    @property
    def b(self) -> float:
        return (1 - self.expected) * self.kappa

    def seen(self, asked: float, answered: float) -> "Rate":
        """After so many of those asked answered."""
        if not 0 <= answered <= asked:
            raise ValueError("answers lie between 0 and those asked")
        kappa = self.kappa + asked
        return Rate((self.a + answered) / kappa, kappa)

    def aged(self, days: float) -> "Rate":
        """As sure as it still is after so many days: kappa halves every 90 days, the expectation stays."""
        faded = self.kappa * 0.5 ** (max(0.0, days) / HALF_LIFE_DAYS)
        return Rate(self.expected, min(self.kappa, max(LEAST_KAPPA, faded)))


@dataclass(frozen=True, slots=True)
class Past:
    """How many were asked so many days ago, and how many of them answered."""

    days: float
    asked: int
    answered: int


def learned(prior: Rate, past: Iterable[Past]) -> Rate:
    """The prior and what was seen, of which each 90 days halve the weight; kappa at most 1,000."""
    rate = prior
    for one in past:
        weight = 0.5 ** (max(0.0, one.days) / HALF_LIFE_DAYS)
        rate = rate.seen(one.asked * weight, one.answered * weight)
    return Rate(rate.expected, min(rate.kappa, max(MOST_KAPPA, prior.kappa)))


def chance(answers: int, invites: int, rate: Rate) -> float:
    """P(X ≥ answers), X ~ BetaBin(invites, a, b)."""
    if answers <= 0:
        return 1.0
    if answers > invites:
        return 0.0
    return integrated(answers, invites, rate) if answers > SUMMED else summed(answers, invites, rate)


def summed(answers: int, invites: int, rate: Rate) -> float:
    """The chance, exact but for rounding, in a time that grows with the answers."""
    k = np.arange(answers)
    logs = _log_choose(invites, k) + betaln(k + rate.a, invites - k + rate.b) - betaln(rate.a, rate.b)
    return float(min(1.0, max(0.0, 1.0 - np.exp(logs).sum())))


def integrated(answers: int, invites: int, rate: Rate) -> float:
    """∫ P(Bin(invites, p) ≥ answers) dBeta(p), in equal steps of p over the stretch where that chance goes
    from 0 to 1: from a hundred answers on the sum to within 0.00002, in a time that does not grow."""
    there = answers / invites
    reach = _REACH * sqrt(max(there * (1 - there), 1 / invites) / invites)
    edges = np.linspace(max(0.0, there - reach), min(1.0, there + reach), _STEPS + 1)
    below = betainc(rate.a, rate.b, edges)
    each = betainc(answers, invites - answers + 1, (edges[:-1] + edges[1:]) / 2)
    return float(min(1.0, max(0.0, 1.0 - below[-1] + (np.diff(below) * each).sum())))


def _log_choose(n: int, k: NDArray[np.int64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return found


@lru_cache(maxsize=4_096)
def invites_for(answers: int, rate: Rate, most: int, assurance: float) -> int | None:
    """The fewest invites, at most `most`, with `chance` ≥ assurance; None where even `most` are too few."""
    if chance(answers, most, rate) < assurance:
        return None
    low, high = max(0, answers - 1), most  # low is too few, high is enough
    if answers <= 0:
        return 0
    while high - low > 1:
        middle = (low + high) // 2
        if chance(answers, middle, rate) >= assurance:
            high = middle
        else:
            low = middle
    return high


def answers_assured(invites: int, rate: Rate, assurance: float) -> int:
    """The most answers that so many invites bring with this chance."""
    low, high = 0, invites + 1  # low is assured, high is not
    while high - low > 1:
        middle = (low + high) // 2
        if chance(middle, invites, rate) >= assurance:
            low = middle
        else:
            high = middle
    return low
