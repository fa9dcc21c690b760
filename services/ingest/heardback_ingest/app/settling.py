"""Settle the class of customers: by what was told, by the rules in force, and by what is still open."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.customer_ports import Policies, Profiles, classes_of
from heardback_ingest.domain.classes import (
    ClassesPolicy,
    Standing,
    counts_differently,
    record_of,
    settle,
    standing_in,
)
from heardback_ingest.domain.customer import usable

Known = Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any] | None]]
"""By customer: the facts that are not personal, and the class as it was settled before."""


class SettleClasses:
    def __init__(self, profiles: Profiles, policies: Policies) -> None:
        self._profiles = profiles
        self._policies = policies

    async def of_changed(
        self, c: AsyncConnection, tenant_id: str, known: Known, now: datetime
    ) -> dict[str, dict[str, Any]]:
        """The settled class of each, to be stored with the customer. Every change of it leaves a record with
        what it was decided from."""
        policy = await classes_of(self._policies, c, tenant_id)
        settled = await self.by(policy, c, tenant_id, known, now)
        records = {i: record_of(after) for i, (_, after, _) in settled.items()}
        changes = [
            (i, records[i] | {"inputs": _inputs(known[i][0], history, policy, now)})
            for i, (before, after, history) in settled.items()
            if counts_differently(before, after)
        ]
        if changes:
            await self._profiles.note_class(c, tenant_id, changes, now)
        return records

    async def by(
        self, policy: ClassesPolicy, c: AsyncConnection, tenant_id: str, known: Known, now: datetime
    ) -> dict[str, tuple[Standing | None, Standing, Mapping[str, int]]]:
        """(before, after, history) of each by any policy; keeps nothing."""
        history = await self._profiles.history(c, tenant_id, sorted(known), now)
        result: dict[str, tuple[Standing | None, Standing, Mapping[str, int]]] = {}
        for customer_id, (facts, record) in known.items():
            before, past = standing_in(record), history.get(customer_id, {})
            result[customer_id] = (before, settle(before, facts, past, policy, now), past)
        return result


def _inputs(
    facts: Mapping[str, Any], history: Mapping[str, int], policy: ClassesPolicy, now: datetime
) -> dict[str, Any]:
    """What the class was decided from: enough to decide it again."""
    wanted = sorted({c.field for r in policy.rules for c in r.when} | {"tier", "segment", "currency"})
    known = usable({n: facts[n] for n in wanted if n in facts}, policy.ages, now)
    return {
        "facts": {n: facts[n] for n in wanted if n in facts},
        "history": dict(history),
        "stale": sorted(known.stale),
    }
