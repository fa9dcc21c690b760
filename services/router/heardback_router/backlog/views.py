"""Saved views of the backlog: one person's filters, columns and order under a name, private or shared."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Integer,
    Table,
    Text,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.listing import Filters, Sort
from heardback_router.backlog.tables import metadata

VIEWS_PER_OWNER = 100

views = Table(
    "view",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("filters", JSONB, nullable=False),
    Column("columns", JSONB, nullable=False),
    Column("sort", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)
_V = views.c


@dataclass(frozen=True, slots=True)
class View:
    """`columns` are fields of an item in the order a screen shows them; empty: the screen's own."""

    id: str
    owner: str
    name: str
    shared: bool
    filters: Filters
    columns: tuple[str, ...]
    sort: Sort
    version: int
    updated_at: datetime

    @property
    def asked(self) -> Filters:
        """The filters with the view's order."""
        return Filters(**{**asdict(self.filters), "sort": self.sort})


class PostgresViews:
    """Inside the caller's transaction. A private view exists for its owner only."""

    async def seen_by(self, connection: AsyncConnection, tenant_id: str, owner: str) -> list[View]:
        query = select(views).where(_V.tenant_id == tenant_id, or_(_V.owner == owner, _V.shared))
        found = await connection.execute(query.order_by(_V.name, _V.id))
        return [_view_of(row) for row in found.mappings()]

    async def one(self, connection: AsyncConnection, tenant_id: str, view_id: str, owner: str) -> View | None:
        query = select(views).where(_V.tenant_id == tenant_id, _V.id == view_id)
        row = (await connection.execute(query)).mappings().first()
        view = _view_of(row) if row else None
        return view if view is not None and (view.shared or view.owner == owner) else None

    async def count(self, connection: AsyncConnection, tenant_id: str, owner: str) -> int:
        query = select(func.count()).where(_V.tenant_id == tenant_id, _V.owner == owner)
        return int(await connection.scalar(query) or 0)

    async def add(self, connection: AsyncConnection, tenant_id: str, view: View) -> None:
        values = {"tenant_id": tenant_id, "created_at": view.updated_at, "owner": view.owner, **_values(view)}
        await connection.execute(insert(views).values(**values, version=1))

    async def change(self, connection: AsyncConnection, tenant_id: str, view: View) -> bool:
        """False where the stored version is no longer the view's; else it grows by one."""
        query = update(views).where(*_exactly(tenant_id, view)).returning(_V.version)
        changed = await connection.execute(query.values(**_values(view), version=view.version + 1))
        return changed.first() is not None

    async def drop(self, connection: AsyncConnection, tenant_id: str, view: View) -> bool:
        """False where the stored version is no longer the view's."""
        query = delete(views).where(*_exactly(tenant_id, view)).returning(_V.id)
        return (await connection.execute(query)).first() is not None


def _exactly(tenant_id: str, view: View) -> tuple[ColumnElement[bool], ...]:
    return (_V.tenant_id == tenant_id, _V.id == view.id, _V.version == view.version)


def filters_json(filters: Filters) -> dict[str, Any]:
    """Only what is asked for."""
    given = {
        name: value for name, value in asdict(filters).items() if value not in (None, ()) and name != "sort"
    }
    if filters.due_before is not None:
        given["due_before"] = filters.due_before.isoformat()
    return given


def filters_of(given: dict[str, Any]) -> Filters:
    due = given.get("due_before")
    lists: dict[str, Any] = {name: tuple(given[name]) for name in ("state", "band") if name in given}
    dated: dict[str, Any] = {"due_before": datetime.fromisoformat(due)} if due else {}
    return Filters(**(given | lists | dated))


def _values(view: View) -> dict[str, Any]:
    return {
        "id": view.id,
        "name": view.name,
        "shared": view.shared,
        "filters": filters_json(view.filters),
        "columns": list(view.columns),
        "sort": view.sort,
        "updated_at": view.updated_at,
    }


def _view_of(row: Any) -> View:
    return View(
        row["id"],
        row["owner"],
        row["name"],
        row["shared"],
        filters_of(row["filters"]),
        tuple(row["columns"]),
        row["sort"],
        row["version"],
        row["updated_at"],
    )
