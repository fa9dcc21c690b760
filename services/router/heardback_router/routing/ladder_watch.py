"""What happens when nobody acts: back to the queue, then up the ladder. Pure.

Idle time is working time since the last thing a person did to the item. So whoever acts stops everything, and
what comes after starts from there.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from heardback_router.backlog.domain import CUSTOMER, ROUTER, Item, ItemEvent
from heardback_router.backlog.log import Entry
from heardback_router.configuration.policies import Policies
from heardback_router.routing.ladder import LadderPolicy
from heardback_router.sla.watch import Look
from heardback_router.sla.working import WorkingTime

BEGINS = frozenset({"opened", "reopened", "resumed"})
"""From these on somebody is expected to act, whoever caused them."""

GIVEN = frozenset({"assigned", "claimed"})


class LadderWatch:
    """A `Watch`: looks whether an item has been left alone for too long."""

    def look(self, item: Item, log: Sequence[ItemEvent], policies: Policies, at: datetime) -> Look:
        """What is due by now, each once since a person last acted, and when the next thing would be.

        What falls due outside the working hours waits until they begin.
        """
        if item.state not in {"open", "in_progress"} or item.waiting_for is not None:
            return Look()
        ladder, hours = policies.ladder, working_hours(item, log, policies)
        acted = last_act(log)
        due = [
            *_return(item, log, ladder, hours, acted),
            *_steps(item, log, ladder, hours, acted),
        ]
        due.sort(key=lambda one: one[0])
        later = [when for when, _ in due if when > at]
        now = [entry for when, entry in due if when <= at]
        if now and (opens := hours.next_open(at)) > at:
            return Look((), opens)
        return Look(tuple(now), min(later, default=None))


def last_act(log: Sequence[ItemEvent]) -> datetime:
    """When a person last did something to the item, or it last began to wait for somebody."""
    for event in reversed(log):
        if event.kind in BEGINS or event.actor not in {ROUTER, CUSTOMER}:
            return event.at
    return log[0].at


def working_hours(item: Item, log: Sequence[ItemEvent], policies: Policies) -> WorkingTime:
    """The hours in which clocks are told: in the assignee's time zone where it is known, else the team's."""
    sla = policies.sla
    zone = None
    if item.assignee is not None:
        given = next((e for e in reversed(log) if e.kind in GIVEN), None)
        zone = given.data.get("time_zone") if given else None
    if zone is None:
        return sla.working_time(sla.telling, team=item.team)
    return replace(sla.calendars[sla.telling], zone=zone, whose="fixed").working_time()


def _return(
    item: Item, log: Sequence[ItemEvent], ladder: LadderPolicy, hours: WorkingTime, acted: datetime
) -> list[tuple[datetime, Entry]]:
    """What somebody has started is not taken away; nor, unless the policy says so, what a person gave."""
    after = ladder.returns.get(item.weight.band)
    by_machine = item.assigned_by == "machine"
    if item.assignee is None or item.state != "open" or after is None:
        return []
    if not by_machine and not ladder.from_people:
        return []
    given = next((e.at for e in reversed(log) if e.kind in GIVEN), acted)
    when = hours.after(max(acted, given), after)
    data = {"from": item.assignee, "due_at": when.isoformat(), "ladder": ladder.name}
    reason = f"{item.assignee} had it for {_minutes(after)} working minutes and nothing happened"
    return [(when, Entry("released", ROUTER, reason, data))]


def _steps(
    item: Item, log: Sequence[ItemEvent], ladder: LadderPolicy, hours: WorkingTime, acted: datetime
) -> list[tuple[datetime, Entry]]:
    done = {
        e.data.get("level") for e in log if e.kind == "escalated" and e.data.get("idle") and e.at >= acted
    }
    found = []
    for step in ladder.steps:
        after = step.after.get(item.weight.band)
        if after is None or step.to in done:
            continue
        when = hours.after(acted, after)
        reason = f"Nobody acted on it for {_minutes(after)} working minutes"
        data = {**ladder.level(item.team, step.to), "idle": True, "due_at": when.isoformat()}
        found.append((when, Entry("escalated", ROUTER, reason, data)))
    return found


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds() // 60)
