"""Reading the ladder."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, model_validator

from heardback_router.routing.ladder import LadderPolicy, Step
from heardback_shared.contracts.score import Band
from heardback_shared.policies.reading import Shape, Slug, Version, Words, parsed

Minutes = Annotated[int, Field(ge=1, le=525_600)]
Spans = dict[Band, Minutes]


class _Return(Shape):
    after_minutes: Spans = Field(default_factory=dict)
    from_people: bool = False


class _Step(Shape):
    to: Slug
    after_minutes: Annotated[Spans, Field(min_length=1)]


class _Transfers(Shape):
    escalate_at: Annotated[int, Field(ge=1, le=100)]


class _Ladder(Shape):
    policy: Version
    returns: Annotated[_Return, Field(alias="return")] = _Return()
    steps: tuple[_Step, ...] = ()
    transfers: _Transfers
    people: dict[Slug, dict[Slug, Words]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _goes_up(self) -> Self:
        names = [step.to for step in self.steps]
        if len(set(names)) < len(names):
            raise ValueError("steps: two go to the same level")
        spans = [self.returns.after_minutes, *(step.after_minutes for step in self.steps)]
        places = ["return", *names]
        for (lower, before), (upper, after) in pairwise(zip(places, spans, strict=True)):
            for band, minutes in after.items():
                if minutes <= before.get(band, 0):
                    raise ValueError(f"steps: {upper} must come after {lower}, for {band} it does not")
        unknown = {level for levels in self.people.values() for level in levels} - set(names)
        if unknown:
            raise ValueError(f"people: no step goes to {', '.join(sorted(unknown))}")
        return self


def read_ladder(text: str) -> LadderPolicy:
    """Raises PolicyError."""
    shape = parsed(text, _Ladder)
    return LadderPolicy(
        shape.policy,
        _spans(shape.returns.after_minutes),
        shape.returns.from_people,
        tuple(Step(step.to, _spans(step.after_minutes)) for step in shape.steps),
        shape.transfers.escalate_at,
        shape.people,
    )


def _spans(minutes: Mapping[Band, int]) -> dict[Band, timedelta]:
    return {band: timedelta(minutes=number) for band, number in minutes.items()}
