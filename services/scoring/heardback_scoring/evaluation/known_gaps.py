"""Bounds that the shipped model misses and is known to miss: written down, so that they can only shrink."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from heardback_scoring.evaluation.figures import Bounded


class KnownGap(BaseModel):
    """`value` is the most that may be measured: what was, and a little more, since processors differ
    (two hundredths; one case of a capability). `name` and `figure` are those of the figure as printed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    figure: str
    value: Annotated[float, Field(gt=0)]
    because: Annotated[str, Field(min_length=1)]


def fault_of(found: Bounded, gaps: Sequence[KnownGap]) -> str | None:
    """What is wrong with a figure: over its bound and not listed, worse than known, or listed in vain."""
    worst = "\n".join(found.worst)
    gap = next((gap for gap in gaps if (gap.name, gap.figure) == (found.name, found.figure)), None)
    told = f"{found.name}, {found.figure}: {found.value}"
    if gap is None:
        return None if found.holds else f"{told} is over its bound of {found.bound}\n{worst}"
    if found.holds:
        return f"{told} holds its bound of {found.bound}: remove it from the known gaps"
    if found.value > gap.value:
        return f"{told} is worse than the known {gap.value}\n{worst}"
    return None
