"""What became of invitations to surveys, counted in PostgreSQL."""

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.app.sampling.ports import Sent, Tally
from heardback_ingest.domain.sampling.response import Past
from heardback_shared.db.planning import look_up_by_key

MONTH = 30
PAST_MONTHS = 12
SETTLED = timedelta(days=7)

_OF_SEGMENT = """
AND EXISTS (
    SELECT FROM platform.contact_card card WHERE card.tenant_id = :tenant AND card.customer_id = i.customer_id
        AND card.card ->> 'segment' = :segment
)"""
_TALLY = """
SELECT count(DISTINCT i.person_id), count(DISTINCT i.person_id) FILTER (WHERE i.answered_at IS NOT NULL),
    max(i.sent_at)
FROM ingest.survey_invitation i
WHERE i.tenant_id = :tenant AND i.survey = :survey AND i.kind = 'invitation' AND i.sent_at >= :since
"""
_HELD = """
SELECT count(*) FROM ingest.survey_invitation i
WHERE i.tenant_id = :tenant AND i.survey = :survey AND i.kind = 'invitation' AND i.state = 'reserved'
"""
_PAST = """
SELECT CAST(floor(extract(epoch FROM :now - i.sent_at) / :month) AS integer) AS age,
    count(DISTINCT i.person_id), count(DISTINCT i.person_id) FILTER (WHERE i.answered_at IS NOT NULL)
FROM ingest.survey_invitation i
WHERE i.tenant_id = :tenant AND i.survey = :survey AND i.kind = 'invitation'
    AND i.sent_at >= :since AND i.sent_at < :until
"""
_POPULATION = "SELECT count(DISTINCT person_id) FROM platform.contact_card WHERE tenant_id = :tenant"
_SEGMENT = text("""
SELECT card ->> 'segment' FROM platform.contact_card WHERE tenant_id = :tenant AND customer_id = :customer
""")
_SENT = text("""
SELECT i.person_id, i.sent_at, i.type, arm.gap, i.seen_at IS NOT NULL, i.answered_at IS NOT NULL,
    answer.metric_value, refusal.at
FROM ingest.survey_invitation i
LEFT JOIN LATERAL (
    SELECT gap FROM ingest.fatigue_arm
    WHERE tenant_id = :tenant AND experiment_id = :experiment AND person_id = i.person_id
        AND assigned_at <= i.sent_at LIMIT 1
) AS arm ON true
LEFT JOIN LATERAL (
    SELECT metric_value FROM ingest.feedback WHERE tenant_id = :tenant AND id = i.feedback_id
    ORDER BY revision DESC LIMIT 1
) AS answer ON true
LEFT JOIN LATERAL (
    SELECT at FROM platform.contact_consent
    WHERE tenant_id = :tenant AND customer_id = i.customer_id AND NOT given AND item_id IS NULL
        AND scope IN ('surveys', 'everything') AND at >= i.sent_at
    ORDER BY at LIMIT 1
) AS refusal ON true
WHERE i.tenant_id = :tenant AND i.sent_at >= :since AND i.sent_at < :until
ORDER BY i.sent_at DESC, i.id LIMIT :most
""")


class PostgresAsking:
    async def tally(
        self, c: AsyncConnection, tenant_id: str, survey: str, segment: str | None, since: datetime
    ) -> Tally:
        asked = {"tenant": tenant_id, "survey": survey, "segment": segment}
        narrowed = "" if segment is None else _OF_SEGMENT
        row = (await c.execute(text(_TALLY + narrowed), {**asked, "since": since})).one()
        held = await c.scalar(text(_HELD + narrowed), asked)
        return Tally(row[0], row[1], row[2], int(held or 0))

    async def past(
        self, c: AsyncConnection, tenant_id: str, survey: str, segment: str | None, now: datetime
    ) -> list[Past]:
        asked = {
            "tenant": tenant_id,
            "survey": survey,
            "now": now,
            "month": MONTH * 86_400,
            "since": now - timedelta(days=MONTH * PAST_MONTHS),
            "until": now - SETTLED,
            "segment": segment,
        }
        narrowed = "" if segment is None else _OF_SEGMENT
        rows = await c.execute(text(f"{_PAST}{narrowed} GROUP BY 1 ORDER BY 1"), asked)
        return [Past((age + 0.5) * MONTH, out, answered) for age, out, answered in rows]

    async def population(self, c: AsyncConnection, tenant_id: str, segment: str | None) -> int:
        if segment is None:
            return int(await c.scalar(text(_POPULATION), {"tenant": tenant_id}) or 0)
        narrowed = text(_POPULATION + " AND card ->> 'segment' = :segment")
        return int(await c.scalar(narrowed, {"tenant": tenant_id, "segment": segment}) or 0)

    async def segment_of(self, c: AsyncConnection, tenant_id: str, customer_id: str) -> str | None:
        found: str | None = await c.scalar(_SEGMENT, {"tenant": tenant_id, "customer": customer_id})
        return found

    async def sent(
        self,
        c: AsyncConnection,
        tenant_id: str,
        experiment_id: str | None,
        since: datetime,
        until: datetime,
        most: int,
    ) -> list[Sent]:
        await look_up_by_key(c)
        asked = {
            "tenant": tenant_id,
            "experiment": experiment_id or "",
            "since": since,
            "until": until,
            "most": most,
        }
        return [Sent(*row) for row in await c.execute(_SENT, asked)][::-1]
