"""What a decision was made from, as it is kept with it, and back: same facts, same answer. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, time
from typing import Any

from heardback_shared.contact.domain import Ask, QuietHours, Recipient, Touch

LATEST = 50
"""So many touches are kept with a decision; no cap is near that."""


def to_plain(
    recipient: Recipient, ask: Ask, touches: Sequence[Touch], rules: str, stopped: str | None, at: datetime
) -> dict[str, Any]:
    """`rules` is the name of the version of the contact policy."""
    return {
        "rules": rules,
        "at": at.isoformat(),
        "stopped": stopped,
        "ask": asdict(ask),
        "recipient": _recipient(recipient),
        "touches": [
            {"id": t.id, "purpose": t.purpose, "channel": t.channel, "automatic": t.automatic}
            | {"at": t.at.isoformat()}
            for t in touches[-LATEST:]
        ],
    }


def from_plain(kept: Mapping[str, Any]) -> tuple[Recipient, Ask, list[Touch], str | None, datetime]:
    """What `verdict` takes, but for the rules, which are named by `kept["rules"]`."""
    person = kept["recipient"]
    quiet = person["quiet"]
    recipient = Recipient(
        customer_id=person["customer_id"],
        person_id=person["person_id"],
        channels=tuple(person["channels"]),
        time_zone=person["time_zone"],
        quiet=QuietHours(*(time.fromisoformat(edge) for edge in quiet)) if quiet else None,
        digest=person["digest"],
        refused=frozenset(person["refused"]),
        refused_items=frozenset(person["refused_items"]),
        held_because=person["held_because"],
        inferred=frozenset(person["inferred"]),
    )
    touches = [
        Touch(t["id"], recipient.person_id, t["purpose"], t["channel"], t["automatic"], _instant(t["at"]))
        for t in kept["touches"]
    ]
    return recipient, Ask(**kept["ask"]), touches, kept["stopped"], _instant(kept["at"])


def _recipient(recipient: Recipient) -> dict[str, Any]:
    """Only what a verdict looks at."""
    quiet = recipient.quiet
    return {
        "customer_id": recipient.customer_id,
        "person_id": recipient.person_id,
        "channels": list(recipient.channels),
        "time_zone": recipient.time_zone,
        "quiet": [quiet.start.isoformat(), quiet.end.isoformat()] if quiet else None,
        "digest": recipient.digest,
        "refused": sorted(recipient.refused),
        "refused_items": sorted(recipient.refused_items),
        "held_because": recipient.held_because,
        "inferred": sorted(recipient.inferred),
    }


def _instant(kept: str) -> datetime:
    return datetime.fromisoformat(kept)
