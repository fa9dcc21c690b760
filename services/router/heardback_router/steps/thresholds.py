"""How far people may deviate from what is usual before somebody has to approve it. Pure.

Per process and measure (minutes, cost, count), limits rise with the levels of approval. A team's factor
widens or narrows all its limits; it moves only by a new version of the policy, which somebody approves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Literal, get_args

Measure = Literal["minutes", "cost", "count"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
Z_95 = 1.959964


@dataclass(frozen=True, slots=True)
class Limit:
    """Up to here, `level` may approve."""

    up_to: float
    level: str


@dataclass(frozen=True, slots=True)
class Process:
    """`above` approves what lies above the last limit of a measure."""

    name: str
    title: str
    limits: Mapping[Measure, tuple[Limit, ...]]
    above: str


@dataclass(frozen=True, slots=True)
class Tuning:
    """When a team's limits should move: by its share of resolved items that were reopened, in so many days.

    Only where the 95 % interval of the share lies wholly below or above the bound, so that chance moves
    nothing.
    """

    days: int
    loosen_below: float
    tighten_above: float
    by: float
    smallest: float
    largest: float


@dataclass(frozen=True, slots=True)
class Promotion:
    """From how many items and customers in so many days a custom request should become an option."""

    items: int
    customers: int
    days: int


@dataclass(frozen=True)
class ThresholdPolicy:
    """`levels` rise; the first is everybody's and needs no approval."""

    name: str
    levels: tuple[str, ...]
    approvers: Mapping[str, tuple[str, ...]]
    processes: tuple[Process, ...]
    factors: Mapping[str, float]
    tuning: Tuning
    promotion: Promotion

    def process(self, name: str) -> Process | None:
        return next((process for process in self.processes if process.name == name), None)

    def approvers_of(self, level: str) -> frozenset[str]:
        """Who may approve what this level may. A level the policy does not know is the highest."""
        rank = self.levels.index(level) if level in self.levels else len(self.levels) - 1
        return frozenset(person for above in self.levels[rank:] for person in self.approvers.get(above, ()))


@dataclass(frozen=True, slots=True)
class Verdict:
    """`level` None: within everybody's limits."""

    level: str | None
    because: str


def judge(policy: ThresholdPolicy, process: Process, measured: Mapping[Measure, float], team: str) -> Verdict:
    """The highest level that any of the measures needs."""
    factor = policy.factors.get(team, 1.0)
    needed, reasons = 0, []
    for measure in MEASURES:
        if measure in measured:
            rank, words = _needed(policy, process, measure, measured[measure], factor)
            needed = max(needed, rank)
            reasons.append(words)
    scaled = f" Limits of {team} are taken times {factor:g}." if factor != 1.0 else ""
    return Verdict(policy.levels[needed] if needed else None, " ".join(reasons) + scaled)


def _needed(
    policy: ThresholdPolicy, process: Process, measure: Measure, value: float, factor: float
) -> tuple[int, str]:
    limits = process.limits.get(measure, ())
    if not limits:
        return 0, f"There is no limit on {measure}."
    for limit in limits:
        if value <= limit.up_to * factor:
            rank = policy.levels.index(limit.level)
            whose = "everybody" if rank == 0 else limit.level
            return (
                rank,
                f"{measure.capitalize()} {value:g} is within {limit.up_to * factor:g}, up to {whose}.",
            )
    last = limits[-1].up_to * factor
    rank = policy.levels.index(process.above)
    return rank, f"{measure.capitalize()} {value:g} is above {last:g}, so {process.above} decides."


@dataclass(frozen=True, slots=True)
class Record:
    """What a team did in the days looked at: items resolved, and those of them that were reopened."""

    team: str
    resolved: int
    reopened: int


@dataclass(frozen=True, slots=True)
class Move:
    """A suggestion to change a team's factor; `share` is reopened of resolved, within `interval` at 95 %."""

    team: str
    before: float
    after: float
    share: float
    interval: tuple[float, float]
    because: str


def moves(policy: ThresholdPolicy, records: Sequence[Record]) -> tuple[Move, ...]:
    """The teams whose limits should be loosened or tightened, by what they did."""
    return tuple(move for record in records if (move := _move(policy, record)) is not None)


def _move(policy: ThresholdPolicy, record: Record) -> Move | None:
    tuning, before = policy.tuning, policy.factors.get(record.team, 1.0)
    if record.resolved == 0:
        return None
    low, high = wilson(record.reopened, record.resolved)
    share = record.reopened / record.resolved
    said = f"{record.reopened} of {record.resolved} resolved items were reopened in {tuning.days} days"
    if high < tuning.loosen_below:
        after = min(tuning.largest, before * (1 + tuning.by))
        because = f"{said}: surely below {tuning.loosen_below:.0%}, so its limits may be wider."
    elif low > tuning.tighten_above:
        after = max(tuning.smallest, before / (1 + tuning.by))
        because = f"{said}: surely above {tuning.tighten_above:.0%}, so its limits should be narrower."
    else:
        return None
    after = round(after, 4)
    return Move(record.team, before, after, share, (low, high), because) if after != before else None


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson, 1927, J. Am. Stat. Assoc. 22)."""
    share, z2 = hits / n, Z_95 * Z_95
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 * sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def deviation_step(number: int, process: Process, verdict: Verdict, asked_by: str) -> dict[str, Any]:
    """The step that somebody of the verdict's level must approve, as the log carries it."""
    return {
        "id": f"deviation-{number}",
        "title": f"Deviation: {process.title}",
        "mandatory": True,
        "approval": verdict.level,
        "because": verdict.because,
        "asked_by": asked_by,
    }
