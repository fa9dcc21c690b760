"""Stops of what is sent automatically, to one customer or to all of a tenant: who, when, why, all kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_HISTORY = text("""
SELECT number, held, because, by, at FROM platform.contact_hold
WHERE tenant_id = :tenant AND customer_id = :id ORDER BY number
""")
_HOLD = text("""
INSERT INTO platform.contact_hold (tenant_id, customer_id, number, held, because, by, at)
VALUES (:tenant, :id, :number, :held, :because, :by, :at)
""")
_STOPS = text("""
SELECT number, stopped AS held, because, by, at FROM platform.sending_stop
WHERE tenant_id = :tenant ORDER BY number
""")
_STOP = text("""
INSERT INTO platform.sending_stop (tenant_id, number, stopped, because, by, at)
VALUES (:tenant, :number, :held, :because, :by, :at)
""")
# Not the lock of people: who holds somebody while routing has other locks already.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


@dataclass(frozen=True, slots=True)
class Stop:
    """One line of a stop's history; the last one tells how it stands."""

    held: bool
    because: str
    by: str
    at: datetime


class PostgresHolds:
    """Machines may hold somebody; that a person lifts it is for the caller to see to."""

    async def of_customer(
        self, connection: AsyncConnection, tenant_id: str, customer_id: str
    ) -> Sequence[Stop]:
        rows = await connection.execute(_HISTORY, {"tenant": tenant_id, "id": customer_id})
        return [_stop(row) for row in rows]

    async def hold(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        customer_id: str,
        *,
        held: bool,
        because: str,
        by: str,
        at: datetime,
    ) -> bool:
        """Whether that changed anything. Who is held already stays held for the first reason."""
        await connection.execute(_LOCK, {"name": f"heardback.hold/{tenant_id}/{customer_id}"})
        history = await self.of_customer(connection, tenant_id, customer_id)
        line = _next(history, held, because, by, at)
        if line is not None:
            await connection.execute(_HOLD, {"tenant": tenant_id, "id": customer_id, **line})
        return line is not None

    async def of_tenant(self, connection: AsyncConnection, tenant_id: str) -> Sequence[Stop]:
        return [_stop(row) for row in await connection.execute(_STOPS, {"tenant": tenant_id})]

    async def stop_all(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        *,
        stopped: bool,
        because: str,
        by: str,
        at: datetime,
    ) -> bool:
        """Whether that changed anything."""
        await connection.execute(_LOCK, {"name": f"heardback.sending-stop/{tenant_id}"})
        line = _next(await self.of_tenant(connection, tenant_id), stopped, because, by, at)
        if line is not None:
            await connection.execute(_STOP, {"tenant": tenant_id, **line})
        return line is not None


def _next(history: Sequence[Stop], held: bool, because: str, by: str, at: datetime) -> dict[str, Any] | None:
    now_held = history[-1].held if history else False
    if held == now_held:
        return None
    return {"number": len(history) + 1, "held": held, "because": because, "by": by, "at": at}


def _stop(row: Any) -> Stop:
    return Stop(row.held, row.because, row.by, row.at)
