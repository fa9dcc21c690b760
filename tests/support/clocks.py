"""Item logs written by hand, and clock policies to read them by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from heardback_router.backlog.domain import CUSTOMER, ROUTER, EventKind, Item, ItemEvent
from heardback_router.backlog.fold import fold
from heardback_router.sla.clocks import Clock, clocks_of, latest
from heardback_router.sla.domain import SlaPolicy
from heardback_router.sla.policy import read_sla

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""When the office opens."""

POLICY = """
policy: plain@1
calendars:
  office:
    time_zone: UTC
    hours: {mon: ["09:00-17:00"], tue: ["09:00-17:00"], wed: ["09:00-17:00"], thu: ["09:00-17:00"],
            fri: ["09:00-17:00"]}
  always: always
calendar: office
tell_in: office
contract: [contract]
pauses:
  waiting_for_customer:
    title: The customer was asked something
    stops: [first_response, next_response, resolution]
    until_customer_writes: true
  waiting_for_supplier: {title: A supplier acts first, stops: [resolution]}
targets:
  - name: gold
    because: They pay for it
    when: {contract: [gold]}
    first_response: {within: 1h, calendar: always}
  - name: urgent
    because: It is P1
    when: {band: [P1]}
    first_response: {within: 2h}
    resolution: {within: 8h}
  - {name: idle, because: Praise can wait, when: {band: [P4]}, resolution: none}
  - name: usual
    because: As always
    first_response: {within: 4h}
    next_response: {within: 4h}
    resolution: {within: 16h}
    loop_closed: {within: 8h}
"""
PLAIN = read_sla(POLICY)


def policy(name: str = "plain@1", *replacing: tuple[str, str]) -> SlaPolicy:
    """The plain policy under another name, with some of its text replaced."""
    text = POLICY.replace("plain@1", name)
    for old, new in replacing:
        assert old in text, old
        text = text.replace(old, new)
    return read_sla(text)


OUTCOME = {"number": 1, "root_cause": "c", "action": "a", "not_telling_because": None}


@dataclass
class Log:
    """An item's log that grows. Times are given as hours after Monday 9:00, or as instants."""

    events: list[ItemEvent] = field(default_factory=list)

    @classmethod
    def opened(cls, band: str = "P3", at: float | datetime = 0, **data: Any) -> "Log":
        when = _instant(at)
        face = {
            "feedback_id": "fb_1",
            "customer_id": "c-1",
            "opened_at": when.isoformat(),
            "severity": 40.0,
            "band": band,
            "entity": None,
            "title": "The invoice is wrong",
            "team": "operations",
            "domain": "operations",
            "category": "billing",
            "key": "k",
            "sla": "plain@1",
            "facts": facts(),
            "revision": 1,
        }
        return cls().add("opened", when, {**face, **data})

    def add(
        self,
        kind: EventKind,
        at: float | datetime,
        data: Mapping[str, Any] | None = None,
        *,
        actor: str = ROUTER,
        reason: str | None = None,
    ) -> "Log":
        sequence = len(self.events) + 1
        self.events.append(ItemEvent("it_1", sequence, kind, actor, _instant(at), reason, data or {}))
        return self

    def responded(self, at: float | datetime, waiting_for: str | None = None) -> "Log":
        return self.add("responded", at, _waiting(waiting_for), actor="ana")

    def paused(self, at: float | datetime, waiting_for: str) -> "Log":
        return self.add("paused", at, _waiting(waiting_for), actor="ana")

    def wrote(self, at: float | datetime, customer: str | None = "c-1", **data: Any) -> "Log":
        """One more feedback of a customer joins."""
        when = _instant(at)
        number = len(self.events) + 1
        face = {
            "feedback_id": f"fb_{number}",
            "customer_id": customer,
            "accepted_at": when.isoformat(),
            "severity": 30.0,
            "band": "P3",
            "entity": None,
            "facts": facts(),
            "revision": 1,
        }
        return self.add("feedback_joined", when, {**face, **data})

    def rescored(self, at: float | datetime, revision: int, feedback_id: str = "fb_1") -> "Log":
        weights = {"severity": 40.0, "band": "P3", "worst_severity": 40.0, "worst_band": "P3"}
        data = {"feedback_id": feedback_id, "revision": revision, "pass_number": 1, **weights}
        return self.add("feedback_rescored", at, data)

    def weighed(self, at: float | datetime, band: str) -> "Log":
        return self.add("reweighed", at, {"item_severity": 50.0, "item_band": band})

    def resolved(self, at: float | datetime, *, tell: bool = True) -> "Log":
        number = sum(e.kind == "resolved" for e in self.events) + 1
        said = {"tell_customer": "done" if tell else None, "not_telling_because": None if tell else "test"}
        return self.add("resolved", at, {**OUTCOME, **said, "number": number}, actor="ana")

    def reopened(self, at: float | datetime, *, by_customer: bool = False) -> "Log":
        return self.add(
            "reopened", at, {"loop_id": None, "comment": None}, actor=CUSTOMER if by_customer else "ana"
        )

    def pinned(self, at: float | datetime, name: str) -> "Log":
        return self.add("sla_pinned", at, {"sla": name, "from": None})

    @property
    def item(self) -> Item:
        return fold(self.events)

    def clocks(
        self, at: float | datetime, sla: SlaPolicy = PLAIN, before: Sequence[SlaPolicy] = ()
    ) -> dict[str, Clock]:
        """The last run of each clock at that time."""
        found = clocks_of(self.events, _instant(at), sla, {p.name: p for p in before})
        return {clock.kind: clock for clock in latest(found)}


def facts(**known: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("tier", "touchpoint", "channel", "region", "time_zone"))
    return {**nothing, "context": {}, **known}


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def _waiting(waiting_for: str | None) -> dict[str, Any]:
    if waiting_for is None:
        return {"waiting_for": None}
    state = PLAIN.pause_of(waiting_for)
    return {"waiting_for": waiting_for, "stops": list(state.stops), "until_customer": state.until_customer}


def _instant(at: float | datetime) -> datetime:
    return at if isinstance(at, datetime) else MONDAY + timedelta(hours=at)
