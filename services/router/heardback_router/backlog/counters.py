"""What a piece of work took, counted from its log alone. Pure: the same log gives the same figures.

Cycle time runs from when the customer was heard to the last resolution, waiting and reopening included.
Rework is every resolution after the first; its minutes are those logged after a reopening. A stream switch is
a contact over another channel than the contact before it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import fmean, median, variance
from typing import Any

from heardback_router.backlog.domain import Item, ItemEvent
from heardback_router.backlog.fold import apply

FINAL = frozenset({"closed", "merged"})


@dataclass(frozen=True, slots=True)
class Tally:
    """The figures of one item. `seconds_in` is by state, that of the present one until the moment of looking;
    `held` says for each resolution which team made it and whether it held."""

    item_id: str
    team: str
    flag: str | None
    cycle_seconds: float | None
    seconds_in: Mapping[str, float]
    transfers: int
    reopens: int
    rework: int
    minutes: int
    rework_minutes: int
    responses: Mapping[str, int]
    switches: int
    held: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Spread:
    """`variance` is the unbiased one (n − 1); None of fewer than two."""

    n: int
    mean: float | None
    median: float | None
    variance: float | None


def tally(log: Sequence[ItemEvent], at: datetime) -> Tally:
    """The figures of the item with this log, seen at `at`. Raises BrokenLogError."""
    item: Item | None = None
    spent: dict[str, float] = defaultdict(float)
    channels: list[str] = []
    responses: Counter[str] = Counter()
    resolved_at: datetime | None = None
    held: list[tuple[str, bool]] = []
    rework_minutes = 0
    since = log[0].at if log else at
    for event in log:
        if item is not None:
            spent[item.state] += (event.at - since).total_seconds()
        since, item = event.at, apply(item, event)
        channel = _channel(event)
        if channel is not None:
            channels.append(channel)
            responses[channel] += event.kind == "responded"
        if event.kind == "resolved":
            resolved_at = event.at
            held.append((item.team, True))
        elif event.kind == "reopened" and held:
            held[-1] = (held[-1][0], False)
        elif event.kind == "time_logged" and item.counts.reopens:
            rework_minutes += event.data["minutes"]
    if item is None:
        raise ValueError("an empty log is no item")
    if item.state not in FINAL:
        spent[item.state] += max(0.0, (at - since).total_seconds())
    done = resolved_at is not None and item.state in {"resolved", "closed"}
    return Tally(
        item.id,
        item.team,
        item.flag,
        (resolved_at - item.opened_at).total_seconds() if done and resolved_at else None,
        dict(spent),
        item.counts.transfers,
        item.counts.reopens,
        max(0, item.resolutions - 1),
        item.counts.minutes,
        rework_minutes,
        {name: number for name, number in responses.items() if number},
        sum(1 for before, after in pairwise(channels) if before != after),
        tuple(held),
    )


def spread(values: Iterable[float]) -> Spread:
    held = list(values)
    if not held:
        return Spread(0, None, None, None)
    return Spread(len(held), fmean(held), median(held), variance(held) if len(held) > 1 else None)


def summary(tallies: Sequence[Tally]) -> dict[str, Any]:
    """The figures of many items: per figure how many, mean, median and variance; times in hours."""
    flags: dict[str, Callable[[Tally], bool]] = {
        "all": lambda _: True,
        "standard": lambda t: t.flag == "standard",
        "custom": lambda t: t.flag == "custom",
        "unflagged": lambda t: t.flag is None,
    }
    states = sorted({state for t in tallies for state in t.seconds_in})
    responses: Counter[str] = Counter()
    for one in tallies:
        responses.update(one.responses)
    figures = ("transfers", "reopens", "rework", "minutes", "rework_minutes", "switches")
    return {
        "items": len(tallies),
        "cycle_hours": {
            name: spread(t.cycle_seconds / 3600 for t in tallies if t.cycle_seconds is not None and chosen(t))
            for name, chosen in flags.items()
        },
        "hours_in_state": {
            state: spread(t.seconds_in[state] / 3600 for t in tallies if state in t.seconds_in)
            for state in states
        },
        **{name: spread(getattr(t, name) for t in tallies) for name in figures},
        "responses": dict(sorted(responses.items())),
        "resolutions": {"made": len(_held(tallies)), "undone": sum(not ok for _, ok in _held(tallies))},
    }


def resolutions_by_team(tallies: Iterable[Tally]) -> dict[str, tuple[int, int]]:
    """Per team that resolved something: resolutions made, and those of them that were undone."""
    made: Counter[str] = Counter()
    undone: Counter[str] = Counter()
    for one in tallies:
        for team, ok in one.held:
            made[team] += 1
            undone[team] += not ok
    return {team: (made[team], undone[team]) for team in sorted(made)}


def _held(tallies: Iterable[Tally]) -> list[tuple[str, bool]]:
    return [pair for one in tallies for pair in one.held]


def _channel(event: ItemEvent) -> str | None:
    """Over which channel the customer spoke, or we answered; None where the entry does not say."""
    if event.kind in {"opened", "feedback_joined"}:
        return (event.data.get("facts") or {}).get("channel")
    return event.data.get("channel") if event.kind == "responded" else None
