"""How PostgreSQL is to find rows that are named by their whole key."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_BY_KEY = text("SELECT set_config('plan_cache_mode', 'force_generic_plan', true)")


async def look_up_by_key(c: AsyncConnection) -> None:
    """For the rest of the transaction, plans that do not look at how many keys are asked for.

    A young table has no statistics, so that one tenant looks selective: for some hundred keys PostgreSQL
    would then rather read all of the tenant's rows. A plan for an unknown number of keys goes through the
    primary key.
    """
    await c.execute(_BY_KEY)
