"""Connections. Every transaction says whose data it may see; row-level security enforces it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from heardback_shared.db.planning import BY_KEY, by_key_is_said
from heardback_shared.settings import DatabaseSettings

TENANT_ROLE = "heardback_tenant"
WORKER_ROLE = "heardback_worker"

_ENTER = text("SELECT set_config('role', :role, true), set_config('heardback.tenant_id', :tenant, true)")
_ENTER_BY_KEY = text(f"{_ENTER.text}, {BY_KEY}")


def to_json(value: Any) -> str:
    return orjson.dumps(value).decode()


class Database:
    """One pool. Use `tenant` for everything done on behalf of one tenant, `worker` for sweeps across all."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self.engine = create_async_engine(
            settings.url,
            pool_size=settings.pool_size,
            max_overflow=0,
            pool_pre_ping=False,
            pool_recycle=1_800,
            json_serializer=to_json,
            json_deserializer=orjson.loads,
            connect_args={"server_settings": {"application_name": "heardback", "jit": "off"}},
        )

    @asynccontextmanager
    async def tenant(self, tenant_id: str, *, by_key: bool = False) -> AsyncIterator[AsyncConnection]:
        """A transaction that sees and writes only this tenant's rows. Commits when the block ends well.

        `by_key`: all it reads is found by key, see `look_up_by_key`; said here, it is one message less.
        """
        if not tenant_id:
            raise ValueError("a tenant id is needed")
        async with self.engine.begin() as connection:
            enter = _ENTER_BY_KEY if by_key else _ENTER
            await connection.execute(enter, {"role": TENANT_ROLE, "tenant": tenant_id})
            if by_key:
                by_key_is_said(connection)
            yield connection

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[AsyncConnection]:
        """A transaction over all tenants, for relays, sweeps and key look-ups; never for a request's data."""
        async with self.engine.begin() as connection:
            await connection.execute(_ENTER, {"role": WORKER_ROLE, "tenant": ""})
            yield connection

    async def close(self) -> None:
        await self.engine.dispose()


def is_unavailable(error: BaseException) -> bool:
    """True when the database, not the statement, is at fault: trying again later can help."""
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        state = str(getattr(error.orig, "sqlstate", "") or "")
        # Connection failure, transaction rollback (deadlock, serialisation), no resources, shutdown.
        return state[:2] in {"08", "40", "53", "57"} or not state
    # An exhausted pool is an outage too: whoever holds the connections gives them back.
    return isinstance(error, OSError | TimeoutError | PoolTimeoutError)
