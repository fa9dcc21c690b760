"""Asking for a page of the backlog: filters, and the cursor that continues it. Pure."""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import datetime

import orjson

from heardback_shared.contracts.events import ItemState
from heardback_shared.contracts.score import Band

MAX_LIMIT = 200
CURSOR_LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class Filters:
    """None lets everything through; several states or bands mean any of them."""

    team: str | None = None
    assignee: str | None = None
    state: tuple[ItemState, ...] = ()
    band: tuple[Band, ...] = ()
    domain: str | None = None
    customer: str | None = None
    q: str | None = None

    @property
    def fingerprint(self) -> str:
        """Equal filters in whatever order have equal fingerprints."""
        parts = [
            self.team,
            self.assignee,
            sorted(set(self.state)),
            sorted(set(self.band)),
            self.domain,
            self.customer,
            self.q,
        ]
        return hashlib.sha256(orjson.dumps(parts)).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the order (severity falling, then age, then id) an item stands."""

    severity: float
    opened_at: datetime
    id: str


class CursorError(ValueError):
    """The cursor is not one of ours, or belongs to another question. The message says which."""


def spell(place: Place, filters: Filters) -> str:
    """A cursor that continues after this place, for these filters only."""
    parts = [filters.fingerprint, place.severity, place.opened_at.isoformat(), place.id]
    return base64.urlsafe_b64encode(orjson.dumps(parts)).rstrip(b"=").decode()


def read(cursor: str, filters: Filters) -> Place:
    """Raises CursorError."""
    if len(cursor) > CURSOR_LIMIT:
        raise CursorError("is not a cursor; send next_cursor of the page before, unchanged")
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        fingerprint, severity, opened_at, item_id = orjson.loads(
            base64.b64decode(padded, b"-_", validate=True)
        )
        place = Place(float(severity), datetime.fromisoformat(opened_at), str(item_id))
        if place.opened_at.tzinfo is None or "\x00" in place.id:
            raise ValueError("not as we wrote it")
    except (UnicodeEncodeError, binascii.Error, ValueError, TypeError) as error:
        raise CursorError("is not a cursor; send next_cursor of the page before, unchanged") from error
    if fingerprint != filters.fingerprint:
        raise CursorError("belongs to other filters; keep them as they were, or start without a cursor")
    return place
