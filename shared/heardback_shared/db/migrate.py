"""Schema migrations: one Alembic history per service, run under one lock, each in its own transaction.

Files are named by date; `pre` migrations only add, so that the previous release still runs on the new schema.
"""

from collections.abc import Sequence
from importlib.resources import as_file, files

from alembic import op
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from heardback_shared.db.database import TENANT_ROLE, WORKER_ROLE, Database
from heardback_shared.settings import DatabaseSettings

HISTORIES = (
    ("platform", "heardback_shared"),
    ("ingest", "heardback_ingest"),
    ("router", "heardback_router"),
)
"""(schema, package whose folder `migrations` holds its history)."""

LOCK = "heardback.migrate"


async def migrate(settings: DatabaseSettings) -> dict[str, str]:
    """Brings every schema to its head; returns each one's revision. Safe to run twice at once."""
    database = Database(settings)
    try:
        async with database.engine.connect() as connection:
            await connection.execute(text("SELECT pg_advisory_lock(hashtextextended(:n, 0))"), {"n": LOCK})
            await connection.commit()
            try:
                for schema, package in HISTORIES:
                    await connection.run_sync(_upgrade, schema, package)
                    await connection.commit()
                return {schema: await connection.run_sync(_current, schema) for schema, _ in HISTORIES}
            finally:
                await connection.rollback()
                await connection.execute(
                    text("SELECT pg_advisory_unlock(hashtextextended(:n, 0))"), {"n": LOCK}
                )
                await connection.commit()
    finally:
        await database.close()


async def pending(settings: DatabaseSettings) -> dict[str, tuple[str, str]]:
    """(revision found, head) of every schema that is not at its head."""
    database = Database(settings)
    try:
        async with database.engine.connect() as connection:
            found = {schema: await connection.run_sync(_current, schema) for schema, _ in HISTORIES}
    finally:
        await database.close()
    heads = {schema: _head(package) for schema, package in HISTORIES}
    return {s: (found[s], heads[s]) for s in heads if found[s] != heads[s]}


def _upgrade(connection: Connection, schema: str, package: str) -> None:
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
    connection.execute(text("SET LOCAL lock_timeout = '10s'"))
    with as_file(files(package) / "migrations") as folder:
        script = ScriptDirectory(str(folder))
        environment = EnvironmentContext(
            Config(),
            script,
            fn=lambda revision, _: script._upgrade_revs("head", revision),
        )
        with environment:
            environment.configure(
                connection=connection, version_table="migration", version_table_schema=schema
            )
            environment.run_migrations()


def _current(connection: Connection, schema: str) -> str:
    context = MigrationContext.configure(
        connection, opts={"version_table": "migration", "version_table_schema": schema}
    )
    return context.get_current_revision() or "none"


def _head(package: str) -> str:
    with as_file(files(package) / "migrations") as folder:
        return ScriptDirectory(str(folder)).get_current_head() or "none"


def execute_script(sql: str) -> None:
    """Runs statements that are separated by lines ending in a semicolon. For use inside migrations."""
    for statement in sql.split(";\n"):
        if statement.strip():
            op.execute(statement.strip().rstrip(";"))


def secure_tables(schema: str, tables: Sequence[str]) -> None:
    """Forces row-level security by `tenant_id` on the tables, and lets the worker role see every tenant.

    For use inside migrations, once per table, after it is made.
    """
    op.execute(f"GRANT USAGE ON SCHEMA {schema} TO {TENANT_ROLE}, {WORKER_ROLE}")
    for table in tables:
        name = f"{schema}.{table}"
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {TENANT_ROLE}, {WORKER_ROLE}")
        op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
        tenant = "tenant_id = current_setting('heardback.tenant_id')"
        op.execute(
            f"CREATE POLICY one_tenant ON {name} TO {TENANT_ROLE} USING ({tenant}) WITH CHECK ({tenant})"
        )
        op.execute(f"CREATE POLICY all_tenants ON {name} TO {WORKER_ROLE} USING (true) WITH CHECK (true)")
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {TENANT_ROLE}, {WORKER_ROLE}")
