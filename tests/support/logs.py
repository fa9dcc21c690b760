"""Logs of items written by hand, one entry a minute."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from heardback_router.backlog.domain import EventKind, Item, ItemEvent
from heardback_router.backlog.fold import fold
from tests.support.clock import NOON


def opened(at: datetime = NOON, **data: Any) -> ItemEvent:
    """The first entry of `it_1`: c-1 said something of severity 60 about billing."""
    said = {
        "feedback_id": "fb_1",
        "customer_id": "c-1",
        "opened_at": at.isoformat(),
        "severity": 60.0,
        "band": "P2",
        "entity": None,
        "title": "The invoice is wrong",
        "team": "operations",
        "domain": "operations",
        "category": "billing",
        "key": "k",
    }
    return ItemEvent("it_1", 1, "opened", "router", at, "operations owns it", {**said, **data})


def logged(*entries: tuple[EventKind, Mapping[str, Any]]) -> Item:
    """The item after these entries."""
    return fold(log_of(*entries))


def log_of(*entries: tuple[EventKind, Mapping[str, Any]]) -> list[ItemEvent]:
    log = [opened()]
    for kind, data in entries:
        at = NOON + timedelta(minutes=len(log))
        log.append(ItemEvent("it_1", len(log) + 1, kind, "ana", at, None, data))
    return log
