"""The database: in reach, bound by row security, at its newest schema, and its ledger whole."""

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from heardback_local.doctor.findings import Finding
from heardback_local.ledger import Ledger, read_ledger
from heardback_shared.db.database import Database
from heardback_shared.db.migrate import pending
from heardback_shared.settings import DatabaseSettings

_OLDEST_VERSION = 15
_SESSION = text("""
    SELECT session_user AS name, rolsuper OR rolbypassrls AS bypasses,
           current_setting('server_version_num')::int / 10000 AS version
    FROM pg_roles WHERE rolname = session_user
""")


async def look_at_database(settings: DatabaseSettings) -> list[Finding]:
    """Stops at the first thing without which the rest cannot be looked at."""
    try:
        reach, role = await _session(settings)
        findings = [reach, role, await _migrations(settings)]
        if findings[-1].verdict == "ok":
            findings.append(judge_ledger(await read_ledger(settings.url)))
        return findings
    except (OSError, SQLAlchemyError, TimeoutError) as error:
        return [
            Finding(
                "database",
                "fail",
                f"not in reach: {str(error).splitlines()[0] if str(error) else type(error).__name__}",
                "start PostgreSQL, or correct HEARDBACK_DATABASE_URL",
            )
        ]


def judge_ledger(ledger: Ledger) -> Finding:
    """The invariant, and what died."""
    parts = f"settled {ledger.settled} + in flight {ledger.in_flight} + dead {ledger.dead}"
    if not ledger.holds:
        detail = f"accepted {ledger.accepted} is not {parts}"
        return Finding("ledger", "fail", detail, "stop ingest and look at the table ingest.feedback")
    sums = f"accepted {ledger.accepted} = {parts}"
    if ledger.dead:
        return Finding("ledger", "warn", sums, "see why: heardback dead list; then heardback dead replay")
    return Finding("ledger", "ok", sums)


async def _session(settings: DatabaseSettings) -> tuple[Finding, Finding]:
    database = Database(settings)
    try:
        async with database.engine.connect() as connection:
            row = (await connection.execute(_SESSION)).one()
    finally:
        await database.close()
    reach = Finding("database", "ok", f"PostgreSQL {row.version}")
    if row.version < _OLDEST_VERSION:
        reach = Finding("database", "fail", f"PostgreSQL {row.version}", "use PostgreSQL 15 or newer")
    role = Finding("row security", "ok", f"role {row.name} is bound by it")
    if row.bypasses:
        role = Finding(
            "row security",
            "fail",
            f"role {row.name} bypasses it",
            f"ALTER ROLE {row.name} NOSUPERUSER NOBYPASSRLS, or use another role",
        )
    return reach, role


async def _migrations(settings: DatabaseSettings) -> Finding:
    behind = await pending(settings)
    if not behind:
        return Finding("migrations", "ok", "at the newest schema")
    detail = ", ".join(f"{schema} at {found}, newest {head}" for schema, (found, head) in behind.items())
    return Finding("migrations", "fail", detail, "heardback migrate")
