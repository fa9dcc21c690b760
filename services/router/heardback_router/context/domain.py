"""What of a customer is shown to whom, and how fresh it is. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SENSITIVE = frozenset({"lifetime_value", "currency", "renewal_date", "owner", "segment"})
"""What a customer is worth and to whom: only for who may read customers."""
PROFILE = (
    "tier",
    "segment",
    "lifetime_value",
    "currency",
    "renewal_date",
    "since",
    "region",
    "language",
    "time_zone",
    "owner",
)
CONFIRMED = frozenset({"tier", "lifetime_value", "renewal_date"})
"""The fields whose last confirmation the snapshot itself dates."""
SCOPE = "customers:read"


@dataclass(frozen=True, slots=True)
class Fact:
    """One field of the profile. `as_of` is when it was known to be so; a masked one has no value."""

    value: Any
    as_of: str | None
    masked: bool


def profile_of(snapshot: Mapping[str, Any] | None, may_read_customers: bool) -> dict[str, Fact]:
    """Field by field, what is known. `snapshot` is the latest that came with the customer's feedback."""
    if snapshot is None:
        return {}
    taken, confirmed = snapshot.get("taken_at"), snapshot.get("profile_at")
    facts = {}
    for name in PROFILE:
        value = snapshot.get(name)
        if value is None:
            continue
        as_of = confirmed or taken if name in CONFIRMED else taken
        masked = name in SENSITIVE and not may_read_customers
        facts[name] = Fact(None if masked else value, as_of, masked)
    return facts
