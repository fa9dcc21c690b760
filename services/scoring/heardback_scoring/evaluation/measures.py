"""What an evaluator hands over: figures not yet computed, so that one model or a pair can be judged."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from heardback_scoring.evaluation.data import LabelledSet, Problem
from heardback_scoring.evaluation.slices import ALL
from heardback_scoring.evaluation.statistics import Statistic, Values
from heardback_scoring.evaluation.subject import Subject


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of one slice of the set at hand, as a statistic over `rows` rows."""

    figure: str
    rows: int
    statistic: Statistic
    slice: str = ALL


@dataclass(slots=True)
class Measured:
    """What one evaluator found in one set. Notes are what a reader of the figures must know."""

    measures: list[Measure] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, figure: str, rows: int, statistic: Statistic, slice_name: str = ALL) -> None:
        self.measures.append(Measure(figure, rows, statistic, slice_name))

    def add_slices(
        self,
        figure: str,
        masks: Mapping[str, NDArray[np.bool_]],
        of: Callable[[NDArray[np.bool_]], Statistic],
    ) -> None:
        """The figure for every slice; `of` makes the statistic of the rows a mask chooses."""
        for name, mask in masks.items():
            self.add(figure, int(mask.sum()), of(mask), name)

    def merge(self, other: "Measured") -> None:
        self.measures += other.measures
        self.problems += [p for p in other.problems if p not in self.problems]
        self.notes += other.notes


Evaluator = Callable[[LabelledSet, Subject], Awaitable[Measured]]


def array(values: list[float]) -> Values:
    return np.array(values, np.float64)
