"""Samples of what is posted, and of what the other services answer."""

from datetime import datetime
from typing import Any

import orjson

from heardback_shared.contracts.envelope import Envelope
from heardback_shared.contracts.events import FEEDBACK_ROUTED
from heardback_shared.stream.ports import Incoming, Record
from tests.support.clock import NOON


def survey(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A survey answer as posted."""
    return {
        "source": "forms",
        "external_id": f"r-{number}",
        "revision": 1,
        "customer": {"id": f"c-{number}"},
        "touchpoint": "delivery",
        "channel": "email",
        "metric": {"kind": "nps", "value": 2, "min": 0, "max": 10, "direction": "higher_is_better"},
        "comment": "The delivery was late again and nobody told me.",
        "language": "en",
        "answered_at": "2026-11-22T10:00:00Z",
        "context": {"order": "A-1", "region": "EU"},
    } | fields


def transcript(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A support conversation as posted."""
    return {
        "source": "desk",
        "external_id": f"conv-{number}",
        "customer": {"id": f"c-{number}"},
        "channel": "chat",
        "turns": [
            {
                "role": "customer",
                "text": "My parcel is lost.",
                "at": "2026-11-22T09:00:00Z",
                "speaker": "Ada",
            },
            {"role": "agent", "text": "I am sorry, let me look."},
        ],
        "resolution": "unresolved",
    } | fields


def score(status: str = "scored") -> dict[str, Any]:
    return {
        "status": status,
        "severity": {"score": 60, "band": "P2", "contributions": [], "policy": "default@1"},
        "handover": {"now": False, "because": "calm"},
        "language": {"code": "en", "confidence": 0.99},
        "taxonomy": "t@1",
    }


def incoming(
    event_type: str,
    data: dict[str, Any] | bytes,
    *,
    tenant: str | None = "default",
    event_id: str = "ev_test",
    topic: str = "test",
    offset: int = 0,
) -> Incoming:
    raw = data if isinstance(data, bytes) else orjson.dumps(data)
    event = Envelope(event_id, "/test", event_type, raw, time=NOON, tenant_id=tenant)
    return Incoming(Record(topic, 0, offset, b"k", raw, (("ce_id", event_id.encode()),)), event)


def routed(
    feedback_id: str,
    *,
    revision: int = 1,
    pass_number: int = 1,
    status: str = "scored",
    item: str = "it_1",
    team: str = "logistics",
    at: datetime = NOON,
    tenant: str = "default",
    **fields: Any,
) -> Incoming:
    data = {
        "feedback_id": feedback_id,
        "revision": revision,
        "pass_number": pass_number,
        "item": {"id": item, "team": team},
        "score": score(status),
        "scored_at": at.isoformat(),
        "routed_at": at.isoformat(),
    } | fields
    event_id = f"ev_{feedback_id}_{revision}_{pass_number}"
    return incoming(FEEDBACK_ROUTED, data, tenant=tenant, event_id=event_id)
