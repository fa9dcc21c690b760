"""The fold: an item as it stands after its events."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from heardback_router.backlog import duties
from heardback_router.backlog.domain import (
    BY_MACHINE,
    EventKind,
    Item,
    ItemEvent,
    Outcome,
    Weight,
    heaviest,
    highest_tier,
)

ARRIVALS_KEPT = 50
_OUTCOME = ("number", "root_cause", "action", "tell_customer", "not_telling_because")


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
    return replace(after, **_weighed(event.data), **_changes(item, event))


def _opened(event: ItemEvent) -> Item:
    data = event.data
    customer = data["customer_id"]
    weight = Weight(data["severity"], data["band"])
    opened_at = datetime.fromisoformat(data["opened_at"])
    return Item(
        id=event.item_id,
        title=data["title"],
        team=data["team"],
        assignee=None,
        state="open",
        weight=weight,
        domain=data["domain"],
        category=data["category"],
        key=data["key"],
        entity=data["entity"],
        feedback_count=0 if data.get("parent_id") else 1,
        customers=(customer,) if customer else (),
        opened_at=opened_at,
        last_feedback_at=opened_at,
        updated_at=event.at,
        version=1,
        worst=weight,
        arrivals=(opened_at,),
        parent_id=data.get("parent_id"),
        case_id=data.get("case_id"),
        sla=data.get("sla"),
        tier=data.get("tier"),
        owner=data.get("owner"),
    )


def _weighed(data: Mapping[str, Any]) -> dict[str, Any]:
    """Any event may carry what the item weighs after it."""
    if "item_severity" not in data:
        return {}
    return {
        "weight": Weight(data["item_severity"], data["item_band"]),
        "contributions": tuple(data.get("item_contributions", ())),
    }


def _changes(item: Item, event: ItemEvent) -> dict[str, Any]:
    change = _CHANGES.get(event.kind)
    return change(item, event) if change else {}


def _counted(item: Item, **more: int) -> dict[str, Any]:
    counts = item.counts
    return {"counts": replace(counts, **{name: getattr(counts, name) + n for name, n in more.items()})}


def _resolved(item: Item, event: ItemEvent) -> dict[str, Any]:
    said = {name: event.data[name] for name in _OUTCOME}
    form, warnings = event.data.get("form", {}), tuple(event.data.get("warnings", ()))
    result, reference = event.data.get("result", "done"), event.data.get("reference")
    outcome = Outcome(
        **said,
        actor=event.actor,
        at=event.at,
        form=form,
        warnings=warnings,
        result=result,
        reference=reference,
        translations=event.data.get("translations", {}),
    )
    return {"state": "resolved", "resolution": outcome, "resolutions": outcome.number, "waiting_for": None}


def _reassigned(item: Item, event: ItemEvent) -> dict[str, Any]:
    nobody = {"assignee": None, "assigned_by": None, "owner": None}
    return {"team": event.data["team"], "state": "open", **nobody, **_counted(item, transfers=1)}


def _reopened(item: Item, event: ItemEvent) -> dict[str, Any]:
    asked = duties.criterion_asked_again(item.criterion)
    return {"state": "open", "resolution": None, "criterion": asked, **_counted(item, reopens=1)}


def _promised(item: Item, event: ItemEvent) -> dict[str, Any]:
    return {"promises": duties.promised(item.promises, event.data), **_counted(item, open_promises=1)}


def _promise_settled(item: Item, event: ItemEvent) -> dict[str, Any]:
    after = duties.promise_settled(item.promises, event.data)
    if event.data["outcome"] == "dismissed":
        return {"promises": after}
    broken = int(event.data["outcome"] == "broken")
    return {"promises": after, **_counted(item, open_promises=-1, broken_promises=broken)}


def _rescored(item: Item, event: ItemEvent) -> dict[str, Any]:
    data = event.data
    return {"worst": Weight(data["worst_severity"], data["worst_band"]), **data.get("follows", {})}


def _joined(item: Item, event: ItemEvent) -> dict[str, Any]:
    data = event.data
    customer = data["customer_id"]
    known = customer is None or customer in item.customers
    accepted_at = datetime.fromisoformat(data["accepted_at"])
    return {
        "worst": heaviest((item.worst, Weight(data["severity"], data["band"]))),
        "feedback_count": item.feedback_count + 1,
        "customers": item.customers if known else (*item.customers, customer),
        "entity": item.entity or data["entity"],
        "last_feedback_at": max(item.last_feedback_at, accepted_at),
        "arrivals": (*item.arrivals, accepted_at)[-ARRIVALS_KEPT:],
        "tier": highest_tier((item.tier, data.get("tier"))),
    }


def _regrouped(item: Item, event: ItemEvent) -> dict[str, Any]:
    """What the item holds after feedback was moved by a person: everything that depends on its feedback."""
    data = event.data
    return {
        "worst": Weight(data["worst_severity"], data["worst_band"]),
        "feedback_count": data["feedback_count"],
        "customers": tuple(data["customers"]),
        "last_feedback_at": datetime.fromisoformat(data["last_feedback_at"]),
        "arrivals": tuple(datetime.fromisoformat(at) for at in data["arrivals"]),
    }


_CHANGES: Mapping[EventKind, Callable[[Item, ItemEvent], dict[str, Any]]] = {
    "feedback_joined": _joined,
    "feedback_rescored": _rescored,
    "feedback_came": _regrouped,
    "feedback_left": _regrouped,
    "child_opened": lambda i, e: {"children": (*i.children, e.data["child_id"])},
    "merged": lambda _, e: {"state": "merged", "merged_into": e.data["into"], "waiting_for": None},
    "case_linked": lambda _, e: {"case_id": e.data["case_id"]},
    "size_alarmed": lambda i, e: {"alarmed": (*i.alarmed, e.data["alarm"])},
    "claimed": lambda _, e: {"assignee": e.data["assignee"], "assigned_by": "person"},
    "assigned": lambda _, e: {"assignee": e.data["assignee"], "assigned_by": "machine"},
    "released": lambda *_: {"assignee": None, "assigned_by": None, "state": "open"},
    "started": lambda *_: {"state": "in_progress"},
    "responded": lambda _, e: {"responded_at": e.at, "waiting_for": e.data.get("waiting_for")},
    "paused": lambda _, e: {"waiting_for": e.data["waiting_for"]},
    "resumed": lambda *_: {"waiting_for": None},
    "resolved": _resolved,
    "reopened": _reopened,
    "reassigned": _reassigned,
    "escalated": lambda i, _: _counted(i, escalations=1),
    "clock_breached": lambda i, _: _counted(i, breaches=1),
    "sla_pinned": lambda _, e: {"sla": e.data["sla"]},
    "promised": _promised,
    "promise_settled": _promise_settled,
    "corrected": _rescored,
    "flagged": lambda _, e: {"flag": e.data["flag"], "request": e.data.get("request")},
    "criterion_set": lambda _, e: {"criterion": duties.criterion_set(e.data, e.actor)},
    "criterion_settled": lambda i, e: {"criterion": duties.criterion_settled(i.criterion, e.data, e.actor)},
    "steps_chosen": lambda i, e: {"steps": duties.steps_chosen(i.steps, e.data)},
    "step_settled": lambda i, e: {"steps": duties.step_settled(i.steps, e.data, e.actor)},
    "deviated": lambda i, e: {"steps": duties.deviated(i.steps, e.data)},
    "time_logged": lambda i, e: _counted(i, minutes=e.data["minutes"]),
    "closed": lambda *_: {"state": "closed"},
}
"""What each kind changes in the item; kinds that are not here only stand in the log."""
