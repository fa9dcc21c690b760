"""Reading an item's log as its clocks see it. Pure: the log and the policies it names are all that counts."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from heardback_router.backlog.domain import CUSTOMER, EventKind, ItemEvent
from heardback_router.sla.domain import PAUSABLE, ClockKind, Facts, PauseState, SlaPolicy
from heardback_router.sla.pin import facts_in
from heardback_router.sla.run import Aim, Run
from heardback_router.sla.working import microseconds
from heardback_shared.contracts.score import Band

PolicyOf = Callable[[str | None], SlaPolicy]
"""The clock policy of a name; None: the one in force."""


class Replay:
    """The runs of an item's clocks after the entries taken so far, which must come in order."""

    def __init__(self, policy_of: PolicyOf) -> None:
        self._policy_of = policy_of
        self.policy = policy_of(None)
        self.runs: list[Run] = []
        self.current: dict[ClockKind, Run] = {}
        self.waiting: PauseState | None = None
        self.customer_resumed = False
        """A customer's word has ended the wait, and no entry says so yet."""
        self.team = ""
        self._at = 0
        self._band: Band = "P4"
        self._facts: list[Facts] = []
        self._customers: set[str] = set()
        self._revisions: dict[str, int] = {}
        self._answered: int | None = None
        self._unresolved = False

    def read(self, log: Iterable[ItemEvent], until: datetime) -> None:
        """Takes what the log had until then, and counts up to then."""
        limit = microseconds(until)
        for entry in log:
            at = microseconds(entry.at)
            if at > limit:
                break
            self._at = at
            self._take(entry)
        for run in self.current.values():
            run.advance(limit)

    def _take(self, entry: ItemEvent) -> None:
        band, before = entry.data.get("item_band"), self._band
        self._band = band or before
        handle = _HANDLERS.get(entry.kind)
        if handle is not None:
            handle(self, entry)
        if band is not None and band != before:
            self._aim_again()

    # What entries do

    def _opened(self, entry: ItemEvent) -> None:
        data = entry.data
        self.policy = self._policy_of(data.get("sla"))
        self.team, self._unresolved = data["team"], True
        self._band = data.get("item_band") or data["band"]
        self._learn(data)
        start = microseconds(datetime.fromisoformat(data["opened_at"]))
        # A share of the work answers to the item it is a part of; the customer is answered there.
        if not data.get("parent_id"):
            self._start("first_response", start)
        self._start("resolution", start)

    def _joined(self, entry: ItemEvent) -> None:
        data = entry.data
        known = data["customer_id"] in self._customers
        self._learn(data)
        if data.get("facts") is not None:
            self._aim_again()
        if known:
            self._customer_writes(data.get("accepted_at"))

    def _rescored(self, entry: ItemEvent) -> None:
        data = entry.data
        follows = data.get("follows")
        if follows:
            self._moved_to(follows["team"])
        feedback_id, revision = data["feedback_id"], data["revision"]
        # Of feedback that came from another item the log knows no revision; its first reading may be new.
        known = self._revisions.get(feedback_id, revision - (data["pass_number"] == 1))
        self._revisions[feedback_id] = max(revision, known)
        if revision > max(known, 1):
            self._customer_writes(data.get("accepted_at"))

    def _regrouped(self, entry: ItemEvent) -> None:
        self._learn(entry.data)
        self._customers = set(entry.data["customers"])
        self._aim_again()

    def _commented(self, entry: ItemEvent) -> None:
        if entry.actor == CUSTOMER:
            self._customer_writes(None)

    def _responded(self, entry: ItemEvent) -> None:
        self._answered = self._at
        self._end("first_response", "met")
        self._end("next_response", "met")
        self._wait(entry.data)

    def _paused(self, entry: ItemEvent) -> None:
        self._wait(entry.data)

    def _resumed(self, entry: ItemEvent) -> None:
        self._wait({})

    def _resolved(self, entry: ItemEvent) -> None:
        told = entry.data["tell_customer"] is not None
        for kind in PAUSABLE:
            self._end(kind, "met" if told or kind == "resolution" else "stopped")
        self._wait({})
        self._unresolved = False
        if told:
            self._answered = self._at
            self._start("loop_closed", self._at)

    def _loops_settled(self, entry: ItemEvent) -> None:
        if self.policy.loop_closed_when == "told":
            at = microseconds(datetime.fromisoformat(entry.data["at"]))
            self._end("loop_closed", "met", at)

    def _reopened(self, entry: ItemEvent) -> None:
        self._unresolved = True
        self._end("loop_closed", "stopped")
        for kind in PAUSABLE:
            run = self.current.get(kind)
            if run is not None and (kind == "resolution" or run.how == "stopped"):
                run.go_on(self._at)
        self._aim_again()
        if entry.actor == CUSTOMER or entry.data.get("loop_id"):
            self._customer_writes(None)

    def _reassigned(self, entry: ItemEvent) -> None:
        self._moved_to(entry.data["team"])

    def _merged(self, entry: ItemEvent) -> None:
        for kind in self.current:
            self._end(kind, "stopped")
        self._wait({})
        self._unresolved = False

    def _closed(self, entry: ItemEvent) -> None:
        self._end("loop_closed", "met")

    def _pinned(self, entry: ItemEvent) -> None:
        self.policy = self._policy_of(entry.data["sla"])
        self._aim_again(may_loosen=True)

    def _corrected(self, entry: ItemEvent) -> None:
        follows = entry.data.get("follows") or {}
        if "team" in follows:
            self._moved_to(follows["team"])

    def _warned(self, entry: ItemEvent) -> None:
        run = self._run_of(entry.data)
        if run is not None:
            run.warned.append(entry.data["percent"])

    def _breached(self, entry: ItemEvent) -> None:
        run = self._run_of(entry.data)
        if run is not None:
            run.told = True

    # What they are made of

    def _run_of(self, data: Mapping[str, Any]) -> Run | None:
        wanted = data.get("clock"), data.get("run")
        return next((run for run in self.runs if (run.kind, run.number) == wanted), None)

    def _learn(self, data: Mapping[str, Any]) -> None:
        facts = facts_in(data)
        if facts is not None and facts not in self._facts:
            self._facts.append(facts)
        if data.get("customer_id") is not None:
            self._customers.add(data["customer_id"])
        if data.get("feedback_id") is not None:
            self._revisions[data["feedback_id"]] = data.get("revision", 1)

    def _customer_writes(self, accepted_at: str | None) -> None:
        """Ends a wait for the customer, and starts the clock of the next answer if one was given before."""
        wrote = self._at
        if accepted_at is not None:
            wrote = min(wrote, microseconds(datetime.fromisoformat(accepted_at)))
        if self.waiting is not None and self.waiting.until_customer:
            self._wait({}, wrote)
            self.customer_resumed = True
        waits = self.current.get("next_response")
        if self._unresolved and self._answered is not None and (waits is None or waits.ended is not None):
            self._start("next_response", max(wrote, self._answered))

    def _wait(self, data: Mapping[str, Any], at: int | None = None) -> None:
        """Waits for what the entry says, or for nothing any more."""
        self.customer_resumed = False
        self.waiting = self._pause_in(data)
        stops = self.waiting.stops if self.waiting else ()
        for run in self.current.values():
            held = run.kind in stops
            if held != run.held:
                run.advance(self._at if at is None else at)
                run.held = held

    def _pause_in(self, data: Mapping[str, Any]) -> PauseState | None:
        name = data.get("waiting_for")
        if name is None:
            return None
        state = self.policy.pause_of(name)
        # The entry itself says what the pause stops, so that no later policy can lift or widen it.
        if "stops" not in data:
            return state
        return replace(state, stops=tuple(data["stops"]), until_customer=data.get("until_customer", False))

    def _start(self, kind: ClockKind, at: int) -> None:
        number = sum(run.kind == kind for run in self.runs) + 1
        run = Run(kind, number, at, at)
        run.held = self.waiting is not None and kind in self.waiting.stops
        self.runs.append(run)
        self.current[kind] = run
        run.take(self._aim(run), may_loosen=True)

    def _end(self, kind: ClockKind, how: Any, at: int | None = None) -> None:
        run = self.current.get(kind)
        if run is not None:
            run.end(self._at if at is None else at, how)

    def _moved_to(self, team: str) -> None:
        if team == self.team:
            return
        self.team = team
        for run in self.current.values():
            if run.ended is None and run.aim is not None:
                run.advance(self._at)
                aim = run.aim
                policy = self._policy_of(aim.policy)
                time = policy.working_time(aim.target.calendar, customer_zone=aim.zone, team=team)
                run.take(replace(aim, time=time), may_loosen=True)

    def _aim_again(self, *, may_loosen: bool = False) -> None:
        for run in self.current.values():
            if run.ended is None:
                run.advance(self._at)
                run.take(self._aim(run), may_loosen=may_loosen)

    def _aim(self, run: Run) -> Aim | None:
        """Of the targets for the feedbacks behind the item, the one that ends first."""
        aims = []
        for facts in self._facts or [Facts()]:
            found = self.policy.target_of(run.kind, facts, self._band)
            if found is not None:
                rule, target = found
                time = self.policy.working_time(
                    target.calendar, customer_zone=facts.time_zone, team=self.team
                )
                aims.append(Aim.of(self.policy, rule, target, time, facts.time_zone))
        if len(aims) < 2:
            return aims[0] if aims else None
        return min(aims, key=lambda aim: aim.time.reached(run.looked, aim.within - run.used))


_HANDLERS: Mapping[EventKind, Callable[[Replay, ItemEvent], None]] = {
    "opened": Replay._opened,
    "feedback_joined": Replay._joined,
    "feedback_rescored": Replay._rescored,
    "feedback_came": Replay._regrouped,
    "feedback_left": Replay._regrouped,
    "commented": Replay._commented,
    "responded": Replay._responded,
    "paused": Replay._paused,
    "resumed": Replay._resumed,
    "resolved": Replay._resolved,
    "loops_settled": Replay._loops_settled,
    "reopened": Replay._reopened,
    "reassigned": Replay._reassigned,
    "merged": Replay._merged,
    "closed": Replay._closed,
    "sla_pinned": Replay._pinned,
    "corrected": Replay._corrected,
    "clock_warned": Replay._warned,
    "clock_breached": Replay._breached,
}
"""Kinds that are not here leave the clocks alone, but for the band they may carry."""
