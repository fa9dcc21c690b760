"""Accounts in a tree, and to which account a customer belongs at a moment. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

DEEPEST = 20
"""Levels of accounts, the topmost counted."""


@dataclass(frozen=True, slots=True)
class Membership:
    """From `from_at` on, until a later one, the customer belongs to the account; None: to none."""

    customer_id: str
    from_at: datetime
    account_id: str | None


def account_at(memberships: Sequence[Membership], at: datetime) -> str | None:
    """Of one customer, in any order."""
    begun = [m for m in memberships if m.from_at <= at]
    return max(begun, key=lambda m: m.from_at).account_id if begun else None


def lineage(account_id: str, parents: Mapping[str, str | None]) -> tuple[str, ...]:
    """The account, its parent, and so on to the topmost. Stops where it meets an account again."""
    found: list[str] = []
    at: str | None = account_id
    while at is not None and at not in found:
        found.append(at)
        at = parents.get(at)
    return tuple(found)


def makes_a_circle(account_id: str, parent_id: str, parents: Mapping[str, str | None]) -> bool:
    """Whether the account would be above itself with this parent."""
    return account_id in lineage(parent_id, parents)
