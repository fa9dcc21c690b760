"""What was composed about one customer, in Postgres: found, and blanked. Every statement finds
nothing once all is done, so that a sweep may be broken off anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.messages.domain import MessageFacts
from heardback_router.outreach.codec import facts_to_plain
from heardback_shared.db.database import to_json

_DUE = text("""
SELECT tenant_id, customer_id, erased_at FROM platform.contact_card
WHERE erasing AND (erased_at, tenant_id, customer_id) > (CAST(:at AS timestamptz), :tenant, :customer)
ORDER BY erased_at, tenant_id, customer_id LIMIT :some
""")
# Unless it was erased once more meanwhile.
_DONE = text("""
UPDATE platform.contact_card SET erasing = false
WHERE tenant_id = :tenant AND customer_id = :customer AND erased_at = :before
""")
_OPEN_HANDOVERS = text("""
SELECT id FROM router.handover
WHERE tenant_id = :tenant AND customer_id = :customer AND created_at <= :before AND state = 'open'
ORDER BY id LIMIT :some
""")
_FAIL_DELIVERIES = text("""
UPDATE router.delivery d SET state = 'failed', because = :because, done_at = :now, leased_until = NULL
FROM unnest(CAST(:ids AS text[])) AS asked (id)
WHERE d.tenant_id = :tenant AND d.message_id = asked.id AND d.state = 'pending'
""")
_FAIL_LETTERS = text("""
UPDATE router.letter l SET state = 'failed', because = :because, done_at = :now, leased_until = NULL
FROM unnest(CAST(:ids AS text[])) AS asked (id)
WHERE l.tenant_id = :tenant AND l.id = asked.id AND l.state = 'pending'
""")
_WAITING = text("""
SELECT id FROM router.message
WHERE tenant_id = :tenant AND customer_id = :customer AND created_at <= :before
    AND state IN ('waiting', 'paused')
ORDER BY created_at, id LIMIT :some
""")
_MESSAGES = text("""
WITH mine AS (
    SELECT id FROM router.message
    WHERE tenant_id = :tenant AND customer_id = :customer AND created_at <= :before AND erased_at IS NULL
    LIMIT :some
), blank AS (
    UPDATE router.message m SET draft = jsonb_set(m.draft, '{facts}', CAST(:facts AS jsonb)),
        erased_at = :now,
        reason = CASE WHEN m.code = 'on_hold' THEN NULL ELSE m.reason END
    FROM mine WHERE m.tenant_id = :tenant AND m.id = mine.id RETURNING m.id
), history AS (
    UPDATE router.message_event e SET
        basis = CASE WHEN e.basis -> 'recipient' IS NULL THEN e.basis
            ELSE jsonb_set(e.basis, '{recipient,held_because}', 'null') END,
        reason = CASE WHEN e.code = 'on_hold' THEN NULL ELSE e.reason END
    FROM blank WHERE e.tenant_id = :tenant AND e.message_id = blank.id
)
SELECT count(*) FROM blank
""")
_HANDOVERS = text("""
WITH mine AS (
    SELECT id FROM router.handover
    WHERE tenant_id = :tenant AND customer_id = :customer AND created_at <= :before AND erased_at IS NULL
    LIMIT :some
), blank AS (
    UPDATE router.handover h SET content = '{"parts": []}', erased_at = :now
    FROM mine WHERE h.tenant_id = :tenant AND h.id = mine.id RETURNING h.id
), bodies AS (
    UPDATE router.delivery d SET body = '', erased_at = :now
    FROM blank WHERE d.tenant_id = :tenant AND d.message_id = blank.id RETURNING d.id
), answers AS (
    UPDATE router.delivery_attempt a SET response = ''
    FROM bodies WHERE a.tenant_id = :tenant AND a.delivery_id = bodies.id
)
SELECT count(*) FROM blank
""")
_LOOPS = text("""
WITH mine AS (
    SELECT id FROM router.loop WHERE tenant_id = :tenant AND customer_id = :customer AND opened_at <= :before
    ORDER BY id FOR UPDATE
), told AS (
    UPDATE router.loop l SET message = NULL FROM mine
    WHERE l.tenant_id = :tenant AND l.id = mine.id AND l.message IS NOT NULL RETURNING 1
), contested AS (
    UPDATE router.contest c SET comment = NULL, answer = NULL FROM mine
    WHERE c.tenant_id = :tenant AND c.loop_id = mine.id AND c.opened_at <= :before
        AND (c.comment IS NOT NULL OR c.answer IS NOT NULL) RETURNING 1
)
SELECT (SELECT count(*) FROM told) + (SELECT count(*) FROM contested)
""")
_ITEMS = text("""
SELECT DISTINCT item_id FROM router.loop
WHERE tenant_id = :tenant AND customer_id = :customer AND opened_at <= :before ORDER BY item_id
""")
# The customer's own words in the timeline; the entry itself, and that they said something, stays.
_COMMENTS = text("""
UPDATE router.item_event e SET data = CAST(CAST(e.data AS jsonb) || '{"comment": null}' AS json)
FROM unnest(CAST(:items AS text[])) AS asked (id)
WHERE e.tenant_id = :tenant AND e.item_id = asked.id AND e.at <= :before AND e.data ->> 'comment' IS NOT NULL
    AND e.data ->> 'loop_id' IN (
        SELECT id FROM router.loop WHERE tenant_id = :tenant AND customer_id = :customer
    )
""")
_REVIEWS = text("""
WITH mine AS (
    SELECT r.id, (
        SELECT jsonb_agg(
            CASE WHEN d ->> 'customer_id' = :customer
                THEN jsonb_set(d, '{facts}', CAST(:facts AS jsonb)) ELSE d END ORDER BY n)
        FROM jsonb_array_elements(r.drafts) WITH ORDINALITY AS one (d, n)
    ) AS drafts, (
        SELECT bool_and(d ->> 'customer_id' = :customer) FROM jsonb_array_elements(r.drafts) AS one (d)
    ) AS alone
    FROM unnest(CAST(:items AS text[])) AS asked (id)
    JOIN router.review r ON r.tenant_id = :tenant AND r.item_id = asked.id
    WHERE r.opened_at <= :before
        AND r.drafts @> jsonb_build_array(jsonb_build_object('customer_id', CAST(:customer AS text)))
), blank AS (
    UPDATE router.review r SET drafts = mine.drafts FROM mine WHERE r.tenant_id = :tenant AND r.id = mine.id
)
UPDATE router.review_text t SET text = NULL FROM mine
WHERE t.tenant_id = :tenant AND t.review_id = mine.id AND mine.alone
""")
_FEEDBACK = text("""
SELECT feedback_id FROM router.item_feedback
WHERE tenant_id = :tenant AND customer_id = :customer AND accepted_at <= :before
""")
_CODES = text("DELETE FROM router.page_code WHERE tenant_id = :tenant AND customer_id = :customer")
_REQUEST = text("""
UPDATE router.erasure_request SET done_by = :by, done_at = :now, words = 'Carried out.'
WHERE tenant_id = :tenant AND customer_id = :customer AND done_at IS NULL AND made_at <= :before
""")


@dataclass(frozen=True, slots=True)
class Erased:
    """The personal data of this customer were erased then; what was composed until then goes too."""

    tenant_id: str
    customer_id: str
    at: datetime


class PostgresErased:
    async def due(self, connection: AsyncConnection, after: Erased | None, limit: int) -> Sequence[Erased]:
        """Over all tenants, oldest first; needs a worker's transaction."""
        start = after or Erased("", "", datetime.fromisoformat("0001-01-02T00:00:00+00:00"))
        asked = {"at": start.at, "tenant": start.tenant_id, "customer": start.customer_id, "some": limit}
        return [Erased(*row) for row in await connection.execute(_DUE, asked)]

    async def open_handovers(self, connection: AsyncConnection, who: Erased, limit: int) -> Sequence[str]:
        rows = await connection.execute(_OPEN_HANDOVERS, {**_of(who), "some": limit})
        return [row.id for row in rows]

    async def stop_channels(
        self,
        connection: AsyncConnection,
        who: Erased,
        handover_ids: Sequence[str],
        because: str,
        now: datetime,
    ) -> None:
        asked = {"tenant": who.tenant_id, "ids": list(handover_ids), "because": because, "now": now}
        await connection.execute(_FAIL_DELIVERIES, asked)
        await connection.execute(_FAIL_LETTERS, asked)

    async def waiting(self, connection: AsyncConnection, who: Erased, limit: int) -> Sequence[str]:
        return [row.id for row in await connection.execute(_WAITING, {**_of(who), "some": limit})]

    async def blank_messages(
        self, connection: AsyncConnection, who: Erased, now: datetime, limit: int
    ) -> int:
        asked = {**_of(who), "facts": NO_FACTS, "now": now, "some": limit}
        return int(await connection.scalar(_MESSAGES, asked) or 0)

    async def blank_handovers(
        self, connection: AsyncConnection, who: Erased, now: datetime, limit: int
    ) -> int:
        """With the bodies that webhooks carried, and what receivers answered."""
        return int(await connection.scalar(_HANDOVERS, {**_of(who), "now": now, "some": limit}) or 0)

    async def blank_loops(self, connection: AsyncConnection, who: Erased) -> None:
        """What the customer was told and what they answered, wherever it is kept; texts that were written to
        them alone."""
        items = [row.item_id for row in await connection.execute(_ITEMS, _of(who))]
        await connection.execute(_COMMENTS, {**_of(who), "items": items})
        await connection.execute(_REVIEWS, {**_of(who), "items": items, "facts": NO_FACTS})
        await connection.execute(_LOOPS, _of(who))

    async def feedback(self, connection: AsyncConnection, who: Erased) -> Sequence[str]:
        return [row.feedback_id for row in await connection.execute(_FEEDBACK, _of(who))]

    async def end(self, connection: AsyncConnection, who: Erased, by: str, now: datetime) -> None:
        """All is reached: codes of the page go, and what the customer asked for is done."""
        await connection.execute(_CODES, {"tenant": who.tenant_id, "customer": who.customer_id})
        await connection.execute(_REQUEST, {**_of(who), "by": by, "now": now})
        await connection.execute(_DONE, _of(who))


NO_FACTS = to_json(facts_to_plain(MessageFacts()))


def _of(who: Erased) -> dict[str, object]:
    return {"tenant": who.tenant_id, "customer": who.customer_id, "before": who.at}
