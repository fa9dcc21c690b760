"""A piecewise-linear curve: what a policy says instead of steps, so that a small change stays a small one."""

from functools import cached_property
from itertools import pairwise
from typing import Annotated, Self

from pydantic import ConfigDict, Field, RootModel, model_validator

Finite = Annotated[float, Field(allow_inf_nan=False)]


class Curve(RootModel[Annotated[tuple[tuple[Finite, Finite], ...], Field(min_length=1)]]):
    """Knots (input, value), inputs ascending. Straight lines between them; level before the first, after the
    last."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _inputs_ascend(self) -> Self:
        if any(left[0] >= right[0] for left, right in pairwise(self.root)):
            raise ValueError("the inputs of a curve's knots must ascend")
        return self

    def at(self, value: float) -> float:
        """The curve at this input; never past the knots beside it, so that rounding keeps the order."""
        x, y = self.root[0]
        if value <= x:
            return y
        for right, left, start, end, slope in self._lines:
            if value < right:
                y = start + (value - left) * slope
                return (y if y < end else end) if slope > 0 else (y if y > end else end)
        return self.root[-1][1]

    @cached_property
    def _lines(self) -> list[tuple[float, float, float, float, float]]:
        """(right, left, value left, value right, slope) of each line: read a dozen times for each event."""
        return [(x1, x0, y0, y1, (y1 - y0) / (x1 - x0)) for (x0, y0), (x1, y1) in pairwise(self.root)]

    @property
    def values(self) -> tuple[float, ...]:
        return tuple(value for _, value in self.root)

    @property
    def most(self) -> float:
        return max(self.values)

    @property
    def steepest(self) -> float:
        """The greatest change of the value for one unit of the input, without its sign."""
        slopes = (abs(y1 - y0) / (x1 - x0) for (x0, y0), (x1, y1) in pairwise(self.root))
        return max(slopes, default=0.0)

    @property
    def steepest_relative(self) -> float:
        """The greatest change of the value for a change of a positive input by its own size."""
        knots = pairwise(self.root)
        return max((abs(y1 - y0) / (x1 - x0) * max(x1, 0.0) for (x0, y0), (x1, y1) in knots), default=0.0)

    @property
    def rises(self) -> bool:
        """Never falls."""
        return all(left <= right for left, right in pairwise(self.values))

    @property
    def falls(self) -> bool:
        """Never rises."""
        return all(left >= right for left, right in pairwise(self.values))

    def within(self, low: float, high: float) -> bool:
        return all(low <= value <= high for value in self.values)
