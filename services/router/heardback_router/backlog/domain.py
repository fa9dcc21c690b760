"""Items and their event log. An item is the fold of its events; the stored row is a copy of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from heardback_router.backlog.duties import Criterion, Promise, Step
from heardback_router.messages.domain import Result
from heardback_router.wording import CustomerText, Translations
from heardback_shared.contracts.customer import Tier
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
    "feedback_came",
    "feedback_left",
    "merged",
    "case_linked",
    "size_alarmed",
    "child_opened",
    "assigned",
    "released",
    "escalated",
    "responded",
    "paused",
    "resumed",
    "clock_warned",
    "clock_breached",
    "sla_pinned",
    "loops_settled",
    "reweighed",
    "corrected",
    "criterion_set",
    "criterion_settled",
    "flagged",
    "promised",
    "promise_settled",
    "delay_foreseen",
    "steps_chosen",
    "step_settled",
    "deviated",
    "time_logged",
]
ROUTER = "router"
"""The actor of everything no person did."""

CUSTOMER = "customer"
"""The actor of what a customer does through a loop link."""

BY_MACHINE: frozenset[EventKind] = frozenset(
    {
        "opened",
        "feedback_joined",
        "feedback_rescored",
        "case_linked",
        "size_alarmed",
        "child_opened",
        "assigned",
        "released",
        "escalated",
        "clock_warned",
        "clock_breached",
        "sla_pinned",
        "loops_settled",
        "delay_foreseen",
        "steps_chosen",
    }
)
"""What leaves an item untouched by people."""

TIER_ORDER: tuple[Tier, ...] = ("strategic", "key", "standard")


def highest_tier(tiers: Iterable[Tier | None]) -> Tier | None:
    known = [tier for tier in tiers if tier is not None]
    return min(known, key=TIER_ORDER.index, default=None)


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
class Counts:
    """What happened to an item how often. `open_promises` are given and neither kept nor broken yet;
    `minutes` were logged as spent on it."""

    transfers: int = 0
    reopens: int = 0
    escalations: int = 0
    breaches: int = 0
    open_promises: int = 0
    broken_promises: int = 0
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an item was resolved. Either the customer is told something, or it says why not.

    `form` is the filled resolution form of the item's domain; `warnings` are what was found in the text for
    the customer, each with `rule` and `detail`. `reference` is what a customer may quote, `translations` are
    `tell_customer` in other languages.
    """

    number: int
    root_cause: str
    action: str
    tell_customer: str | None
    not_telling_because: str | None
    actor: str
    at: datetime
    form: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[Mapping[str, str], ...] = ()
    result: Result = "done"
    reference: str | None = None
    translations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LinkedCustomer:
    """One customer's stake in an item. `customer_id` is None for a feedback that named nobody."""

    customer_id: str | None
    feedback_ids: tuple[str, ...]
    channel: str | None


@dataclass(frozen=True)
class Resolution:
    """A resolved item as those see it who tell the customers. `resolution_number` counts 1, 2, … per item.

    `not_telling_because` is a colleague's own words, unless `not_telling_code` says that it is the machine's.
    `change_id` is that of the record of what was changed, `on` the day of the change; None: today.
    `promises`: the text promises customers something that is not on record.
    """

    item_id: str
    title: str
    resolution_number: int
    root_cause: str
    action: str
    tell_customer: CustomerText | None
    not_telling_because: str | None
    linked: tuple[LinkedCustomer, ...]
    actor: str
    result: Result = "done"
    change_id: str = ""
    reference: str | None = None
    on: date | None = None
    band: Band = "P4"
    domain: str | None = None
    category: str | None = None
    not_telling_code: str | None = None
    translations: Translations = ()
    promises: bool = False

    @property
    def about(self) -> str | None:
        return f"{self.domain}/{self.category}" if self.domain and self.category else self.domain


@dataclass(frozen=True, slots=True)
class Item:
    """One problem in one team's backlog. The team is never empty; a person is a separate field.

    `key` and `entity` say what the item is about for grouping; `touched` is true once a person did something,
    from when on no machine moves it to another team. `worst` is its heaviest feedback, `weight` the item's
    own, and `contributions` say how the one became the other; `arrivals` are when its latest feedbacks were
    accepted.
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
    worst: Weight = Weight(0.0, "P4")
    contributions: tuple[Mapping[str, Any], ...] = ()
    arrivals: tuple[datetime, ...] = ()
    counts: Counts = Counts()
    parent_id: str | None = None
    """The accountable item of which this is one domain's share of the work."""
    case_id: str | None = None
    """Items of one customer about one matter that came over several channels."""
    merged_into: str | None = None
    assigned_by: Literal["person", "machine"] | None = None
    waiting_for: str | None = None
    """Why its clocks are paused."""
    responded_at: datetime | None = None
    sla: str | None = None
    """The clock policy pinned to it, name@version."""
    flag: Literal["standard", "custom"] | None = None
    tier: Tier | None = None
    """The highest of the customers behind it, as their snapshots said."""
    owner: str | None = None
    """The person who looks after the customer's account, where routing wants the item to be theirs."""
    children: tuple[str, ...] = ()
    """The items that hold other domains' shares of its work."""
    request: str | None = None
    """What a custom one asks for, in a word or two that recur: `split-invoices`."""
    criterion: Criterion | None = None
    promises: tuple[Promise, ...] = ()
    steps: tuple[Step, ...] = ()
    alarmed: tuple[str, ...] = ()
    """The size alarms that have rung."""

    @property
    def accepts_feedback(self) -> bool:
        return self.parent_id is None and self.state in {"open", "in_progress"}

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
