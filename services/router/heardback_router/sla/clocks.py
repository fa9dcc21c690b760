"""The clocks of an item: what its log, the clock policies it names and the moment make of them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from heardback_router.backlog.domain import ItemEvent
from heardback_router.sla.domain import CLOCK_KINDS, ClockKind, Facts, SlaPolicy
from heardback_router.sla.replay import PolicyOf, Replay
from heardback_router.sla.run import Run
from heardback_router.sla.working import moment
from heardback_shared.contracts.score import Band

ClockState = Literal["running", "paused", "met", "met_late", "breached", "stopped"]
"""`breached` has run out and is still open, or ended unmet; `met_late` was met after it had run out."""


@dataclass(frozen=True, slots=True)
class Clock:
    """One run of one clock. `run` counts 1, 2, … per kind; `used` is working time of the calendars that were
    in force while it passed. `due_at` is None while it is paused and once it is stopped."""

    kind: ClockKind
    run: int
    state: ClockState
    policy: str
    rule: str
    because: str
    calendar: str
    target: timedelta
    used: timedelta
    started_at: datetime
    ended_at: datetime | None
    due_at: datetime | None
    breached_at: datetime | None
    paused_because: str | None
    warned: tuple[int, ...]

    @property
    def shown(self) -> dict[str, Any]:
        """As the API shows it. Minutes are whole; one that has not passed yet does not count."""
        return {
            "kind": self.kind,
            "run": self.run,
            "state": self.state,
            "target_minutes": self.target // timedelta(minutes=1),
            "used_minutes": self.used // timedelta(minutes=1),
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "due_at": self.due_at,
            "paused_because": self.paused_because,
            "warned": list(self.warned),
            "breached_at": self.breached_at,
            "because": self.because,
            "rule": self.rule,
            "calendar": self.calendar,
            "policy": self.policy,
        }


@dataclass(frozen=True, slots=True)
class Expected:
    """When a clock that starts at a moment runs out, and by which rule."""

    rule: str
    because: str
    target: timedelta
    due_at: datetime


def clocks_of(
    log: Iterable[ItemEvent], at: datetime, sla: SlaPolicy, before: Mapping[str, SlaPolicy] | None = None
) -> tuple[Clock, ...]:
    """Every run of every clock as of `at`, in the order in which they started.

    `sla` is the policy in force, `before` has others by name; a version that neither has is read as `sla`.
    Entries of the log later than `at` are not seen.
    """
    return _clocks(log, at, versions(sla, before or {}))


def outcome(log: Iterable[ItemEvent], policy: SlaPolicy, now: datetime) -> tuple[Clock, ...]:
    """What the clocks would be had this policy been pinned to the item all along."""
    return _clocks(log, now, lambda _: policy)


def latest(clocks: Iterable[Clock]) -> list[Clock]:
    """Of each kind the last run."""
    last = {clock.kind: clock for clock in clocks}
    return [last[kind] for kind in CLOCK_KINDS if kind in last]


def next_due(clocks: Iterable[Clock]) -> datetime | None:
    """When the next of these runs out that has not yet."""
    return min((c.due_at for c in clocks if c.state == "running" and c.due_at is not None), default=None)


def expected(
    policy: SlaPolicy,
    start: datetime,
    band: Band,
    facts: Facts,
    team: str,
    kinds: Sequence[ClockKind] = CLOCK_KINDS,
) -> dict[ClockKind, Expected]:
    """When each clock that has a target would run out if it started then and nothing happened."""
    found: dict[ClockKind, Expected] = {}
    for kind in kinds:
        aimed = policy.target_of(kind, facts, band)
        if aimed is not None:
            rule, target = aimed
            time = policy.working_time(target.calendar, customer_zone=facts.time_zone, team=team)
            due_at = time.after(start, target.within)
            found[kind] = Expected(rule.name, rule.because, target.within, due_at)
    return found


def versions(sla: SlaPolicy, before: Mapping[str, SlaPolicy]) -> PolicyOf:
    def policy_of(name: str | None) -> SlaPolicy:
        return sla if name is None or name == sla.name else before.get(name, sla)

    return policy_of


def _clocks(log: Iterable[ItemEvent], at: datetime, policy_of: PolicyOf) -> tuple[Clock, ...]:
    replay = Replay(policy_of)
    replay.read(log, at)
    return tuple(_clock(run, replay) for run in replay.runs if run.last is not None)


def _clock(run: Run, replay: Replay) -> Clock:
    if run.last is None:
        raise ValueError("a run without a target is no clock")
    state = state_of(run)
    due = run.due_from(run.looked) if state == "running" else run.due if run.breached or run.ended else None
    return Clock(
        kind=run.kind,
        run=run.number,
        state=state,
        policy=run.last.policy,
        rule=run.last.rule.name,
        because=run.last.rule.because,
        calendar=run.last.target.calendar,
        target=run.last.target.within,
        used=timedelta(microseconds=run.used),
        started_at=moment(run.started),
        ended_at=_moment(run.ended),
        due_at=_moment(due),
        breached_at=_moment(run.due) if run.breached else None,
        paused_because=replay.waiting.title if run.held and replay.waiting and run.ended is None else None,
        warned=tuple(run.warned),
    )


def state_of(run: Run) -> ClockState:
    if run.breached:
        return "met_late" if run.how == "met" else "breached"
    if run.aim is None:
        return "stopped"
    if run.how is not None:
        return run.how
    return "paused" if run.held else "running"


def _moment(at: int | None) -> datetime | None:
    return None if at is None else moment(at)
