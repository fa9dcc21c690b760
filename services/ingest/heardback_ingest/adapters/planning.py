"""How PostgreSQL is to find rows that are named by their whole key."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_BY_KEY = text("""
SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
    set_config('enable_bitmapscan', 'off', true), set_config('enable_seqscan', 'off', true)
""")


async def look_up_by_key(c: AsyncConnection) -> None:
    """For the rest of the transaction, row by row through the primary key.

    A young table has no statistics; one tenant then looks selective, and every batch would read all of it.
    """
    await c.execute(_BY_KEY)
