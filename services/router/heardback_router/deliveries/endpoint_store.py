"""Endpoints and their sealed secrets in Postgres."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.deliveries.ports import Endpoint
from heardback_router.deliveries.tables import endpoints, secrets


class PostgresEndpoints:
    """Every statement names the tenant, besides row-level security."""

    async def add(
        self, connection: AsyncConnection, tenant_id: str, endpoint: Endpoint, created_by: str
    ) -> None:
        await connection.execute(
            insert(endpoints).values(
                tenant_id=tenant_id,
                id=endpoint.id,
                url=endpoint.url,
                description=endpoint.description,
                event_types=list(endpoint.event_types),
                enabled=endpoint.enabled,
                created_by=created_by,
                created_at=endpoint.created_at,
                changed_at=endpoint.changed_at,
            )
        )

    async def all(
        self, connection: AsyncConnection, tenant_id: str, *, lock: bool = False
    ) -> Sequence[Endpoint]:
        query = select(endpoints).where(endpoints.c.tenant_id == tenant_id)
        query = query.order_by(endpoints.c.created_at, endpoints.c.id)
        rows = await connection.execute(query.with_for_update(read=True) if lock else query)
        return [_endpoint(row) for row in rows.mappings()]

    async def find(
        self, connection: AsyncConnection, tenant_id: str, endpoint_id: str, *, lock: bool = False
    ) -> Endpoint | None:
        query = select(endpoints).where(endpoints.c.tenant_id == tenant_id, endpoints.c.id == endpoint_id)
        row = (await connection.execute(query.with_for_update() if lock else query)).mappings().first()
        return _endpoint(row) if row else None

    async def remove(self, connection: AsyncConnection, tenant_id: str, endpoint_id: str) -> None:
        await connection.execute(
            delete(secrets).where(secrets.c.tenant_id == tenant_id, secrets.c.endpoint_id == endpoint_id)
        )
        await connection.execute(
            delete(endpoints).where(endpoints.c.tenant_id == tenant_id, endpoints.c.id == endpoint_id)
        )

    async def set_enabled(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        endpoint_id: str,
        *,
        enabled: bool,
        because: str | None,
        at: datetime,
    ) -> None:
        await connection.execute(
            update(endpoints)
            .where(endpoints.c.tenant_id == tenant_id, endpoints.c.id == endpoint_id)
            .values(enabled=enabled, disabled_because=because, throttled_until=None, changed_at=at)
        )

    async def put_secret(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        endpoint_id: str,
        secret_id: str,
        sealed: bytes,
        at: datetime,
        old_valid_until: datetime,
    ) -> None:
        mine = (secrets.c.tenant_id == tenant_id) & (secrets.c.endpoint_id == endpoint_id)
        await connection.execute(delete(secrets).where(mine, secrets.c.valid_until.is_not(None)))
        await connection.execute(update(secrets).where(mine).values(valid_until=old_valid_until))
        await connection.execute(
            insert(secrets).values(
                tenant_id=tenant_id, endpoint_id=endpoint_id, id=secret_id, sealed=sealed, created_at=at
            )
        )


def _endpoint(row: Mapping[Any, Any]) -> Endpoint:
    return Endpoint(
        id=row["id"],
        url=row["url"],
        description=row["description"],
        event_types=tuple(row["event_types"]),
        enabled=row["enabled"],
        disabled_because=row["disabled_because"],
        throttled_until=row["throttled_until"],
        created_at=row["created_at"],
        changed_at=row["changed_at"],
    )
