"""How PostgreSQL is to find rows that are named by their whole key."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_BY_KEY = text("""
SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
    set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)
""")


async def look_up_by_key(connection: AsyncConnection) -> None:
    """For the rest of the transaction, rows are found through their keys, however many are asked for.

    A plan is kept with the connection. One made while the table was small would read all of it, and go on
    doing so when it has grown: minutes instead of milliseconds, until statistics are gathered again. And a
    young table has no statistics, so that one tenant looks selective.
    """
    await connection.execute(_BY_KEY)
