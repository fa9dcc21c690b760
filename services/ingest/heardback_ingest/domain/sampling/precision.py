"""How many answers a share needs to be known so well, and how well a number of answers knows it.

Normal approximation with the correction for finite populations (Cochran, Sampling Techniques, chapter 4).
It says nothing about those who do not answer: their opinions may differ.
"""

from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist


@dataclass(frozen=True, slots=True)
class Target:
    """A share that is to be known within ±`half_width` with this confidence; all are between 0 and 1.

    `share` is what the share is thought to be; one half asks for the most answers.
    """

    half_width: float
    confidence: float = 0.90
    share: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.half_width < 1:
            raise ValueError("the half-width must lie between 0 and 1")
        if not 0.5 <= self.confidence < 1:
            raise ValueError("the confidence must be at least 0.5 and below 1")
        if not 0 < self.share < 1:
            raise ValueError("the share must lie between 0 and 1")

    @property
    def z(self) -> float:
        return NormalDist().inv_cdf((1 + self.confidence) / 2)


def answers_needed(target: Target, population: int) -> int:
    """The least number of answers that reach the target, from 1 to the population."""
    if population < 1:
        raise ValueError("the population must be at least 1")
    endless = target.z**2 * target.share * (1 - target.share) / target.half_width**2
    return min(population, max(1, ceil(endless / (1 + (endless - 1) / population) - 1e-9)))


def half_width(target: Target, population: int, answers: int) -> float:
    """What so many answers reach; 1 without any, 0 where everybody answered."""
    if answers <= 0:
        return 1.0
    if answers >= population:
        return 0.0
    left = (population - answers) / (population - 1)
    return min(1.0, target.z * sqrt(target.share * (1 - target.share) / answers * left))
