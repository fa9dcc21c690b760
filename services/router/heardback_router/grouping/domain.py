"""Which feedbacks are about the same problem. First version: the same customer, the same matter, lately."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from heardback_router.backlog.domain import Item

UNCLEAR = "unclear"
_SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class GroupingPolicy:
    """`entities` are context fields that name the thing a feedback is about, the most telling first."""

    name: str
    window: timedelta
    entities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Matter:
    """What a feedback is about. `cause` is the root cause path, None when unclear."""

    customer_id: str | None
    cause: str | None
    entity: str | None

    @property
    def key(self) -> str | None:
        """Feedbacks with unequal keys never share an item. None: nobody to share with."""
        if self.customer_id is None:
            return None
        return f"{self.customer_id}{_SEPARATOR}{self.cause or UNCLEAR}"


@dataclass(frozen=True, slots=True)
class Join:
    item_id: str
    because: str


@dataclass(frozen=True, slots=True)
class Alone:
    because: str


def entity_of(context: dict[str, object], policy: GroupingPolicy) -> str | None:
    """`field=value` of the first entity field the context fills."""
    for name in policy.entities:
        value = context.get(name)
        if value not in (None, ""):
            return f"{name}={value}"
    return None


def group(matter: Matter, at: datetime, items: Iterable[Item], policy: GroupingPolicy) -> Join | Alone:
    """The item this feedback joins, or why it opens its own. Of several, the one that heard last."""
    if matter.key is None:
        return Alone("the feedback names no customer")
    fitting = [item for item in items if _fits(matter, at, item, policy)]
    if not fitting:
        if matter.cause is None and matter.entity is None:
            return Alone("the root cause is unclear and nothing else says what it is about")
        return Alone("this customer has no open item about the same matter")
    item = max(fitting, key=lambda i: (i.last_feedback_at, i.id))
    about = f"about {matter.cause}" if matter.cause else "with an unclear root cause"
    same = f", both naming {matter.entity}" if matter.entity and matter.entity == item.entity else ""
    days = policy.window.days
    return Join(item.id, f"same customer, {about}{same}, within {days} days, and the item is not resolved")


def _fits(matter: Matter, at: datetime, item: Item, policy: GroupingPolicy) -> bool:
    if item.key != matter.key or not item.accepts_feedback:
        return False
    if abs(at - item.last_feedback_at) > policy.window:
        return False
    if matter.cause is None:
        # Unclear is not a matter of its own: only the thing it names can tie it to an item.
        return matter.entity is not None and matter.entity == item.entity
    return matter.entity is None or item.entity is None or matter.entity == item.entity
