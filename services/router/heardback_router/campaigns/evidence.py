"""What a campaign rests on, read from Postgres: its items, who has a stake in them, what must not be said."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.domain import BY_MACHINE, CUSTOMER
from heardback_router.backlog.store import item_of
from heardback_router.backlog.tables import items
from heardback_router.campaigns.claims import UNRESOLVED, ItemFacts
from heardback_router.campaigns.domain import Picked
from heardback_router.campaigns.guard import Guarded
from heardback_router.campaigns.people import Stake
from heardback_shared.db.planning import look_up_by_key

FOR_CUSTOMERS = frozenset({"tell_customer", "plan", "criterion", "warnings"})
"""Fields of an item's log that hold what customers say or read."""
CUSTOMERS_KINDS = frozenset({"criterion_set", "promised"})
"""Entries that say what customers want or were promised."""

_FEEDBACK = text("""
SELECT found.* FROM unnest(CAST(:items AS text[])) AS asked (item_id)
CROSS JOIN LATERAL (
    SELECT item_id, customer_id, feedback_id, accepted_at FROM router.item_feedback
    WHERE tenant_id = :tenant AND item_id = asked.item_id) AS found
ORDER BY found.accepted_at, found.feedback_id
""")
_LOOPS = text("""
SELECT found.* FROM unnest(CAST(:items AS text[])) AS asked (item_id)
CROSS JOIN LATERAL (
    SELECT id, item_id, customer_id, state, opened_at FROM router.loop
    WHERE tenant_id = :tenant AND item_id = asked.item_id AND customer_id IS NOT NULL
        AND merged_into IS NULL) AS found
ORDER BY found.opened_at, found.id
""")
_MESSAGES = text("""
SELECT asked.loop_id, message.state, change.value ->> 'change_id' AS change_id
FROM unnest(CAST(:loops AS text[])) AS asked (loop_id)
CROSS JOIN LATERAL (
    SELECT message_id FROM router.message_loop
    WHERE tenant_id = :tenant AND loop_id = asked.loop_id) AS about
CROSS JOIN LATERAL (
    SELECT state, draft FROM router.message
    WHERE tenant_id = :tenant AND id = about.message_id AND step = 'told'
        AND state IN ('waiting', 'paused', 'handed', 'sent') LIMIT 1) AS message
CROSS JOIN LATERAL jsonb_array_elements(message.draft -> 'facts' -> 'changes') AS change (value)
""")
_REVIEWS = text("""
SELECT found.drafts FROM unnest(CAST(:items AS text[])) AS asked (item_id)
CROSS JOIN LATERAL (
    SELECT drafts FROM router.review WHERE tenant_id = :tenant AND item_id = asked.item_id AND step = 'told'
        AND state IN ('waiting', 'sending')) AS found
""")
_CUES = text("""
SELECT DISTINCT asked.item_id, cue.value ->> 'name' AS name
FROM unnest(CAST(:items AS text[])) AS asked (item_id)
CROSS JOIN LATERAL (
    SELECT score FROM router.item_feedback WHERE tenant_id = :tenant AND item_id = asked.item_id) AS found
CROSS JOIN LATERAL json_array_elements(found.score -> 'cues') AS cue (value)
""")
_LOG = text("""
SELECT found.* FROM unnest(CAST(:items AS text[])) AS asked (item_id)
CROSS JOIN LATERAL (
    SELECT item_id, kind, actor, reason, data FROM router.item_event
    WHERE tenant_id = :tenant AND item_id = asked.item_id) AS found
""")
_WORDS = text("""
SELECT found.* FROM unnest(CAST(:items AS text[])) AS asked (item_id)
CROSS JOIN LATERAL (
    SELECT item_id, customer_id, words FROM router.item_feedback
    WHERE tenant_id = :tenant AND item_id = asked.item_id) AS found
""")


class PostgresEvidence:
    async def items(
        self, connection: AsyncConnection, tenant_id: str, item_ids: Sequence[str], *, cues: bool = True
    ) -> Sequence[ItemFacts]:
        """Those of the ids that there are, in the order asked for; without the cues of their feedback, which
        are many to read, where they are not asked for."""
        await look_up_by_key(connection)
        found = {item.id: item for item in await self._items(connection, tenant_id, item_ids)}
        children = await self._items(
            connection, tenant_id, [child for item in found.values() for child in item.children]
        )
        unresolved = {child.id for child in children if child.state in UNRESOLVED}
        heard: dict[str, set[str]] = defaultdict(set)
        if cues:
            for row in await connection.execute(_CUES, {"tenant": tenant_id, "items": list(found)}):
                heard[row.item_id].add(row.name)
        return [
            ItemFacts(
                item.id,
                item.state,
                item.weight.band,
                item.domain,
                item.category,
                item.tier,
                tuple(child for child in item.children if child in unresolved),
                item.promises,
                frozenset(heard[item.id]),
            )
            for item in (found[item_id] for item_id in dict.fromkeys(item_ids) if item_id in found)
        ]

    async def stakes(
        self, connection: AsyncConnection, tenant_id: str, item_ids: Sequence[str]
    ) -> Sequence[Stake]:
        """Everybody's part in the items, by the feedback that is linked to them; a feedback that names
        nobody is one of its own. Nobody who wrote is missing, whether or not a loop was opened."""
        await look_up_by_key(connection)
        values = {"tenant": tenant_id, "items": list(item_ids)}
        stakes: dict[tuple[str, str], Stake] = {}
        for row in await connection.execute(_FEEDBACK, values):
            key = (row.item_id, row.customer_id or f"\x1e{row.feedback_id}")
            before = stakes.get(key)
            stakes[key] = (
                replace(
                    before, feedback_ids=(*before.feedback_ids, row.feedback_id), raised_at=row.accepted_at
                )
                if before
                else Stake(row.item_id, row.customer_id, (row.feedback_id,), row.accepted_at)
            )
        keys: dict[str, tuple[str, str]] = {}
        for row in await connection.execute(_LOOPS, values):
            key = (row.item_id, row.customer_id)
            if key in stakes:  # else their feedback has moved to another item
                keys[row.id] = key
                stakes[key] = replace(stakes[key], loop_id=row.id, state=row.state)
        for row in await connection.execute(_MESSAGES, {"tenant": tenant_id, "loops": list(keys)}):
            stake, change = stakes[keys[row.loop_id]], frozenset({row.change_id})
            if row.state == "sent":
                stakes[keys[row.loop_id]] = replace(stake, told=stake.told | change)
            else:
                stakes[keys[row.loop_id]] = replace(stake, coming=stake.coming | change)
        for row in await connection.execute(_REVIEWS, values):
            for loop_id in {one for draft in row.drafts for one in draft["loop_ids"]} & keys.keys():
                stakes[keys[loop_id]] = replace(stakes[keys[loop_id]], waiting=True)
        return list(stakes.values())

    async def guarded(
        self, connection: AsyncConnection, tenant_id: str, item_ids: Sequence[str]
    ) -> AsyncIterator[Guarded]:
        """What colleagues wrote on the items, and what customers said, one after the other."""
        values = {"tenant": tenant_id, "items": list(item_ids)}
        async with connection.stream(_LOG, values) as log:
            async for row in log:
                for said in _written(row.kind, row.reason, row.data):
                    yield Guarded("feedback" if row.actor == CUSTOMER else "internal", row.item_id, said)
        async with connection.stream(_WORDS, values) as words:
            async for row in words:
                yield Guarded("feedback", row.item_id, row.words, row.customer_id)

    async def picked(
        self, connection: AsyncConnection, tenant_id: str, picked: Picked, most: int
    ) -> list[str]:
        """Ids of the items of the cases, then of those the filter names, each oldest first."""
        c = items.c
        base = select(c.id).where(c.tenant_id == tenant_id, c.state != "merged")
        base = base.order_by(c.opened_at, c.id).limit(most)
        found = []
        if picked.cases:
            found += list(await connection.execute(base.where(c.case_id == _any("cases", picked.cases))))
        if picked.filters:
            wanted = ((c.domain, picked.domain), (c.category, picked.category), (c.matter_key, picked.key))
            like = base.where(*(column == value for column, value in wanted if value is not None))
            like = like.where(c.opened_at >= picked.since) if picked.since is not None else like
            like = like.where(c.opened_at < picked.until) if picked.until is not None else like
            found += list(await connection.execute(like))
        return [str(row.id) for row in found]

    async def _items(self, connection: AsyncConnection, tenant_id: str, item_ids: Sequence[str]) -> list[Any]:
        query = select(items).where(items.c.tenant_id == tenant_id, items.c.id == _any("ids", item_ids))
        return [item_of(row) for row in (await connection.execute(query)).mappings()]


def _written(kind: str, reason: str | None, data: Mapping[str, Any]) -> Iterator[str]:
    """What people wrote in one entry of an item's log."""
    if kind in BY_MACHINE or kind in CUSTOMERS_KINDS:
        return
    if reason:
        yield reason
    yield from _strings(data)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in FOR_CUSTOMERS:
                yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _any(name: str, values: Sequence[str]) -> Any:
    return text(f"ANY(:{name})").bindparams(bindparam(name, list(values), type_=ARRAY(TEXT)))
