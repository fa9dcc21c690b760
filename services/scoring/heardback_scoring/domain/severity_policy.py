"""The shape of a severity policy. What would break the promise "worse is never lower" is refused here."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from heardback_shared.contracts.customer import Tier

Points = Annotated[int, Field(ge=0, le=100)]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Step(_Data):
    """From `at_least` on, this many points."""

    at_least: float
    points: Points


class Slope(_Data):
    """A straight line between two values of an input: no share at `none_at`, the whole share at `full_at`."""

    none_at: float
    full_at: float

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.none_at == self.full_at:
            raise ValueError("none_at and full_at must differ")
        return self

    def share(self, value: float) -> float:
        return max(0.0, min(1.0, (value - self.none_at) / (self.full_at - self.none_at)))


class CueWeight(_Data):
    points: Points
    because: str


class Bands(_Data):
    """The lowest score of each band; P4 is everything below P3."""

    p1: Points
    p2: Points
    p3: Points

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not 100 >= self.p1 > self.p2 > self.p3 > 0:
            raise ValueError("bands must fall: p1 > p2 > p3 > 0")
        return self


Steps = tuple[Step, ...]


class SeverityPolicy(_Data):
    """Weights of `severity.assess`. `policy` is name@version; change a figure, raise the version."""

    policy: str
    bands: Bands
    full_hurt: Annotated[int, Field(ge=1, le=100)]
    unknown_hurt: Annotated[float, Field(ge=0, le=1)]
    sentiment: dict[str, Points]
    sentiment_shape: Slope
    metric_points: Points
    metric_points_alone: Points
    """Where there is no text to read, the metric says it all."""
    metric_shape: Slope
    fall_points: Points
    fall_shape: Slope
    cues: dict[str, CueWeight]
    floors: dict[str, Points]
    tiers: dict[Tier, Points]
    lifetime_value: Steps
    renewal: Steps
    contacts_30d: Steps
    open_items: Steps
    transfers: Steps
    broken_promises: Steps
    touchpoints: dict[str, Points]

    @model_validator(mode="after")
    def _worse_is_never_lower(self) -> Self:
        for name in ("sentiment_shape", "metric_shape"):
            slope: Slope = getattr(self, name)
            if slope.full_at > slope.none_at:
                raise ValueError(f"{name}: full_at must be below none_at, lower is worse")
        if self.fall_shape.full_at < self.fall_shape.none_at:
            raise ValueError("fall_shape: full_at must be above none_at, a deeper fall is worse")
        if set(self.sentiment) != {"sentiment_lowest", "sentiment_end"}:
            raise ValueError("sentiment: give points for sentiment_lowest and sentiment_end")
        tiers = self.tiers
        if set(tiers) != {"standard", "key", "strategic"}:
            raise ValueError("tiers: give points for standard, key and strategic")
        if not tiers["standard"] <= tiers["key"] <= tiers["strategic"]:
            raise ValueError("tiers: points must not fall from standard over key to strategic")
        return self
