"""From a target to a number of invites, or to what is reachable where the target is not."""

from dataclasses import dataclass

from heardback_ingest.domain.sampling.precision import Target, answers_needed, half_width
from heardback_ingest.domain.sampling.response import Rate, answers_assured, invites_for

ASSURANCE = 0.90


@dataclass(frozen=True, slots=True)
class Reach:
    """So many answers, and the half-width they give."""

    answers: int
    half_width: float


@dataclass(frozen=True, slots=True)
class Size:
    """What to send, and everything that was assumed.

    `invites` is the fewest that bring `answers` with chance `assurance`; where not even asking everybody
    does, `reachable` is false and `invites` is the population. `expected` is what these invites bring on
    average (the answers rounded), `assured` what they bring with chance `assurance`.
    """

    target: Target
    population: int
    rate: Rate
    assurance: float
    answers: int
    invites: int
    reachable: bool
    expected: Reach
    assured: Reach


def size(target: Target, population: int, rate: Rate, assurance: float = ASSURANCE) -> Size:
    """`population`: how many can be asked at all."""
    if not 0.5 <= assurance < 1:
        raise ValueError("the assurance must be at least 0.5 and below 1")
    answers = answers_needed(target, population)
    enough = invites_for(answers, rate, population, assurance)
    invites = population if enough is None else enough

    def reach(count: int) -> Reach:
        return Reach(count, half_width(target, population, count))

    return Size(
        target,
        population,
        rate,
        assurance,
        answers,
        invites,
        enough is not None,
        reach(round(invites * rate.expected)),
        reach(answers_assured(invites, rate, assurance)),
    )
