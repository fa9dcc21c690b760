"""Asking for a page of the backlog: filters, order, and the cursor that continues it. Pure."""

import base64
import binascii
import hashlib
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any, Literal

import orjson

from heardback_shared.contracts.events import ItemState
from heardback_shared.contracts.score import Band

MAX_LIMIT = 200
CURSOR_LIMIT = 1_000
Sort = Literal["severity", "due"]


@dataclass(frozen=True, slots=True)
class Filters:
    """None lets everything through; several states or bands mean any of them.

    `waiting` is what the item waits for, or "any" or "none"; `unassigned` True wants those nobody has taken,
    False those somebody has; `due_before` those with a clock that runs out before then. `sort` None is by
    severity.
    """

    team: str | None = None
    assignee: str | None = None
    state: tuple[ItemState, ...] = ()
    band: tuple[Band, ...] = ()
    domain: str | None = None
    customer: str | None = None
    q: str | None = None
    flag: str | None = None
    waiting: str | None = None
    parent: str | None = None
    case: str | None = None
    due_before: datetime | None = None
    unassigned: bool | None = None
    sort: Sort | None = None

    @property
    def fingerprint(self) -> str:
        """Equal filters in whatever order have equal fingerprints."""
        given = asdict(self)
        parts = [sorted(set(value)) if isinstance(value, tuple) else value for value in given.values()]
        return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_UTC_Z)).hexdigest()[:16]

    def over(self, view: "Filters") -> "Filters":
        """These, and the view's where these say nothing."""
        given: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(view, **{name: value for name, value in given.items() if value not in (None, ())})


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the order an item stands; `due_at` counts only where the list is sorted by it."""

    severity: float
    opened_at: datetime
    id: str
    due_at: datetime | None = None


class CursorError(ValueError):
    """The cursor is not one of ours, or belongs to another question. The message says which."""


def spell(place: Place, filters: Filters) -> str:
    """A cursor that continues after this place, for these filters only."""
    due = place.due_at.isoformat() if place.due_at else None
    parts = [filters.fingerprint, place.severity, place.opened_at.isoformat(), place.id, due]
    return base64.urlsafe_b64encode(orjson.dumps(parts)).rstrip(b"=").decode()


def read(cursor: str, filters: Filters) -> Place:
    """Raises CursorError."""
    if len(cursor) > CURSOR_LIMIT:
        raise CursorError("is not a cursor; send next_cursor of the page before, unchanged")
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        fingerprint, severity, opened_at, item_id, due = orjson.loads(
            base64.b64decode(padded, b"-_", validate=True)
        )
        due_at = datetime.fromisoformat(due) if due is not None else None
        place = Place(float(severity), datetime.fromisoformat(opened_at), str(item_id), due_at)
        naive = place.opened_at.tzinfo is None or (due_at is not None and due_at.tzinfo is None)
        if naive or "\x00" in place.id:
            raise ValueError("not as we wrote it")
    except (UnicodeEncodeError, binascii.Error, ValueError, TypeError) as error:
        raise CursorError("is not a cursor; send next_cursor of the page before, unchanged") from error
    if fingerprint != filters.fingerprint:
        raise CursorError("belongs to other filters; keep them as they were, or start without a cursor")
    return place
