"""How often and how fast loops close, counted from their logs alone. Pure.

A loop is closed once its customer was told or has confirmed; the time runs from when they wrote to the first
of these in the loop. Confirmed rate: of all answers, the share that says it is solved, each round by itself.
Groups of fewer than ten customers are not shown, as their figures would tell about single people.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any, get_args

from heardback_router.loops.domain import LoopEvent
from heardback_router.messages.domain import Result
from heardback_shared.contracts.events import LoopState

FEWEST = 10


@dataclass(frozen=True, slots=True)
class Life:
    """One loop with its log. `result` is of its latest round."""

    customer_id: str | None
    team: str
    domain: str | None
    result: Result | None
    raised_at: datetime
    events: Sequence[LoopEvent]


def figures(lives: Sequence[Life]) -> dict[str, Any]:
    """Overall, by team and by domain; a group too small has `suppressed` and no figures."""
    teams: dict[str, list[Life]] = defaultdict(list)
    domains: dict[str, list[Life]] = defaultdict(list)
    for life in lives:
        teams[life.team].append(life)
        domains[life.domain or "unclear"].append(life)
    return {
        "all": _group(lives),
        "teams": {name: _group(teams[name]) for name in sorted(teams)},
        "domains": {name: _group(domains[name]) for name in sorted(domains)},
    }


def _group(lives: Sequence[Life]) -> dict[str, Any]:
    customers = len({life.customer_id for life in lives if life.customer_id is not None})
    if customers < FEWEST:
        return {"suppressed": True, "fewer_than": FEWEST}
    now = Counter(life.events[-1].state for life in lives)
    answers = Counter(e.state for life in lives for e in life.events if e.state in {"confirmed", "disputed"})
    given = answers["confirmed"] + answers["disputed"]
    results = Counter(life.result for life in lives if life.result is not None)
    return {
        "suppressed": False,
        "loops": len(lives),
        "customers": customers,
        "states": {state: now[state] for state in get_args(LoopState) if now[state]},
        "results": {result: results[result] for result in get_args(Result) if results[result]},
        "closed_hours": _hours(closed for life in lives if (closed := _closed(life)) is not None),
        "confirmed_rate": {"n": given, "rate": answers["confirmed"] / given if given else None},
        "answered": {"n": sum(now[s] for s in ("told", "confirmed", "disputed")), "answers": given},
        "rework": {"loops": sum(1 for life in lives if life.events[-1].round > 1)},
        "steps_hours": _steps(lives),
    }


def _closed(life: Life) -> float | None:
    """Seconds from when the customer wrote to when they were told, or said that it is solved."""
    at = min((e.at for e in life.events if e.state in {"told", "confirmed"}), default=None)
    return (at - life.raised_at).total_seconds() if at is not None else None


def _steps(lives: Sequence[Life]) -> Mapping[str, Any]:
    """Per state how long after the step before it was taken; the first after the customer wrote."""
    waited: dict[str, list[float]] = defaultdict(list)
    for life in lives:
        before = life.raised_at
        for event in life.events:
            waited[event.state].append(max((event.at - before).total_seconds(), 0.0))
            before = event.at
    return {state: _hours(waited[state]) for state in get_args(LoopState) if waited[state]}


def _hours(seconds: Iterable[float]) -> dict[str, Any]:
    held = [one / 3600 for one in seconds]
    return {"n": len(held), "median": median(held) if held else None}
