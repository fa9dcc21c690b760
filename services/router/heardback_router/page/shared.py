"""Matters that one message told together with the customer's own, under other ids of the same person."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.page.domain import HEARD, Matter, Said, Step
from heardback_shared.contracts.feedback import FeedbackContent
from heardback_shared.db.planning import look_up_by_key

_LOOPS = text("""
SELECT DISTINCT l.id, l.customer_id, l.item_id, l.state, l.message FROM (
    SELECT draft -> 'loop_ids' AS loop_ids FROM router.message
    WHERE tenant_id = :tenant AND customer_id = :customer AND step = 'told' AND state IN ('handed', 'sent')
        AND jsonb_array_length(draft -> 'loop_ids') > 1
    ORDER BY created_at DESC, id LIMIT :limit
) AS told
CROSS JOIN LATERAL jsonb_array_elements_text(told.loop_ids) AS one (loop_id)
CROSS JOIN LATERAL (
    SELECT * FROM router.loop WHERE tenant_id = :tenant AND id = one.loop_id LIMIT 1
) AS l
WHERE l.customer_id <> :customer AND l.merged_into IS NULL
""")
_SAID = text("""
SELECT asked.loop_id, said.feedback_id, said.accepted_at, said.content
FROM unnest(CAST(:loops AS text[])) AS asked (loop_id)
CROSS JOIN LATERAL (
    SELECT feedback_id FROM router.loop_feedback WHERE tenant_id = :tenant AND loop_id = asked.loop_id
) AS f
CROSS JOIN LATERAL (
    SELECT feedback_id, accepted_at, CAST(content AS text) AS content FROM router.item_feedback
    WHERE tenant_id = :tenant AND feedback_id = f.feedback_id LIMIT 1
) AS said
ORDER BY said.accepted_at DESC, said.feedback_id
""")
_STEPS = text("""
SELECT asked.loop_id, e.state, e.at FROM unnest(CAST(:loops AS text[])) AS asked (loop_id)
CROSS JOIN LATERAL (
    SELECT state, at, sequence FROM router.loop_event WHERE tenant_id = :tenant AND loop_id = asked.loop_id
) AS e
ORDER BY asked.loop_id, e.sequence
""")


async def shared_matters(
    connection: AsyncConnection, tenant_id: str, customer_id: str, limit: int
) -> Mapping[str, tuple[str, Matter]]:
    """(customer id whose matter it is, the matter), by loop. Without what was written under that id: this
    link was not sent there. Whether the two are one person still is for the caller to ask."""
    await look_up_by_key(connection)
    asked = {"tenant": tenant_id, "customer": customer_id, "limit": limit}
    rows = (await connection.execute(_LOOPS, asked)).all()
    among = {"tenant": tenant_id, "loops": [row.id for row in rows]}
    said: dict[str, list[Said]] = {}
    for row in (await connection.execute(_SAID, among)) if rows else ():
        said.setdefault(row.loop_id, []).append(_said(row))
    steps: dict[str, list[Step]] = {}
    for row in (await connection.execute(_STEPS, among)) if rows else ():
        steps.setdefault(row.loop_id, []).append(Step(row.state, row.at))
    return {
        row.id: (
            row.customer_id,
            Matter(
                said=tuple(said.get(row.id, ())),
                item_id=row.item_id,
                loop_id=row.id,
                steps=tuple(steps.get(row.id, ())),
                message=row.message if row.state in HEARD else None,
                can_answer=row.state == "told",
                elsewhere=True,
            ),
        )
        for row in rows
        if row.id in said
    }


def newest_first(matters: list[Matter]) -> list[Matter]:
    return sorted(matters, key=_newest, reverse=True)


def _newest(matter: Matter) -> datetime:
    return max(one.at for one in matter.said)


def _said(row: Any) -> Said:
    content = FeedbackContent.model_validate_json(row.content)
    at = content.happened_at or row.accepted_at
    return Said(row.feedback_id, content.kind, content.source, content.touchpoint, at)
