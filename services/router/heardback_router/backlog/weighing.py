"""How much an item hurts: its worst feedback, and what breadth, trend and our own failings add to it.

item = min(100, worst + breadth + trend + transfers + reopens + broken promises + breaches), each part a
number of points that never falls when its count grows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from heardback_router.backlog.domain import Counts, Weight
from heardback_shared.contracts.score import Band


@dataclass(frozen=True, slots=True)
class Rung:
    """From `at_least` on, this many points."""

    at_least: int
    points: int


@dataclass(frozen=True, slots=True)
class WeighingPolicy:
    """`bands` are the lowest scores of P1, P2 and P3. Rungs rise in both figures."""

    name: str
    bands: tuple[float, float, float]
    trend_days: int
    breadth: tuple[Rung, ...]
    trend: tuple[Rung, ...]
    transfers: tuple[Rung, ...]
    reopens: tuple[Rung, ...]
    broken_promises: tuple[Rung, ...]
    breaches: tuple[Rung, ...]

    def band_of(self, score: float) -> Band:
        p1, p2, p3 = self.bands
        return "P1" if score >= p1 else "P2" if score >= p2 else "P3" if score >= p3 else "P4"


@dataclass(frozen=True, slots=True)
class Weighed:
    """`contributions` add up to the score exactly."""

    weight: Weight
    contributions: tuple[Mapping[str, Any], ...]

    @property
    def data(self) -> dict[str, Any]:
        """As an event carries it."""
        return {
            "item_severity": self.weight.score,
            "item_band": self.weight.band,
            "item_contributions": list(self.contributions),
        }


def weigh(
    worst: Weight,
    customers: int,
    arrivals: Sequence[datetime],
    counts: Counts,
    at: datetime,
    policy: WeighingPolicy,
) -> Weighed:
    """What an item weighs. `customers` counts those behind it; `arrivals` when its feedback was accepted."""
    days = timedelta(days=policy.trend_days)
    since, before = at - days, at - days - days
    recent = sum([arrived > since for arrived in arrivals])
    earlier = sum([before < arrived <= since for arrived in arrivals])
    growth = max(0, recent - earlier) if len(arrivals) > 1 else 0
    parts = [_says("worst", worst.score, f"Its worst feedback has severity {worst.score:g}.")]
    for factor, rungs, count, because in (
        ("breadth", policy.breadth, customers, f"{customers} customers are behind it."),
        (
            "trend",
            policy.trend,
            growth,
            f"{recent} feedbacks in {policy.trend_days} days, {earlier} in as many days before.",
        ),
        ("transfers", policy.transfers, counts.transfers, f"Handed over {_times(counts.transfers)}."),
        ("reopens", policy.reopens, counts.reopens, f"Reopened {_times(counts.reopens)}."),
        (
            "broken_promises",
            policy.broken_promises,
            counts.broken_promises,
            f"{counts.broken_promises} of our promises about it broken.",
        ),
        ("breaches", policy.breaches, counts.breaches, f"{counts.breaches} of its clocks ran out."),
    ):
        if points := _reached(rungs, count):
            parts.append(_says(factor, points, because))
    if len(parts) == 1:
        return Weighed(worst, tuple(parts))
    total = sum(part["points"] for part in parts)
    if total > 100:
        parts.append(_says("cap", 100 - total, "A score ends at 100."))
    score = float(min(total, 100))
    # Nothing is less urgent than its worst feedback: a tenant's bands may differ from ours.
    band = min(policy.band_of(score), worst.band)
    return Weighed(Weight(score, band), tuple(parts))


def _reached(rungs: Sequence[Rung], count: int) -> int:
    return max((rung.points for rung in rungs if count >= rung.at_least), default=0)


def _says(factor: str, points: float, because: str) -> dict[str, Any]:
    return {"factor": factor, "points": points, "because": because}


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
