"""Checks for readiness: does what the service leans on answer right now?"""

import asyncio

from sqlalchemy import text

from heardback_shared.db.database import Database

CHECK_SECONDS = 2.0


async def database_check(database: Database, statement: str = "SELECT 1") -> str | None:
    """None when PostgreSQL answers the statement in time, otherwise what is wrong."""
    try:
        async with asyncio.timeout(CHECK_SECONDS), database.worker() as connection:
            await connection.execute(text(statement))
    except Exception as error:  # whatever is wrong with it, the service is not ready
        return f"PostgreSQL does not answer ({type(error).__name__})"
    return None


async def broker_check(bootstrap_servers: str) -> str | None:
    """None when one of the servers takes a connection, otherwise what is wrong."""
    for server in bootstrap_servers.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        except (OSError, TimeoutError, ValueError):
            continue
        writer.close()
        return None
    return "no broker takes a connection"
