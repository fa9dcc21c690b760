"""What loops want to be looked at in time: promises about to be missed, and silence at the end. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from heardback_router.backlog.commands import LEGAL
from heardback_router.backlog.domain import ROUTER, Item, ItemEvent
from heardback_router.backlog.gate import lacks_to_close
from heardback_router.backlog.log import Entry
from heardback_router.configuration.policies import Policies
from heardback_router.loops.telling import TellingPolicy
from heardback_router.sla.domain import SlaPolicy
from heardback_router.sla.watch import Look
from heardback_router.sla.working import WorkingTime

LATE = "It is not kept yet, and little of its time is left"
SILENT = "Everybody was told, and nobody said that it is not solved"


def notice_at(given_at: datetime, due_at: datetime, policy: TellingPolicy, time: WorkingTime) -> datetime:
    """When customers learn that a promise will be missed, if it is not kept before.

    So much of its working time is left then as the policy says, but never more than half of it.
    """
    whole = time.between(given_at, due_at)
    left = min(max(whole * policy.notice_share, policy.notice_at_least), whole / 2)
    return min(time.after(given_at, whole - left), due_at)


def working_time_of(policy: TellingPolicy, sla: SlaPolicy, team: str | None = None) -> WorkingTime:
    calendar = sla.calendars.get(policy.calendar or sla.telling) or sla.calendars[sla.telling]
    return calendar.working_time(team=team)


class DelayWatch:
    def look(self, item: Item, log: Sequence[ItemEvent], policies: Policies, at: datetime) -> Look:
        """Foresees each promise's delay once; looks again when the next one is near."""
        if item.state not in LEGAL["delay_foreseen"]:
            return Look()
        running = {p.id: p for p in item.promises if p.state == "open" and p.due_at is not None}
        foreseen = {e.data["promise_id"] for e in log if e.kind == "delay_foreseen"}
        given = {e.data["promise_id"]: e.at for e in log if e.kind == "promised"}
        time = working_time_of(policies.telling, policies.sla, item.team)
        entries, later = [], []
        for promise_id in sorted(running.keys() - foreseen):
            due_at = running[promise_id].due_at
            if due_at is None or due_at <= at:
                continue
            near = notice_at(given.get(promise_id, item.opened_at), due_at, policies.telling, time)
            if near <= at:
                data = {"promise_id": promise_id, "due_at": due_at.isoformat(), "to": running[promise_id].to}
                entries.append(Entry("delay_foreseen", ROUTER, LATE, data))
            else:
                later.append(near)
        return Look(tuple(entries), min(later, default=None))


class SilenceWatch:
    def look(self, item: Item, log: Sequence[ItemEvent], policies: Policies, at: datetime) -> Look:
        """Closes a resolved item of which nobody has said anything for as long as the policy waits."""
        after: timedelta | None = policies.telling.close_after
        if after is None or item.state != "resolved" or lacks_to_close(item):
            return Look()
        said = [e for e in log if e.kind == "loops_settled" and e.data["number"] == item.resolutions]
        if not said:
            return Look()
        closes_at = datetime.fromisoformat(said[-1].data["at"]) + after
        if closes_at > at:
            return Look(again_at=closes_at)
        return Look((Entry("closed", ROUTER, SILENT, {"loop_id": None}),))
