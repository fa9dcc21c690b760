"""Sending a plan in waves: what the first brings tells how many more are needed, often none."""

from dataclasses import dataclass
from math import ceil
from typing import Literal

from heardback_ingest.domain.sampling.response import Rate, invites_for

SHARES = (0.60, 0.25, 0.15)
"""Of the plan's invites. A later wave is smaller where the re-estimated rate says that fewer do."""
HOPES = (None, 0.50, 0.99)
"""With which chance a wave is to be the last: an even one for the second, so that it seldom overshoots, and
near certainty for the last."""

Why = Literal["first", "more", "reached", "all_sent"]


@dataclass(frozen=True, slots=True)
class Wave:
    """The next wave, or why there is none (`invites` 0). `rate` is re-estimated from what came in."""

    number: int
    invites: int
    why: Why
    rate: Rate


def next_wave(done: int, sent: int, answered: int, invites: int, answers: int, rate: Rate) -> Wave:
    """`done` waves have sent `sent` of the plan's `invites` and brought `answered` of its `answers`.

    Never sends more than the plan, so the whole is as likely to reach its target as sending all at once is.
    """
    seen = rate.seen(sent, min(answered, sent)) if sent else rate
    if answered >= answers:
        return Wave(done + 1, 0, "reached", seen)
    left = max(0, invites - sent)
    if left == 0:
        return Wave(done + 1, 0, "all_sent", seen)
    if done == 0:
        return Wave(1, min(left, ceil(SHARES[0] * invites)), "first", seen)
    last = done + 1 >= len(SHARES)
    if not last:
        left = min(left, max(1, ceil(sum(SHARES[: done + 1]) * invites) - sent))
    hope = HOPES[min(done, len(HOPES) - 1)]
    assert hope is not None
    need = invites_for(answers - answered, seen, left, hope)
    return Wave(done + 1, left if need is None else max(1, need), "more", seen)
