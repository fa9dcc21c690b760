"""Counters, on logs whose figures were worked out by hand."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON
from tests.support.logs import opened

from heardback_router.backlog.counters import resolutions_by_team, spread, summary, tally
from heardback_router.backlog.domain import EventKind, ItemEvent

OUTCOME = {"root_cause": "r", "action": "a", "tell_customer": None, "not_telling_because": "n"}
EMAIL: Mapping[str, Any] = {"facts": {"channel": "email"}}


def log(*entries: tuple[float, EventKind, Mapping[str, Any]], **first: Any) -> list[ItemEvent]:
    """Entries as (hours after noon, kind, data)."""
    events = [opened(**first)]
    for hours, kind, data in entries:
        at = NOON + timedelta(hours=hours)
        events.append(ItemEvent("it_1", len(events) + 1, kind, "ana", at, None, data))
    return events


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


REWORKED = log(
    (1, "claimed", {"assignee": "ana"}),
    (2, "started", {}),
    (3, "responded", {"channel": "email"}),
    (4, "time_logged", {"minutes": 30}),
    (5, "responded", {"channel": "phone"}),
    (6, "resolved", {"number": 1, **OUTCOME}),
    (8, "reopened", {}),
    (9, "reassigned", {"team": "product", "from": "operations"}),
    (10, "time_logged", {"minutes": 45}),
    (11, "responded", {"channel": "phone"}),
    (12, "resolved", {"number": 2, **OUTCOME}),
    (14, "closed", {}),
    (20, "flagged", {"flag": "custom", "request": "x"}),
    **EMAIL,
)


def test_an_item_done_twice() -> None:
    found = tally(REWORKED, at(30))
    # Open until started (2 h), then reopened until resolved again (4 h); in progress from 2 to 6.
    assert found.seconds_in == {
        "open": 6 * 3600,
        "in_progress": 4 * 3600,
        "resolved": 4 * 3600,
        "closed": 6 * 3600,
    }
    assert found.cycle_seconds == 12 * 3600
    assert (found.transfers, found.reopens, found.rework) == (1, 1, 1)
    assert (found.minutes, found.rework_minutes) == (75, 45)
    # email (customer), email, phone, phone: one switch.
    assert (found.switches, dict(found.responses)) == (1, {"email": 1, "phone": 2})
    assert found.held == (("operations", False), ("product", True))
    assert (found.team, found.flag) == ("product", "custom")


def test_an_open_item_counts_until_now_and_has_no_cycle_time() -> None:
    found = tally(log((1, "started", {})), at(3))
    assert found.seconds_in == {"open": 3600.0, "in_progress": 7200.0}
    assert (found.cycle_seconds, found.switches, found.held) == (None, 0, ())


def test_a_reopened_item_has_no_cycle_time_until_it_is_resolved_again() -> None:
    again = log((1, "resolved", {"number": 1, **OUTCOME}), (2, "reopened", {}))
    assert tally(again, at(3)).cycle_seconds is None


def test_cycle_time_is_split_by_standard_and_custom_with_mean_and_variance() -> None:
    def solved(hours: float, flag: str | None) -> Any:
        flags = [(0.5, "flagged", {"flag": flag})] if flag else []
        return tally(log(*flags, (hours, "resolved", {"number": 1, **OUTCOME})), at(50))  # type: ignore[arg-type]

    found = summary(
        [
            solved(2, "standard"),
            solved(4, "standard"),
            solved(6, "standard"),
            solved(10, "custom"),
            solved(1, None),
        ]
    )
    standard, custom = found["cycle_hours"]["standard"], found["cycle_hours"]["custom"]
    assert (standard.n, standard.mean, standard.median, standard.variance) == (3, 4.0, 4.0, 4.0)
    assert (custom.n, custom.mean, custom.variance) == (1, 10.0, None)
    assert found["cycle_hours"]["unflagged"].mean == 1.0
    assert found["cycle_hours"]["all"].n == found["items"] == 5
    assert found["resolutions"] == {"made": 5, "undone": 0}


def test_who_resolved_what_did_not_hold() -> None:
    assert resolutions_by_team([tally(REWORKED, at(30))]) == {"operations": (1, 1), "product": (1, 0)}


def test_nothing_has_no_mean_and_one_has_no_variance() -> None:
    assert spread([]).mean is None
    assert (spread([3.0]).mean, spread([3.0]).variance) == (3.0, None)


@given(
    st.lists(st.sampled_from(["started", "resolved", "reopened", "reassigned"]), max_size=12),
    st.integers(0, 50),
)
def test_time_in_states_adds_up_to_the_item_s_whole_life(kinds: list[EventKind], later: int) -> None:
    legal = {"started": {"open"}, "resolved": {"open", "in_progress"}, "reopened": {"resolved"}}
    entries: list[tuple[float, EventKind, Mapping[str, Any]]] = []
    state, number = "open", 0
    for kind in kinds:
        if state not in legal.get(kind, {"open", "in_progress"}):
            continue
        number += kind == "resolved"
        data = {"number": number, **OUTCOME} if kind == "resolved" else {"team": "product"}
        entries.append((len(entries) + 1, kind, data))
        state = {"started": "in_progress", "resolved": "resolved"}.get(kind, "open")
    now = at(len(entries) + later)
    found = tally(log(*entries), now)
    assert sum(found.seconds_in.values()) == pytest.approx((now - NOON).total_seconds())
    assert found.rework == max(0, number - 1)
    assert len(found.held) == number
