"""Figures as they are printed, kept and compared."""

import math
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from heardback_scoring.evaluation.measures import Measure
from heardback_scoring.evaluation.statistics import interval
from heardback_shared.contracts.score import ModelRef

FORMAT = "heardback.scorecard.v1"


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Figure(_Told):
    """A value with its 95 % interval; None where the rows cannot tell (none was chosen)."""

    figure: str
    slice: str
    rows: int
    value: float | None
    low: float | None
    high: float | None


class SetReport(_Told):
    """Everything found in one split of one set."""

    name: str
    split: str
    rows: int
    sha256: str
    tasks: tuple[str, ...]
    figures: tuple[Figure, ...]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Bounded(_Told):
    """Something measured that has a bound of its own, whatever another model does."""

    name: str
    figure: str
    value: float
    bound: float
    holds: bool
    of: Annotated[int, Field(ge=0)]
    failed: int | None = None
    worst: tuple[str, ...] = ()


class Scorecard(_Told):
    format: str = FORMAT
    model: ModelRef
    policies: tuple[str, ...]
    split: str
    sets: tuple[SetReport, ...]
    bias: tuple[Bounded, ...] = ()
    behaviour: tuple[Bounded, ...] = ()
    absent: tuple[str, ...] = ()
    at: str


def figure_of(measure: Measure) -> Figure:
    found = interval(measure.statistic, measure.rows)
    return Figure(
        figure=measure.figure,
        slice=measure.slice,
        rows=measure.rows,
        value=known(found.value),
        low=known(found.low),
        high=known(found.high),
    )


def known(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 5)
