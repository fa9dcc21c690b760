"""How far the messages of a campaign are, from where outreach keeps them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.campaigns.domain import Campaign

_COUNTS = text("""
SELECT state, coalesce(code, '') AS code, state = 'waiting' AND due_at > :at AS later, count(*) AS number
FROM router.message WHERE tenant_id = :tenant AND campaign_id = :campaign GROUP BY 1, 2, 3
""")
_OPEN = text("""
SELECT 1 FROM router.message WHERE tenant_id = :tenant AND campaign_id = :campaign
    AND state IN ('waiting', 'paused', 'handed') LIMIT 1
""")
_UNTOLD = text("""
SELECT id FROM router.message WHERE tenant_id = :tenant AND campaign_id = :campaign
    AND state IN ('failed', 'refused', 'cancelled')
""")


@dataclass(frozen=True, slots=True)
class Counts:
    """Messages of a campaign. `waiting` have not been handed on, or wait for their turn or in a pause;
    `deferred` wait for their time, `deferred_by` and `ended_by` say why, by code."""

    waiting: int = 0
    deferred: int = 0
    handed: int = 0
    sent: int = 0
    failed: int = 0
    refused: int = 0
    cancelled: int = 0
    deferred_by: dict[str, int] = field(default_factory=dict)
    ended_by: dict[str, int] = field(default_factory=dict)

    @property
    def ended(self) -> int:
        return self.sent + self.failed + self.refused + self.cancelled


@dataclass(frozen=True, slots=True)
class Pace:
    """Messages that ended per minute of sending; `eta` is when none of those due is left at that rate, None
    while nothing can be said. Deferred ones have a time of their own and are left out."""

    per_minute: float | None
    eta: datetime | None


class PostgresProgress:
    async def counts(
        self, connection: AsyncConnection, tenant_id: str, campaign: Campaign, at: datetime
    ) -> Counts:
        values = {"tenant": tenant_id, "campaign": campaign.id, "at": at}
        by_state: dict[str, int] = {}
        deferred: dict[str, int] = {}
        ended: dict[str, int] = {}
        for row in await connection.execute(_COUNTS, values):
            by_state["deferred" if row.later else row.state] = row.number + by_state.get(
                "deferred" if row.later else row.state, 0
            )
            if row.later:
                deferred[row.code] = deferred.get(row.code, 0) + row.number
            elif row.state in {"failed", "refused", "cancelled"}:
                ended[row.code] = ended.get(row.code, 0) + row.number
        waiting = by_state.pop("waiting", 0) + by_state.pop("paused", 0)
        unfed = campaign.recipients - campaign.fed if campaign.state in {"sending", "paused"} else 0
        return Counts(waiting=waiting + unfed, deferred_by=deferred, ended_by=ended, **by_state)

    async def all_ended(self, connection: AsyncConnection, tenant_id: str, campaign_id: str) -> bool:
        values = {"tenant": tenant_id, "campaign": campaign_id}
        return (await connection.execute(_OPEN, values)).first() is None

    async def untold(self, connection: AsyncConnection, tenant_id: str, campaign_id: str) -> list[str]:
        """Ids of the messages that reached nobody."""
        values = {"tenant": tenant_id, "campaign": campaign_id}
        return [str(row.id) for row in await connection.execute(_UNTOLD, values)]


def pace_of(counts: Counts, spent: timedelta, at: datetime) -> Pace:
    minutes = spent / timedelta(minutes=1)
    if not counts.ended or minutes <= 0:
        return Pace(None, None)
    rate = counts.ended / minutes
    return Pace(rate, at + timedelta(minutes=(counts.waiting + counts.handed) / rate))
