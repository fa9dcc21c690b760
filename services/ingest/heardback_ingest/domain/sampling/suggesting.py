"""From what asking does to a cap worth suggesting, and from a cap to whether it did what was hoped."""

from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np

from heardback_ingest.domain.sampling.exposure import NOT_DRAWN, Asks, Bools, Floats
from heardback_ingest.domain.sampling.fatigue import Arm, Effect
from heardback_ingest.domain.sampling.shares import LEAST, Z, movable, per_customer

YEAR = 365.0
Bearing = Literal["bearable", "too_much", "cannot_tell"]


@dataclass(frozen=True, slots=True)
class Bearable:
    """What a company wants its customers to bear: `fall` is the part of those who would answer at rest that
    asking may cost, `opt_outs` the share of customers that may refuse in a year."""

    fall: float = 0.15
    opt_outs: float = 0.05

    def __post_init__(self) -> None:
        if not 0 < self.fall < 1 or not 0 < self.opt_outs < 1:
            raise ValueError("both must lie between 0 and 1")


@dataclass(frozen=True, slots=True)
class Borne:
    """What a distance costs, with 95 % bounds. `gap` None: what customers outside the experiment are asked
    now; `beyond`: their exposure lies outside of what was tried, so the line is drawn longer than it was
    seen."""

    gap: int | None
    exposure: float
    asks_a_year: float
    fall: float
    fall_low: float
    fall_high: float
    opt_outs: float | None
    opt_outs_low: float | None
    opt_outs_high: float | None
    beyond: bool
    bearing: Bearing


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`gap`: the days to put between two asks; None where nothing is suggested, `because` says why."""

    gap: int | None
    code: Literal["longer_gap", "bearable", "cannot_tell", "no_bearable_gap"]
    because: str
    now: Borne | None
    tried: tuple[Borne, ...]


def suggest(effect: Effect, asks: Asks, days: float, bearable: Bearable) -> Suggestion:
    """`days`: how long the asks were watched. Suggests only distances that were tried, the shortest that is
    known to be bearable, and only where the present one is known to be too much."""
    tried = tuple(_borne(effect, arm.gap, arm.exposure, _yearly(arm, days), bearable) for arm in effect.arms)
    others = asks.where(asks.gap == NOT_DRAWN)
    if not len(others):
        return Suggestion(None, "cannot_tell", "Nobody outside the experiment was asked.", None, tried)
    held = _exposure(others)
    customers = len(np.unique(others.customer))
    now = _borne(effect, None, held, len(others) / customers * YEAR / days, bearable)
    if now.bearing == "bearable":
        return Suggestion(None, "bearable", f"What is asked now is borne: {_cost(now)}.", now, tried)
    if now.bearing == "cannot_tell":
        because = f"It cannot be told yet whether what is asked now is too much: {_cost(now)}."
        return Suggestion(None, "cannot_tell", because, now, tried)
    good = [one for one in tried if one.bearing == "bearable" and one.exposure < now.exposure]
    if not good:
        because = f"What is asked now is too much ({_cost(now)}); no distance tried is known to be borne."
        return Suggestion(None, "no_bearable_gap", because, now, tried)
    best = min(good, key=lambda one: one.gap or 0)
    because = (
        f"What is asked now costs too much: {_cost(now)}. With {best.gap} days between: {_cost(best)}. "
        f"Slope {effect.slope:.3f} logits per ask (95 % {effect.low:.3f} to {effect.high:.3f}), from "
        f"{sum(arm.customers for arm in effect.arms)} customers in {len(effect.arms)} arms drawn by lot; "
        f"this much data shows a slope of {effect.smallest_seen:.3f} with 80 % power."
    )
    return Suggestion(best.gap, "longer_gap", because, now, tried)


def _exposure(of: Asks) -> float:
    """Weighted as that of the arms is; where nobody wavers, all alike."""
    exposures, weights = per_customer(of.customer, of.exposure), movable(of.customer, of.answered)
    return float(np.average(exposures, weights=weights if weights.any() else None))


def _yearly(arm: Arm, days: float) -> float:
    return arm.asks / arm.customers * YEAR / days


def _borne(effect: Effect, gap: int | None, exposure: float, yearly: float, bearable: Bearable) -> Borne:
    fall, low, high = effect.fall(exposure)
    hazard = effect.opt_outs

    def leave(per_ask: float | None) -> float | None:
        return None if per_ask is None else 1 - (1 - per_ask) ** yearly

    leaving = leave(hazard.share), leave(hazard.low), leave(hazard.high)
    bearing: Bearing = "cannot_tell"
    if low > bearable.fall or (leaving[1] is not None and leaving[1] > bearable.opt_outs):
        bearing = "too_much"
    elif high <= bearable.fall and leaving[2] is not None and leaving[2] <= bearable.opt_outs:
        bearing = "bearable"
    seen = [arm.exposure for arm in effect.arms]
    beyond = not min(seen) <= exposure <= max(seen)
    return Borne(gap, exposure, yearly, fall, low, high, *leaving, beyond, bearing)


def _cost(one: Borne) -> str:
    told = (
        f"{one.fall:.0%} fewer answers than at rest (95 % {one.fall_low:.0%} to {one.fall_high:.0%}) at "
        f"{one.asks_a_year:.1f} asks a year"
    )
    if one.opt_outs is not None:
        told += f", {one.opt_outs:.1%} opt-outs a year ({one.opt_outs_low:.1%} to {one.opt_outs_high:.1%})"
    return told + (", beyond what was tried" if one.beyond else "")


@dataclass(frozen=True, slots=True)
class Side:
    """Mean over customers of the share of asks answered, before or after a change."""

    customers: int
    asks: int
    answering: float | None
    opt_outs: int


@dataclass(frozen=True, slots=True)
class Checked:
    """Did the cap do what was hoped? `gained`: the change of those it holds for, less the change of the arms,
    for which nothing changed; with its 95 % interval. None where either has fewer than 30 customers."""

    others_before: Side
    others_after: Side
    arms_before: Side
    arms_after: Side
    gained: float | None
    low: float | None
    high: float | None
    verdict: Literal["better", "worse", "not_seen", "cannot_tell"]


def checked(asks: Asks, changed_on: float) -> Checked:
    """`changed_on`: the day, on the scale of the asks, on which the cap came in force.

    The four sides are taken as independent. Customers on both sides of the day make the interval wider than
    it need be, not narrower.
    """
    drawn, after = asks.gap != NOT_DRAWN, asks.day >= changed_on
    cells = [_cell(asks, group & when) for group in (~drawn, drawn) for when in (~after, after)]
    sides = [side for side, _ in cells]
    if any(len(means) < LEAST for _, means in cells):
        return Checked(sides[0], sides[1], sides[2], sides[3], None, None, None, "cannot_tell")
    means = [float(found.mean()) for _, found in cells]
    gained = (means[1] - means[0]) - (means[3] - means[2])
    error = sqrt(sum(float(found.var(ddof=1)) / len(found) for _, found in cells))
    low, high = gained - Z * error, gained + Z * error
    verdict: Literal["better", "worse", "not_seen"] = (
        "better" if low > 0 else "worse" if high < 0 else "not_seen"
    )
    return Checked(sides[0], sides[1], sides[2], sides[3], gained, low, high, verdict)


def _cell(asks: Asks, which: Bools) -> tuple[Side, Floats]:
    of = asks.where(which)
    means = per_customer(of.customer, of.answered) if len(of) else np.zeros(0)
    shown = float(means.mean()) if len(means) >= LEAST else None
    return Side(len(means), len(of), shown, int(of.opted_out.sum())), means
