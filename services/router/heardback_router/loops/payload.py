"""What a receiver is sent: Standard Webhooks body, thin, and no text but the one written for the customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from heardback_router.loops.domain import LoopPlan
from heardback_router.wording import CustomerText

MAX_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a feedback came from, in the words of the platform that posted it."""

    feedback_id: str
    source: str
    external_id: str


@dataclass(frozen=True, slots=True)
class Links:
    """`view` is safe to open; the two others change something and take POST only."""

    view: str
    confirm: str
    dispute: str
    expires_at: datetime


def links(public_url: str, token: str, expires_at: datetime) -> Links:
    base = f"{public_url.rstrip('/')}/v1/loops/{token}"
    return Links(base, f"{base}:confirm", f"{base}:dispute", expires_at)


def loop_told(
    plan: LoopPlan, item_id: str, message: CustomerText, origins: Sequence[Origin], to: Links, at: datetime
) -> bytes:
    """The body of `loop.told`, under 20 kB in UTF-8; of many feedbacks only as many are named as fit."""
    named = list(origins)
    while True:
        body = _render(plan, item_id, message, named, len(origins), to, at)
        if len(body) < MAX_BYTES or not named:
            return body
        named = named[: len(named) // 2]


def _render(
    plan: LoopPlan,
    item_id: str,
    message: CustomerText,
    named: Sequence[Origin],
    count: int,
    to: Links,
    at: datetime,
) -> bytes:
    data = {
        "loop_id": plan.loop_id,
        "item_id": item_id,
        "customer_id": plan.customer_id,
        "channel": plan.channel,
        "feedback": [{"id": o.feedback_id, "source": o.source, "external_id": o.external_id} for o in named],
        "feedback_count": count,
        "message": message.text,
        "view_url": to.view,
        "confirm_url": to.confirm,
        "dispute_url": to.dispute,
        "expires_at": _instant(to.expires_at),
    }
    return orjson.dumps({"type": "loop.told", "timestamp": _instant(at), "data": data})


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
