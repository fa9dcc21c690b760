"""Reading the capacity policy."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from heardback_router.assignment.domain import CapacityPolicy, TeamCapacity
from heardback_shared.contracts.customer import Tier
from heardback_shared.policies.reading import Shape, Slug, Version, parsed

MOST_AT_ONCE = 1_000
Cap = Annotated[int, Field(ge=1, le=MOST_AT_ONCE)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Team(Shape):
    automatic: bool | None = None
    cap: Cap | None = None


class _Reserved(Shape):
    share: Annotated[float, Field(ge=0, le=0.9)]
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1)]


class _Floors(Shape):
    strategic: Share = 0.0
    key: Share = 0.0
    standard: Share = 0.0
    unknown: Share = 0.0

    @model_validator(mode="after")
    def _leave_nobody_out(self) -> Self:
        shares = list(self.model_dump().values())
        if sum(shares) > 1 + 1e-9:
            raise ValueError("floors add up to more than 1; there is only one turn at a time")
        if not all(shares):
            raise ValueError(
                "floors: every tier, and unknown, needs a share above 0; it might never be served"
            )
        return self


class _Capacity(Shape):
    policy: Version
    automatic: bool
    cap: Cap
    reserved: _Reserved | None = None
    floors: _Floors
    teams: dict[Slug, _Team] = Field(default_factory=dict)


def read_capacity(text: str) -> CapacityPolicy:
    """Raises PolicyError."""
    shape = parsed(text, _Capacity)
    return CapacityPolicy(
        shape.policy,
        shape.automatic,
        shape.cap,
        shape.reserved.share if shape.reserved else 0.0,
        frozenset(shape.reserved.tiers) if shape.reserved else frozenset(),
        shape.floors.model_dump(),
        {team: TeamCapacity(own.automatic, own.cap) for team, own in shape.teams.items()},
    )
