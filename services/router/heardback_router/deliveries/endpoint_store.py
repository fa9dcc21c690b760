"""Endpoints, their sealed keys and their history in Postgres."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.deliveries.breaker import Health
from heardback_router.deliveries.endpoint import Endpoint, Group
from heardback_router.deliveries.ports import EndpointEvent, LiveKey, NewKey
from heardback_router.deliveries.tables import alert_mails, endpoint_events, endpoints, replays, secrets

_FIXED = frozenset({"tenant_id", "id", "created_by", "created_at"})
HISTORY_SHOWN = 100


_ADDING = text("SELECT pg_advisory_xact_lock(hashtextextended('heardback.endpoints/' || :tenant, 0))")


class PostgresEndpoints:
    """Every statement names the tenant, besides row-level security."""

    async def add(
        self, connection: AsyncConnection, tenant_id: str, endpoint: Endpoint, created_by: str
    ) -> None:
        values = {**_row(endpoint), "tenant_id": tenant_id, "created_by": created_by}
        await connection.execute(insert(endpoints).values(values))

    async def all(
        self, connection: AsyncConnection, tenant_id: str, *, lock: bool = False
    ) -> Sequence[Endpoint]:
        query = select(endpoints).where(endpoints.c.tenant_id == tenant_id)
        query = query.order_by(endpoints.c.created_at, endpoints.c.id)
        rows = await connection.execute(query.with_for_update(read=True) if lock else query)
        return [endpoint_of(row) for row in rows.mappings()]

    async def count(self, connection: AsyncConnection, tenant_id: str) -> int:
        await connection.execute(_ADDING, {"tenant": tenant_id})
        query = select(func.count()).where(endpoints.c.tenant_id == tenant_id)
        return int((await connection.execute(query)).scalar_one())

    async def find(
        self, connection: AsyncConnection, tenant_id: str, endpoint_id: str, *, lock: bool = False
    ) -> Endpoint | None:
        query = select(endpoints).where(endpoints.c.tenant_id == tenant_id, endpoints.c.id == endpoint_id)
        row = (await connection.execute(query.with_for_update() if lock else query)).mappings().first()
        return endpoint_of(row) if row else None

    async def some(
        self, connection: AsyncConnection, tenant_id: str, endpoint_ids: Sequence[str]
    ) -> Sequence[Endpoint]:
        if not endpoint_ids:
            return []
        mine = endpoints.c.tenant_id == tenant_id, endpoints.c.id.in_(endpoint_ids)
        rows = await connection.execute(select(endpoints).where(*mine))
        return [endpoint_of(row) for row in rows.mappings()]

    async def save(self, connection: AsyncConnection, tenant_id: str, endpoint: Endpoint) -> None:
        values = {name: value for name, value in _row(endpoint).items() if name not in _FIXED}
        await connection.execute(
            update(endpoints)
            .where(endpoints.c.tenant_id == tenant_id, endpoints.c.id == endpoint.id)
            .values(values)
        )

    async def remove(self, connection: AsyncConnection, tenant_id: str, endpoint_id: str) -> None:
        for table in (secrets, endpoint_events, replays, alert_mails):
            await connection.execute(delete(table).where(*_of(table, tenant_id, endpoint_id)))
        await connection.execute(
            delete(endpoints).where(endpoints.c.tenant_id == tenant_id, endpoints.c.id == endpoint_id)
        )

    async def put_key(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        endpoint_id: str,
        key: NewKey,
        at: datetime,
        old_valid_until: datetime,
    ) -> None:
        mine = (*_of(secrets, tenant_id, endpoint_id), _same_kind(key.public_key))
        await connection.execute(delete(secrets).where(*mine, secrets.c.valid_until.is_not(None)))
        await connection.execute(update(secrets).where(*mine).values(valid_until=old_valid_until))
        await connection.execute(
            insert(secrets).values(
                tenant_id=tenant_id,
                endpoint_id=endpoint_id,
                id=key.id,
                sealed=key.sealed,
                created_at=at,
                public_key=key.public_key,
            )
        )

    async def end_keys(
        self, connection: AsyncConnection, tenant_id: str, endpoint_id: str, kind: str, until: datetime
    ) -> None:
        mine = (*_of(secrets, tenant_id, endpoint_id), _same_kind(None if kind == "v1" else kind))
        still_live = or_(secrets.c.valid_until.is_(None), secrets.c.valid_until > until)
        await connection.execute(update(secrets).where(*mine, still_live).values(valid_until=until))

    async def revoke_old_keys(
        self, connection: AsyncConnection, tenant_id: str, endpoint_id: str, at: datetime
    ) -> int:
        mine = (*_of(secrets, tenant_id, endpoint_id), secrets.c.valid_until > at)
        return (await connection.execute(delete(secrets).where(*mine))).rowcount

    async def live_keys(
        self, connection: AsyncConnection, tenant_id: str, endpoint_id: str, at: datetime
    ) -> Sequence[LiveKey]:
        still_live = or_(secrets.c.valid_until.is_(None), secrets.c.valid_until > at)
        rows = await connection.execute(
            select(secrets)
            .where(*_of(secrets, tenant_id, endpoint_id), still_live)
            .order_by(secrets.c.created_at.desc(), secrets.c.valid_until.nulls_first(), secrets.c.id)
        )
        return [
            LiveKey(r["id"], r["sealed"], r["public_key"], r["created_at"], r["valid_until"])
            for r in rows.mappings()
        ]

    async def note(
        self, connection: AsyncConnection, tenant_id: str, endpoint_id: str, event: EndpointEvent
    ) -> None:
        await connection.execute(
            insert(endpoint_events).values(
                tenant_id=tenant_id,
                endpoint_id=endpoint_id,
                at=event.at,
                kind=event.kind,
                because=event.because,
                actor=event.actor,
            )
        )

    async def history(
        self, connection: AsyncConnection, tenant_id: str, endpoint_id: str
    ) -> Sequence[EndpointEvent]:
        rows = await connection.execute(
            select(endpoint_events)
            .where(*_of(endpoint_events, tenant_id, endpoint_id))
            .order_by(endpoint_events.c.number.desc())
            .limit(HISTORY_SHOWN)
        )
        return [EndpointEvent(r["at"], r["kind"], r["because"], r["actor"]) for r in rows.mappings()]


def _of(table: Table, tenant_id: str, endpoint_id: str) -> tuple[Any, Any]:
    return table.c.tenant_id == tenant_id, table.c.endpoint_id == endpoint_id


def _same_kind(public_key: str | None) -> Any:
    return secrets.c.public_key.is_(None) if public_key is None else secrets.c.public_key.is_not(None)


def endpoint_of(row: Mapping[Any, Any]) -> Endpoint:
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
        group=Group(tuple(row["tiers"]), tuple(row["segments"]), tuple(row["regions"])),
        fields=tuple(row["fields"]),
        signature=row["signature"],
        proven=row["proven"],
        proven_at=row["proven_at"],
        proof_method=row["proof_method"],
        proof_because=row["proof_because"],
        rate_per_minute=row["rate_per_minute"],
        disabled_by=row["disabled_by"],
        held_since=row["held_since"],
        probe_at=row["probe_at"],
        probes=row["probes"],
        portal_generation=row["portal_generation"],
        health=Health(
            row["circuit"],
            row["circuit_until"],
            row["circuit_opened"],
            row["failures"],
            row["failing_since"],
            row["window_started"],
            row["window_made"],
            row["window_failed"],
        ),
    )


def _row(endpoint: Endpoint) -> dict[str, Any]:
    plain = {
        name: getattr(endpoint, name)
        for name in Endpoint.__dataclass_fields__
        if name not in {"group", "health", "event_types", "fields"}
    }
    health = endpoint.health
    return plain | {
        "event_types": list(endpoint.event_types),
        "fields": list(endpoint.fields),
        "tiers": list(endpoint.group.tiers),
        "segments": list(endpoint.group.segments),
        "regions": list(endpoint.group.regions),
        "circuit": health.circuit,
        "circuit_until": health.until,
        "circuit_opened": health.opened,
        "failures": health.failures,
        "failing_since": health.failing_since,
        "window_started": health.window_started,
        "window_made": health.window_made,
        "window_failed": health.window_failed,
    }
