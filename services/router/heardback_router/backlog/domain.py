"""Items and their event log. An item is the fold of its events; the stored row is a copy of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from heardback_router.wording import CustomerText
from heardback_shared.contracts.events import ItemState
from heardback_shared.contracts.score import Band

EventKind = Literal[
    "opened",
    "feedback_joined",
    "feedback_rescored",
    "claimed",
    "started",
    "commented",
    "resolved",
    "reopened",
    "reassigned",
    "closed",
]
ROUTER = "router"
"""The actor of everything no person did."""

CUSTOMER = "customer"
"""The actor of what a customer does through a loop link."""

BY_MACHINE: frozenset[EventKind] = frozenset({"opened", "feedback_joined", "feedback_rescored"})
BAND_ORDER: tuple[Band, ...] = ("P1", "P2", "P3", "P4")


@dataclass(frozen=True, slots=True)
class Weight:
    """How much one feedback, or an item, hurts the relationship: 0–100 and its band."""

    score: float
    band: Band


def heaviest(weights: Iterable[Weight]) -> Weight:
    """An item weighs as much as its heaviest feedback; of equal scores, the more urgent band counts."""
    return max(weights, key=lambda w: (w.score, -BAND_ORDER.index(w.band)))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an item was resolved. Either the customer is told something, or it says why not."""

    number: int
    root_cause: str
    action: str
    tell_customer: str | None
    not_telling_because: str | None
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LinkedCustomer:
    """One customer's stake in an item. `customer_id` is None for a feedback that named nobody."""

    customer_id: str | None
    feedback_ids: tuple[str, ...]
    channel: str | None


@dataclass(frozen=True)
class Resolution:
    """A resolved item as those see it who tell the customers. `resolution_number` counts 1, 2, … per item."""

    item_id: str
    title: str
    resolution_number: int
    root_cause: str
    action: str
    tell_customer: CustomerText | None
    not_telling_because: str | None
    linked: tuple[LinkedCustomer, ...]
    actor: str


@dataclass(frozen=True, slots=True)
class Item:
    """One problem in one team's backlog. The team is never empty; a person is a separate field.

    `key` and `entity` say what the item is about for grouping; `touched` is true once a person did something,
    from when on no machine moves it to another team.
    """

    id: str
    title: str
    team: str
    assignee: str | None
    state: ItemState
    weight: Weight
    domain: str | None
    category: str | None
    key: str | None
    entity: str | None
    feedback_count: int
    customers: tuple[str, ...]
    opened_at: datetime
    last_feedback_at: datetime
    updated_at: datetime
    version: int
    touched: bool = False
    resolution: Outcome | None = None
    resolutions: int = 0

    @property
    def accepts_feedback(self) -> bool:
        return self.state in {"open", "in_progress"}

    @property
    def follows_its_feedback(self) -> bool:
        """True while a better reading of its only feedback may still move the whole item."""
        return self.feedback_count == 1 and not self.touched and self.state == "open"


@dataclass(frozen=True, slots=True)
class ItemEvent:
    """One entry of an item's log. `data` is JSON; what it holds depends on the kind."""

    item_id: str
    sequence: int
    kind: EventKind
    actor: str
    at: datetime
    reason: str | None
    data: Mapping[str, Any]


class BrokenLogError(Exception):
    """The log of an item does not start with `opened`, or has a gap."""


def fold(events: Iterable[ItemEvent]) -> Item:
    """The item as it stands after these events, given in order. Raises BrokenLogError."""
    item: Item | None = None
    for event in events:
        item = apply(item, event)
    if item is None:
        raise BrokenLogError("an empty log is no item")
    return item


def apply(item: Item | None, event: ItemEvent) -> Item:
    """The item after one more event. Raises BrokenLogError."""
    if item is None:
        if event.kind != "opened" or event.sequence != 1:
            raise BrokenLogError(f"the log of {event.item_id} starts with {event.kind} {event.sequence}")
        return _opened(event)
    if event.kind == "opened" or event.sequence != item.version + 1:
        raise BrokenLogError(
            f"{event.kind} {event.sequence} cannot follow version {item.version} of {item.id}"
        )
    after = replace(
        item,
        version=event.sequence,
        updated_at=event.at,
        touched=item.touched or event.kind not in BY_MACHINE,
    )
    return replace(after, **_changes(item, event))


def _opened(event: ItemEvent) -> Item:
    data = event.data
    customer = data["customer_id"]
    return Item(
        id=event.item_id,
        title=data["title"],
        team=data["team"],
        assignee=None,
        state="open",
        weight=Weight(data["severity"], data["band"]),
        domain=data["domain"],
        category=data["category"],
        key=data["key"],
        entity=data["entity"],
        feedback_count=1,
        customers=(customer,) if customer else (),
        opened_at=datetime.fromisoformat(data["opened_at"]),
        last_feedback_at=datetime.fromisoformat(data["opened_at"]),
        updated_at=event.at,
        version=1,
    )


def _changes(item: Item, event: ItemEvent) -> dict[str, Any]:
    data = event.data
    changes: dict[str, Any] = {}
    match event.kind:
        case "feedback_joined":
            changes = _joined(item, data)
        case "feedback_rescored":
            changes = {"weight": Weight(data["item_severity"], data["item_band"]), **data.get("follows", {})}
        case "claimed":
            changes = {"assignee": data["assignee"]}
        case "started":
            changes = {"state": "in_progress"}
        case "resolved":
            outcome = Outcome(**data, actor=event.actor, at=event.at)
            changes = {"state": "resolved", "resolution": outcome, "resolutions": outcome.number}
        case "reopened":
            changes = {"state": "open", "resolution": None}
        case "reassigned":
            changes = {"team": data["team"], "assignee": None, "state": "open"}
        case "closed":
            changes = {"state": "closed"}
        case "opened" | "commented":
            pass
    return changes


def _joined(item: Item, data: Mapping[str, Any]) -> dict[str, Any]:
    customer = data["customer_id"]
    known = customer is None or customer in item.customers
    return {
        "weight": Weight(data["item_severity"], data["item_band"]),
        "feedback_count": item.feedback_count + 1,
        "customers": item.customers if known else (*item.customers, customer),
        "entity": item.entity or data["entity"],
        "last_feedback_at": max(item.last_feedback_at, datetime.fromisoformat(data["accepted_at"])),
    }
