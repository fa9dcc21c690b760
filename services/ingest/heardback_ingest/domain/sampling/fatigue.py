"""What being asked does to answering and staying, from customers whose distance was drawn by lot.

Within an arm those who come by often are asked more often and answer more, so asks of one arm must not be
compared with each other, nor counted one by one: the arm with the short distance would be full of asks of the
active. So each customer counts once, with the mean over their asks. Arms were drawn by lot, so customers'
means differ between arms only by what the distance did. The model is that of each customer,

    logit(chance of answering) = their own intercept + slope · their exposure

and the share p of an arm then moves as if by logit(p) = intercept + kept · slope · exposure of the arm, to
first order in the slope, where

    kept = mean of p_i(1 − p_i) over customers / p(1 − p)

(the share of people who differ moves less than each one's own chance: Neuhaus, Kalbfleisch and Hauck 1991,
International Statistical Review 59; kept is 1 less the correlation of two answers of one customer), and the
exposure of an arm is the mean weighted by p_i(1 − p_i), as an ask moves the share by those who waver. Both
are known from repeated answers. It is fitted by weighted least squares over the arms, with variances from the
spread between customers (Liang and Zeger 1986), which holds however one customer's answers hang together.
"""

from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Literal

import numpy as np
from scipy.special import chdtrc

from heardback_ingest.domain.sampling.exposure import NOT_DRAWN, Asks, Floats
from heardback_ingest.domain.sampling.shares import Share, Z, movable, per_customer, wilson

LEAST_CUSTOMERS = 100
"""Of an arm, with at least one ask each."""
LEAST_ANSWERING = 10
LEAST_APART = 0.2
"""Of the arms' mean exposures: arms that were asked alike say nothing."""
_POWER = Z + 0.8416
"""So many standard errors are seen with 80 % power at 95 % confidence."""

Verdict = Literal["falls", "rises", "not_seen"]
Code = Literal["not_randomised", "too_few", "not_apart"]


@dataclass(frozen=True, slots=True)
class Arm:
    """`answering` is the mean over customers, `exposure` that weighted by how much each one's share can move;
    `opt_outs` are per ask."""

    gap: int
    customers: int
    asks: int
    exposure: float
    answering: float
    standard_error: float
    opt_outs: Share


@dataclass(frozen=True, slots=True)
class Effect:
    """`slope` is each customer's own, in logits per ask of exposure, at 95 %; by the part `kept` of it the
    share of all moves. `smallest_seen`: the least slope (as a distance from 0) that this much data shows
    with 80 % power. `covariance` is that of intercept and kept slope. `fits`: how well a straight line fits
    the arms, as a p-value; None with two arms. `opt_outs` is the hazard per ask, over all arms."""

    arms: tuple[Arm, ...]
    intercept: float
    slope: float
    kept: float
    low: float
    high: float
    standard_error: float
    smallest_seen: float
    covariance: tuple[float, float, float]
    fits: float | None
    opt_outs: Share

    @property
    def verdict(self) -> Verdict:
        if self.high < 0:
            return "falls"
        return "rises" if self.low > 0 else "not_seen"

    def answering(self, exposure: float) -> float:
        """The share that answers at this exposure."""
        return 1 / (1 + exp(-(self.intercept + self.kept * self.slope * exposure)))

    def fall(self, exposure: float) -> tuple[float, float, float]:
        """By what part fewer answer than would at rest: (estimate, low, high), by the delta method."""
        rest, there = self.answering(0.0), self.answering(exposure)
        estimate = 1 - there / rest
        left = there / rest
        by_intercept = -left * (rest - there)
        by_slope = -left * (1 - there) * exposure
        ii, ib, bb = self.covariance
        spread = sqrt(by_intercept**2 * ii + 2 * by_intercept * by_slope * ib + by_slope**2 * bb)
        return estimate, estimate - Z * spread, estimate + Z * spread


@dataclass(frozen=True, slots=True)
class Refused:
    """Why nothing is said of what asking does."""

    code: Code
    detail: str


@dataclass(frozen=True, slots=True)
class _Group:
    arm: Arm
    answers: Floats
    exposures: Floats
    weights: Floats

    @property
    def logit(self) -> float:
        return log(self.arm.answering / (1 - self.arm.answering))

    def variance(self, slope: float) -> float:
        """Of logit − kept slope · exposure, from the customers' own."""
        there = self.arm.answering
        pull = self.weights / self.weights.mean() * (self.exposures - self.arm.exposure)
        each = (self.answers - there) / (there * (1 - there)) - slope * pull
        return float((each**2).sum() / (len(each) * (len(each) - 1)))


def estimate(asks: Asks) -> Effect | Refused:
    """From all asks; only those of customers in arms are used."""
    drawn = asks.where(asks.gap != NOT_DRAWN)
    gaps = sorted({int(gap) for gap in drawn.gap})
    if len(gaps) < 2:
        return Refused(
            "not_randomised",
            "No customers were asked at distances drawn by lot. Whoever is asked more often differs in other "
            "ways too, so what asking does cannot be told from this; start an experiment.",
        )
    groups = []
    for gap in gaps:
        found = _group(drawn, gap)
        if isinstance(found, Refused):
            return found
        groups.append(found)
    apart = max(one.arm.exposure for one in groups) - min(one.arm.exposure for one in groups)
    if apart < LEAST_APART:
        return Refused(
            "not_apart",
            f"The arms were asked almost alike (mean exposures differ by {apart:.2f}, at least {LEAST_APART} "
            "is needed): another rule holds them all back, or too little time has passed.",
        )
    return _fit(groups, drawn)


def _group(drawn: Asks, gap: int) -> _Group | Refused:
    asks = drawn.where(drawn.gap == gap)
    answers = per_customer(asks.customer, asks.answered)
    exposures, weights = per_customer(asks.customer, asks.exposure), movable(asks.customer, asks.answered)
    answering, silent = int((answers > 0).sum()), int((answers < 1).sum())
    if len(answers) < LEAST_CUSTOMERS or min(answering, silent) < LEAST_ANSWERING:
        return Refused(
            "too_few",
            f"The arm of {gap} days has {len(answers)} customers who were asked, of whom {answering} ever "
            f"answered; {LEAST_CUSTOMERS} and {LEAST_ANSWERING} are needed.",
        )
    if int(((answers > 0) & (answers < 1)).sum()) < LEAST_ANSWERING:
        return Refused(
            "too_few",
            f"In the arm of {gap} days fewer than {LEAST_ANSWERING} customers answered some surveys and left "
            "others, so it cannot be told how much customers differ; wait until more were asked again.",
        )
    mean = float(answers.mean())
    error = float(answers.std(ddof=1) / sqrt(len(answers)))
    opted = wilson(int(asks.opted_out.sum()), len(asks))
    exposure = float(np.average(exposures, weights=weights))
    arm = Arm(gap, len(answers), len(asks), exposure, mean, error, opted)
    return _Group(arm, answers, exposures, weights)


def _fit(groups: list[_Group], drawn: Asks) -> Effect:
    design = np.array([[1.0, one.arm.exposure] for one in groups])
    logits = np.array([one.logit for one in groups])
    slope = 0.0
    for _ in range(4):  # the variances depend a little on the slope
        weights = 1 / np.array([one.variance(slope) for one in groups])
        spread = np.linalg.inv((design * weights[:, None]).T @ design)
        intercept, slope = spread @ (design.T @ (weights * logits))
    kept = _kept(groups)
    left = float((weights * (logits - design @ np.array([intercept, slope])) ** 2).sum())
    own, error = slope / kept, sqrt(spread[1, 1]) / kept
    return Effect(
        tuple(one.arm for one in groups),
        float(intercept),
        float(own),
        kept,
        float(own - Z * error),
        float(own + Z * error),
        error,
        _POWER * error,
        (float(spread[0, 0]), float(spread[0, 1]), float(spread[1, 1])),
        _tail(left, len(groups) - 2),
        wilson(int(drawn.opted_out.sum()), len(drawn)),
    )


def _kept(groups: list[_Group]) -> float:
    """Over all arms, as how much customers differ is not for the gap to decide."""
    within = sum(float(one.weights.sum()) for one in groups)
    of_all = sum(len(one.answers) * one.arm.answering * (1 - one.arm.answering) for one in groups)
    return within / of_all


def _tail(square: float, freedom: int) -> float | None:
    """P(χ² > square)."""
    return float(chdtrc(freedom, square)) if freedom else None
