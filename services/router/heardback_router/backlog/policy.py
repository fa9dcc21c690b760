"""Reading the weighing policy."""

from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, model_validator

from heardback_router.backlog.weighing import Rung, WeighingPolicy
from heardback_shared.policies.reading import Shape, Version, parsed

Points = Annotated[int, Field(ge=0, le=100)]


class _Rung(Shape):
    at_least: Annotated[int, Field(ge=1)]
    points: Points


class _Bands(Shape):
    p1: Points
    p2: Points
    p3: Points


class _Weighing(Shape):
    policy: Version
    bands: _Bands
    trend_days: Annotated[int, Field(ge=1, le=90)]
    breadth: tuple[_Rung, ...] = ()
    trend: tuple[_Rung, ...] = ()
    transfers: tuple[_Rung, ...] = ()
    reopens: tuple[_Rung, ...] = ()
    broken_promises: tuple[_Rung, ...] = ()
    breaches: tuple[_Rung, ...] = ()

    @model_validator(mode="after")
    def _worse_is_never_lower(self) -> Self:
        if not self.bands.p1 > self.bands.p2 > self.bands.p3 > 0:
            raise ValueError("bands must fall: p1 > p2 > p3 > 0")
        for name in ("breadth", "trend", "transfers", "reopens", "broken_promises", "breaches"):
            rungs: tuple[_Rung, ...] = getattr(self, name)
            pairs = pairwise(rungs)
            if any(b.at_least <= a.at_least or b.points < a.points for a, b in pairs):
                raise ValueError(f"{name}: at_least must rise from rung to rung, and points must not fall")
        return self


def read_weighing(text: str) -> WeighingPolicy:
    """Raises PolicyError."""
    shape = parsed(text, _Weighing)
    return WeighingPolicy(
        name=shape.policy,
        bands=(shape.bands.p1, shape.bands.p2, shape.bands.p3),
        trend_days=shape.trend_days,
        **{
            name: tuple(Rung(rung.at_least, rung.points) for rung in getattr(shape, name))
            for name in ("breadth", "trend", "transfers", "reopens", "broken_promises", "breaches")
        },
    )
