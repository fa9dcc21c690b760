"""How PostgreSQL is to find rows that are named by their whole key."""

from weakref import WeakSet

from sqlalchemy import text
from sqlalchemy.engine import Transaction
from sqlalchemy.ext.asyncio import AsyncConnection

BY_KEY = """
    set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
    set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)
"""
_BY_KEY = text(f"SELECT {BY_KEY}")
_said: WeakSet[Transaction] = WeakSet()


async def look_up_by_key(connection: AsyncConnection) -> None:
    """For the rest of the transaction, rows are found through their keys, however many are asked for.

    A plan is kept with the connection. One made while the table was small would read all of it, and go on
    doing so when it has grown: minutes instead of milliseconds, until statistics are gathered again. And a
    young table has no statistics, so that one tenant looks selective. To say it again costs nothing.
    """
    within = _innermost(connection)
    if within not in _said:
        await connection.execute(_BY_KEY)
        by_key_is_said(connection)


def by_key_is_said(connection: AsyncConnection) -> None:
    """The transaction looks up by key already."""
    _said.add(_innermost(connection))


def _innermost(connection: AsyncConnection) -> Transaction:
    """A savepoint that is rolled back takes back what was said in it."""
    of = connection.sync_connection
    within = of.get_nested_transaction() or of.get_transaction() if of is not None else None
    if within is None:
        raise ValueError("what is said holds for a transaction; begin one")
    return within
