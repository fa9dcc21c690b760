"""Alarms about how large an item has become. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from heardback_router.backlog.domain import Item
from heardback_router.grouping.domain import SizeAlarm


def rings(item: Item, alarms: Sequence[SizeAlarm]) -> list[tuple[SizeAlarm, str]]:
    """The alarms that ring now, each with what it says; one that has rung for the item never rings again."""
    found = []
    for alarm in alarms:
        if alarm.name in item.alarmed:
            continue
        number = item.feedback_count if alarm.within is None else _most_within(item.arrivals, alarm.within)
        if number >= alarm.at_least:
            hours = "" if alarm.within is None else f" within {alarm.within / timedelta(hours=1):g} hours"
            found.append((alarm, f"{number} feedbacks of the same kind{hours} (alarm {alarm.name})"))
    return found


def _most_within(arrivals: Sequence[datetime], window: timedelta) -> int:
    """The most arrivals that any window of this length holds, whatever order they came in."""
    ordered = sorted(arrivals)
    return max((sum(at <= other <= at + window for other in ordered) for at in ordered), default=0)
