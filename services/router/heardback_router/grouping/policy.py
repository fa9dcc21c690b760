"""Reading the grouping policy."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from heardback_router.configuration.reading import Shape, Version, Words, parsed
from heardback_router.grouping.domain import GroupingPolicy


class _Grouping(Shape):
    policy: Version
    window_days: Annotated[int, Field(ge=1, le=366)]
    entities: tuple[Words, ...] = ()


def read_grouping(text: str) -> GroupingPolicy:
    """Raises PolicyError."""
    shape = parsed(text, _Grouping)
    return GroupingPolicy(shape.policy, timedelta(days=shape.window_days), shape.entities)
