"""Feedback that a person put into another item, told to whoever follows `feedback.routed`."""

from collections.abc import Iterable
from datetime import datetime

import orjson
from sqlalchemy import RowMapping

from heardback_router.backlog.announce import SOURCE
from heardback_router.backlog.domain import Item
from heardback_shared.contracts.envelope import Envelope
from heardback_shared.contracts.events import FEEDBACK_ROUTED
from heardback_shared.contracts.topics import ROUTED
from heardback_shared.ids import derived_id
from heardback_shared.stream.ports import Outgoing


def moved(
    tenant_id: str, rows: Iterable[RowMapping], item: Item, at: datetime, traceparent: str | None
) -> list[Outgoing]:
    """The answer to each feedback again, with the item it is in now; the ledger takes the latest."""
    return [
        Outgoing(
            ROUTED.name,
            Envelope(
                id=derived_id("ev", "moved", tenant_id, row["feedback_id"], item.id, item.version),
                source=SOURCE,
                type=FEEDBACK_ROUTED,
                data=_data(row, item, at),
                time=at,
                subject=row["feedback_id"],
                tenant_id=tenant_id,
                key=f"{tenant_id}:{row['customer_id'] or row['feedback_id']}",
                traceparent=traceparent,
            ),
        )
        for row in rows
    ]


def _data(row: RowMapping, item: Item, at: datetime) -> bytes:
    return orjson.dumps(
        {
            "feedback_id": row["feedback_id"],
            "revision": row["revision"],
            "pass_number": row["pass_number"],
            "item": {"id": item.id, "team": item.team},
            "score": orjson.Fragment(row["score"]),
            "scored_at": row["scored_at"],
            "routed_at": at,
        },
        option=orjson.OPT_UTC_Z,
    )
