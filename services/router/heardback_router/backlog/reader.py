"""Reading the backlog from Postgres, as the API shows it. Inside the caller's transaction.

Text search filters within the tenant: under row-level security PostgreSQL uses no index for it, because text
search operators are not marked leakproof.
"""

from dataclasses import asdict
from typing import Any

import orjson
from sqlalchemy import ColumnElement, RowMapping, Text, TextClause, cast, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.domain import Item, ItemEvent
from heardback_router.backlog.listing import Filters, Place
from heardback_router.backlog.order import Placed
from heardback_router.backlog.store import event_of, item_of
from heardback_router.backlog.tables import item_events, items, links

FEEDBACK_SHOWN = 100
TIMELINE_SHOWN = 500

_SHOWN = (
    "feedback_id",
    "customer_id",
    "channel",
    "revision",
    "joined_because",
    "accepted_at",
    "scored_at",
    "routed_at",
    "content",
    "score",
    "decision",
)
_AS_TEXT = frozenset({"content", "score", "decision"})
_BY_CUSTOMER = text("""
    item.id IN (SELECT item_id FROM router.item_feedback
                WHERE tenant_id = :tenant AND customer_id = :customer)
""")
_BY_TEXT = text("""
    item.id IN (SELECT item_id FROM router.item_feedback
                WHERE tenant_id = :tenant AND search @@ websearch_to_tsquery('simple', :q))
""")
_AFTER = text("(severity < :severity OR (severity = :severity AND (opened_at, id) > (:opened_at, :id)))")


_AFTER_DUE = text(f"(due_at > :due_at OR due_at IS NULL OR (due_at = :due_at AND {_AFTER.text}))")
_AFTER_UNDUE = text(f"(due_at IS NULL AND {_AFTER.text})")


class PostgresBacklog:
    async def page(
        self, connection: AsyncConnection, tenant_id: str, filters: Filters, after: Place | None, limit: int
    ) -> list[Placed]:
        """In the order `backlog.order` explains."""
        query = select(items).where(items.c.tenant_id == tenant_id).limit(limit)
        if filters.sort == "due":
            query = query.order_by(items.c.due_at.nulls_last())
        query = query.order_by(items.c.severity.desc(), items.c.opened_at, items.c.id)
        values: dict[str, Any] = {}
        for condition, used in _conditions(tenant_id, filters):
            query = query.where(condition)
            values |= used
        for column, wanted in (
            (items.c.team, filters.team),
            (items.c.assignee, filters.assignee),
            (items.c.domain, filters.domain),
            (items.c.flag, filters.flag),
            (items.c.parent_id, filters.parent),
            (items.c.case_id, filters.case),
        ):
            if wanted is not None:
                query = query.where(column == wanted)
        if filters.state:
            query = query.where(items.c.state.in_(filters.state))
        if filters.band:
            query = query.where(items.c.band.in_(filters.band))
        query = query.where(*_owed(filters))
        if after is not None:
            query = query.where(
                _AFTER if filters.sort != "due" else _AFTER_UNDUE if after.due_at is None else _AFTER_DUE
            )
            values |= {name: value for name, value in asdict(after).items() if value is not None}
        return [_placed(row) for row in (await connection.execute(query, values)).mappings()]

    async def placed(self, connection: AsyncConnection, tenant_id: str, item_id: str) -> Placed | None:
        found = await connection.execute(
            select(items).where(items.c.tenant_id == tenant_id, items.c.id == item_id)
        )
        row = found.mappings().first()
        return _placed(row) if row else None

    async def item(self, connection: AsyncConnection, tenant_id: str, item_id: str) -> Item | None:
        found = await self.placed(connection, tenant_id, item_id)
        return found.item if found else None

    async def children(self, connection: AsyncConnection, tenant_id: str, item: Item) -> list[Item]:
        """In the order in which they were opened."""
        found = await connection.execute(
            select(items).where(items.c.tenant_id == tenant_id, items.c.id.in_(item.children))
        )
        by_id = {row["id"]: item_of(row) for row in found.mappings()} if item.children else {}
        return [by_id[child_id] for child_id in item.children if child_id in by_id]

    async def timeline(self, connection: AsyncConnection, tenant_id: str, item_id: str) -> list[ItemEvent]:
        """The newest entries of the log, in order."""
        found = await connection.execute(
            select(item_events)
            .where(item_events.c.tenant_id == tenant_id, item_events.c.item_id == item_id)
            .order_by(item_events.c.sequence.desc())
            .limit(TIMELINE_SHOWN)
        )
        return [event_of(row) for row in reversed(found.mappings().all())]

    async def feedback(
        self, connection: AsyncConnection, tenant_id: str, item_id: str
    ) -> list[dict[str, Any]]:
        """The newest linked feedback with content, score, why it joined, and its decision record."""
        found = await connection.execute(
            select(*(_selected(name) for name in _SHOWN))
            .where(links.c.tenant_id == tenant_id, links.c.item_id == item_id)
            .order_by(links.c.accepted_at.desc(), links.c.feedback_id)
            .limit(FEEDBACK_SHOWN)
        )
        feedback = [dict(zip(_SHOWN, row, strict=True)) for row in found]
        for one in feedback:
            one |= {name: orjson.Fragment(one[name]) for name in _AS_TEXT}
        return feedback

    async def counts(self, connection: AsyncConnection, tenant_id: str) -> list[tuple[str, str, str, int]]:
        """(team, state, band, number) of every combination there is."""
        query = (
            select(items.c.team, items.c.state, items.c.band, func.count())
            .where(items.c.tenant_id == tenant_id)
            .group_by(items.c.team, items.c.state, items.c.band)
        )
        return [tuple(row) for row in await connection.execute(query)]


def _placed(row: RowMapping) -> Placed:
    return Placed(item_of(row), row["due_at"])


def _owed(filters: Filters) -> list[ColumnElement[bool]]:
    """What is asked about waiting, clocks and persons."""
    conditions: list[ColumnElement[bool]] = []
    waits = items.c.waiting_for
    match filters.waiting:
        case None:
            pass
        case "any":
            conditions.append(waits.is_not(None))
        case "none":
            conditions.append(waits.is_(None))
        case state:
            conditions.append(waits == state)
    if filters.due_before is not None:
        conditions.append(items.c.due_at < filters.due_before)
    if filters.unassigned is not None:
        nobody = items.c.assignee.is_(None)
        conditions.append(nobody if filters.unassigned else ~nobody)
    return conditions


def _selected(name: str) -> ColumnElement[Any]:
    """Documents come as JSON text, which goes into the answer as it is."""
    column = links.c[name]
    return cast(column, Text) if name in _AS_TEXT else column


def _conditions(tenant_id: str, filters: Filters) -> list[tuple[TextClause, dict[str, Any]]]:
    conditions: list[tuple[TextClause, dict[str, Any]]] = []
    if filters.customer is not None:
        conditions.append((_BY_CUSTOMER, {"tenant": tenant_id, "customer": filters.customer}))
    if filters.q:
        conditions.append((_BY_TEXT, {"tenant": tenant_id, "q": filters.q}))
    return conditions
