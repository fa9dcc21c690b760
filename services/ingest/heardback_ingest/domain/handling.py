"""How one customer is to be treated: handling notes for colleagues, and contracts by version. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from heardback_ingest.domain.classes import ClassesPolicy


@dataclass(frozen=True, slots=True)
class ContractVersion:
    """One version of a contract, as agreed. An amendment is a further version; none is ever changed."""

    number: str
    version: int
    effective_from: datetime
    effective_to: datetime | None
    terms: dict[str, Any]
    actor: str
    at: datetime

    @property
    def name(self) -> str:
        return f"{self.number}@{self.version}"

    def covers(self, at: datetime) -> bool:
        return self.effective_from <= at and (self.effective_to is None or at < self.effective_to)


def in_force(versions: Sequence[ContractVersion], at: datetime) -> ContractVersion | None:
    """The version that holds at a moment: of those that cover it the one that began last, and of two that
    began together the later version. A temporary amendment gives way to the earlier one when it ends."""
    covering = [v for v in versions if v.covers(at)]
    return max(covering, key=lambda v: (v.effective_from, v.version)) if covering else None


def missing(policy: ClassesPolicy, tier: str | None, known: Collection[str]) -> tuple[str, ...]:
    """What should be known of a customer of this tier and is not, in the order of the policy."""
    return tuple(part for part in policy.required.get(tier or "", ()) if part not in known)
