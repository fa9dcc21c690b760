"""What wrong guesses have cost: items that their first team gave away, by how sure the cause was. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from heardback_router.routing.domain import CATCH_ALL

STEPS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Confidence from here to the next; the last to 1."""

FEW = 20
"""Fewer items of a kind say nothing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One routed item: by which rule, how sure, and where it is. `won` is the team that the rules gave,
    `first_team` the one it went to: another where a gate held it back."""

    domain: str | None
    confidence: float | None
    rule: str
    won: str
    first_team: str
    team: str
    transfers: int


@dataclass(slots=True)
class _Tally:
    items: int = 0
    given_away: int = 0
    steps: dict[float, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))


def misrouting(outcomes: Iterable[Outcome], triage_minutes: float, misroute_minutes: float) -> dict[str, Any]:
    """Per domain the share that the first team gave away, by confidence, and the least confidence at which a
    guess costs less than reading first, were these the minutes. `default_share` is what no rule took."""
    domains: dict[str, _Tally] = defaultdict(_Tally)
    total = default = held = held_rightly = 0
    for one in outcomes:
        total += 1
        default += one.rule == CATCH_ALL
        if one.first_team != one.won:
            held += 1
            held_rightly += one.transfers > 0 and one.team != one.won
        elif one.domain is not None and one.confidence is not None:
            _count(domains[one.domain], one.confidence, one.transfers > 0)
    return {
        "items": total,
        "default_share": _share(default, total),
        "held": {"items": held, "went_elsewhere": held_rightly},
        "domains": {
            name: _told(tally, triage_minutes / misroute_minutes) for name, tally in sorted(domains.items())
        },
    }


def _count(tally: _Tally, confidence: float, given_away: bool) -> None:
    tally.items += 1
    tally.given_away += given_away
    step = tally.steps[max(s for s in STEPS if s <= max(confidence, 0.0))]
    step[0] += 1
    step[1] += given_away


def _told(tally: _Tally, worth: float) -> dict[str, Any]:
    steps = [
        {"from": step, "items": seen, "given_away": away, "share": _share(away, seen)}
        for step, (seen, away) in sorted(tally.steps.items())
    ]
    return {
        "items": tally.items,
        "given_away": tally.given_away,
        "share": _share(tally.given_away, tally.items),
        "by_confidence": steps,
        "least_by_these": _least(steps, worth),
    }


def _least(steps: Sequence[Mapping[str, Any]], worth: float) -> float | None:
    """The lowest confidence from which on a guess was right often enough; None where too little was seen."""
    enough = [step for step in steps if step["items"] >= FEW]
    if not enough:
        return None
    least = None
    for step in reversed(enough):
        if step["share"] > worth:
            break
        least = float(step["from"])
    return least if least is not None else 1.0


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
