"""Which of several surveys gets the one moment in which a customer may be asked: the one that learns most.

The value of asking is the chance of an answer times its weight times what one more answer narrows the
half-width of the survey's segment: z·√(p(1−p))·(1/√(n+1) − 1/√(n+2))·√((N−n)/(N−1)), n answers so far of N.
One answer is counted as there, so that the first has a finite worth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import sqrt
from typing import Any, Literal

from heardback_ingest.domain.sampling.precision import Target

FORMULA = "narrowing@1"
Code = Literal["most_value", "only_one", "tie", "none_left"]


@dataclass(frozen=True, slots=True)
class Contender:
    """A survey that may ask now. `weight` is how much an answer to it matters beside others, 1 for most;
    `response` the chance that this customer answers it. `plan`: whose figures these are, if any."""

    survey: str
    target: Target
    population: int
    answered: int
    needed: int
    response: float
    weight: float = 1.0
    plan: str | None = None


@dataclass(frozen=True, slots=True)
class Valued:
    contender: Contender
    narrows: float
    value: float


@dataclass(frozen=True, slots=True)
class Choice:
    """`ranked`: all that competed, the best first. None is `chosen` where each has the answers it needs."""

    slot: str
    chosen: str | None
    code: Code
    because: str
    ranked: tuple[Valued, ...]
    formula: str = FORMULA


def narrowing(target: Target, population: int, answered: int) -> float:
    """By how much one more answer narrows the half-width; 0 where everybody has answered."""
    if answered >= population:
        return 0.0
    spread = target.z * sqrt(target.share * (1 - target.share))
    left = (population - answered) / max(1, population - 1)
    return spread * (1 / sqrt(answered + 1) - 1 / sqrt(answered + 2)) * sqrt(left)


def choose(slot: str, contenders: Sequence[Contender]) -> Choice:
    """The same contenders, in whatever order, always give the same choice.

    Equal values are told apart by the slot, so that over many slots each of them has its share.
    """
    names = [one.survey for one in contenders]
    if len(set(names)) != len(names):
        raise ValueError("each survey competes once")
    ranked = tuple(sorted(map(_valued, contenders), key=lambda one: _place(slot, one)))
    if not ranked or ranked[0].value <= 0:
        because = (
            "Every survey that may ask has the answers it needs." if ranked else "No survey may ask now."
        )
        return Choice(slot, None, "none_left", because, ranked)
    best = ranked[0]
    name = best.contender.survey
    if len(ranked) == 1 or ranked[1].value <= 0:
        return Choice(slot, name, "only_one", f"{name} is the only one that still needs answers.", ranked)
    second = ranked[1]
    if second.value == best.value:
        because = f"{name} and {second.contender.survey} are worth the same; the slot's own number decides."
        return Choice(slot, name, "tie", because, ranked)
    because = (
        f"An answer to {name} is worth {_points(best.value)}, to {second.contender.survey} "
        f"{_points(second.value)}: chance of an answer × weight × points that it narrows the interval."
    )
    return Choice(slot, name, "most_value", because, ranked)


def record_of(choice: Choice) -> dict[str, Any]:
    """The decision as plain data, from which `replayed` gives it again."""
    return {
        "slot": choice.slot,
        "chosen": choice.chosen,
        "code": choice.code,
        "because": choice.because,
        "formula": choice.formula,
        "contenders": [
            {
                "survey": one.contender.survey,
                "value": one.value,
                "narrows": one.narrows,
                "response": one.contender.response,
                "weight": one.contender.weight,
                "answered": one.contender.answered,
                "needed": one.contender.needed,
                "population": one.contender.population,
                "half_width": one.contender.target.half_width,
                "confidence": one.contender.target.confidence,
                "share": one.contender.target.share,
                "plan": one.contender.plan,
            }
            for one in choice.ranked
        ],
    }


def replayed(record: dict[str, Any]) -> Choice:
    """What the formula makes of a record's inputs."""
    return choose(
        record["slot"],
        [
            Contender(
                one["survey"],
                Target(one["half_width"], one["confidence"], one["share"]),
                one["population"],
                one["answered"],
                one["needed"],
                one["response"],
                one["weight"],
                one["plan"],
            )
            for one in record["contenders"]
        ],
    )


def _valued(one: Contender) -> Valued:
    gain = 0.0 if one.answered >= one.needed else narrowing(one.target, one.population, one.answered)
    return Valued(one, gain, gain * one.weight * one.response)


def _place(slot: str, one: Valued) -> tuple[float, str]:
    lot = sha256(f"{slot}\x00{one.contender.survey}".encode()).hexdigest()
    return (-one.value, lot)


def _points(value: float) -> str:
    return f"{value * 100:.4f}"
