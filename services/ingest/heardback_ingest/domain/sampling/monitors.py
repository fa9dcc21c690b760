"""What is seen at each exposure: answers, drop-off, the same score again, opt-outs. Seen, not caused."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from heardback_ingest.domain.sampling.exposure import NOT_DRAWN, Asks, Bools
from heardback_ingest.domain.sampling.shares import Share, wilson

EDGES = (0.0, 0.5, 1.0, 2.0)
"""Where the bands of exposure begin; the last has no end."""


@dataclass(frozen=True, slots=True)
class Band:
    """`dropped_off`: of those opened, not answered. `same_again`: of those answered, the third time or more
    in a row the same score."""

    begins: float
    ends: float | None
    customers: int
    asks: int
    answered: Share
    dropped_off: Share
    same_again: Share
    opted_out: Share


@dataclass(frozen=True, slots=True)
class Monitor:
    """`label` says how far it may be read: who has a high exposure differs from others in more than it."""

    label: Literal["by lot", "not randomised"]
    bands: tuple[Band, ...]


def monitors(asks: Asks) -> tuple[Monitor, Monitor]:
    """Of the customers in arms, and of all others. Even in arms, who has which exposure is not all by lot."""
    drawn = asks.gap != NOT_DRAWN
    return Monitor("by lot", _bands(asks.where(drawn))), Monitor("not randomised", _bands(asks.where(~drawn)))


def _bands(asks: Asks) -> tuple[Band, ...]:
    ends = (*EDGES[1:], None)
    return tuple(_band(asks, begins, end) for begins, end in zip(EDGES, ends, strict=True))


def _band(asks: Asks, begins: float, ends: float | None) -> Band:
    which: Bools = asks.exposure >= begins
    if ends is not None:
        which = which & (asks.exposure < ends)
    of = asks.where(which)

    def share(found: Bools, among: Bools) -> Share:
        return wilson(int((found & among).sum()), int(among.sum()))

    everyone = np.ones(len(of), np.bool_)
    opened = of.opened | of.answered
    return Band(
        begins,
        ends,
        len(np.unique(of.customer)),
        len(of),
        share(of.answered, everyone),
        share(~of.answered, opened),
        share(of.same_again, of.answered),
        share(of.opted_out, everyone),
    )
