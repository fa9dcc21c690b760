"""What is said of clocks that run down: warnings and breaches, each once per run, in working hours. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from heardback_router.backlog.commands import LEGAL
from heardback_router.backlog.domain import ROUTER, EventKind, Item, ItemEvent
from heardback_router.backlog.log import Entry
from heardback_router.configuration.policies import Policies
from heardback_router.sla.clocks import state_of, versions
from heardback_router.sla.domain import ClockKind
from heardback_router.sla.replay import Replay
from heardback_router.sla.run import Aim, Run
from heardback_router.sla.watch import Look
from heardback_router.sla.working import WorkingTime, moment

NAMES: dict[ClockKind, str] = {
    "first_response": "the first answer",
    "next_response": "the next answer",
    "resolution": "the solution",
    "loop_closed": "telling the customers",
}
_MINUTE = 60 * 1_000_000


class SlaWatch:
    """Warns while a clock runs, at most once per threshold and run, and of several at once only of the last;
    says that it ran out, dated exactly. Both wait for the hours of the telling calendar. Nothing is said of
    a clock that was met, paused or stopped in the meantime, but that it was met too late."""

    def look(self, item: Item, log: Sequence[ItemEvent], policies: Policies, at: datetime) -> Look:
        if item.state in {"closed", "merged"}:
            return Look()
        replay = Replay(versions(policies.sla, policies.sla_before))
        replay.read(log, at)
        entries = [*_pin(item, policies), *_resumed(item, replay)]
        again: list[datetime] = []
        for run in replay.runs:
            aim = run.last
            if aim is None:
                continue
            telling = _telling(run, replay, item, policies)
            said, look_at = _said_of(run, aim, telling.next_open(at) <= at)
            if said is not None and may(item, said.kind):
                entries.append(said)
            again += [telling.next_open(max(at, moment(look))) for look in look_at]
            if run.counts and not run.breached and (due := run.due_from(run.looked)) is not None:
                again.append(moment(due + 1))
        later = [look for look in again if look > at]
        return Look(tuple(entries), min(later, default=None))


def may(item: Item, kind: EventKind) -> bool:
    return item.state in LEGAL[kind]


def _pin(item: Item, policies: Policies) -> Iterator[Entry]:
    """An item whose version is not kept goes on under the one in force, and the log says so."""
    kept = {policies.sla.name, *policies.sla_before}
    if item.sla not in kept and may(item, "sla_pinned"):
        was = f"version {item.sla} is not kept any more" if item.sla else "it had none"
        yield pin_entry(
            item, policies.sla.name, f"The clock policy {policies.sla.name} holds from now on: {was}."
        )


def pin_entry(item: Item, name: str, reason: str, actor: str = ROUTER) -> Entry:
    return Entry("sla_pinned", actor, reason, {"sla": name, "from": item.sla})


def _resumed(item: Item, replay: Replay) -> Iterator[Entry]:
    if replay.customer_resumed and item.waiting_for is not None and may(item, "resumed"):
        yield Entry("resumed", ROUTER, "The customer wrote again.")


def _telling(run: Run, replay: Replay, item: Item, policies: Policies) -> WorkingTime:
    assert run.last is not None
    policy = versions(policies.sla, policies.sla_before)(run.last.policy)
    own = run.last.rule.tell_in
    return policy.working_time(own, team=item.team) if own else policy.telling_time(item.team)


def _said_of(run: Run, aim: Aim, open_now: bool) -> tuple[Entry | None, list[int]]:
    """What is to be said now, and at which instants to look again."""
    if run.breached:
        if run.told:
            return None, []
        return (_breached(run, aim), []) if open_now else (None, [run.looked])
    if not run.counts:
        return None, []
    due = run.due_from(run.looked)
    look_at = [due + 1] if due is not None else []
    reached = [p for p in _open_thresholds(run, aim) if run.used * 100 >= aim.within * p]
    coming = [p for p in _open_thresholds(run, aim) if p not in reached]
    if coming and (following := run.reaches(coming[0])) is not None:
        look_at.append(following)
    if not reached:
        return None, look_at
    if open_now:
        return _warned(run, aim, reached[-1]), look_at
    return None, [*look_at, run.looked]


def _open_thresholds(run: Run, aim: Aim) -> list[int]:
    told = max(run.warned, default=0)
    return [percent for percent in aim.warn_at if percent > told]


def _warned(run: Run, aim: Aim, percent: int) -> Entry:
    due = run.due_from(run.looked)
    reason = (
        f"{percent} % of the time for {NAMES[run.kind]} is used: {_span(run.used)} of {_span(aim.within)} "
        f"({aim.target.calendar}, rule {aim.rule.name})."
    )
    return Entry("clock_warned", ROUTER, reason, {**_data(run, aim), "percent": percent, "due_at": _iso(due)})


def _breached(run: Run, aim: Aim) -> Entry:
    late = run.how == "met"
    reason = (
        f"The time for {NAMES[run.kind]} ran out: {_span(aim.within)} "
        f"({aim.target.calendar}, rule {aim.rule.name})."
    )
    if late:
        reason = f"{reason} It was met {_span(run.used - aim.within)} of working time too late."
    data = {**_data(run, aim), "state": state_of(run), "due_at": _iso(run.due), "breached_at": _iso(run.due)}
    return Entry("clock_breached", ROUTER, reason, data)


def _data(run: Run, aim: Aim) -> dict[str, Any]:
    return {
        "clock": run.kind,
        "run": run.number,
        "rule": aim.rule.name,
        "policy": aim.policy,
        "target_minutes": aim.within // _MINUTE,
        "used_minutes": run.used // _MINUTE,
    }


def _iso(at: int | None) -> str | None:
    return None if at is None else moment(at).isoformat()


def _span(microseconds: int) -> str:
    hours, minutes = divmod(microseconds // _MINUTE, 60)
    return " ".join(
        part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "") if part
    ) or ("less than a minute")
