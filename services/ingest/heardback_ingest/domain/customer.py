"""What is known of a customer: each fact with who said it and when. Newer beats older, fact by fact."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

SNAPSHOT = (
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
"""Facts that ride on events. Nothing here names or reaches the person."""

PROFILE = ("tier", "lifetime_value", "renewal_date")
"""Facts that say what is at stake; an old telling of them counts less."""

PERSONAL = ("name", "email", "phone")
"""Facts that are kept encrypted under the customer's data key."""

Facts = dict[str, dict[str, Any]]
"""{field: {"value", "source", "at"}}, with `at` in ISO 8601."""


def merged(
    known: Mapping[str, Mapping[str, Any]], told: Mapping[str, Any], source: str, at: datetime
) -> Facts:
    """The facts after `source` told some as of `at`. An older telling never replaces a newer one; of two at
    the same moment the later told wins."""
    result = {name: dict(fact) for name, fact in known.items()}
    for name, value in told.items():
        earlier = result.get(name)
        if earlier is None or datetime.fromisoformat(earlier["at"]) <= at:
            result[name] = {"value": value, "source": source, "at": at.isoformat()}
    return result


def snapshot_fields(facts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The facts that ride on events, and `profile_at`: when a source last told one of those that severity
    weighs. None of them known: no `profile_at`."""
    known = {name: facts[name] for name in SNAPSHOT if name in facts and facts[name]["value"] is not None}
    fields = {name: fact["value"] for name, fact in known.items()}
    told = [datetime.fromisoformat(known[name]["at"]) for name in PROFILE if name in known]
    return fields | {"profile_at": max(told)} if told else fields
