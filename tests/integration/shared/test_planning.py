"""Rows named by their key are found through it, whatever the size of the table when the plan was made."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_shared.db.database import Database
from heardback_shared.db.planning import look_up_by_key

MADE = "CREATE TABLE platform.thing (tenant_id text, id text, seen boolean, PRIMARY KEY (tenant_id, id))"
MARK = text("""
UPDATE platform.thing t SET seen = true FROM unnest(CAST(:ids AS text[])) AS r(id)
WHERE t.tenant_id = 'a' AND t.id = r.id
""")
FILL = text("""
INSERT INTO platform.thing
SELECT 'a', n::text, false FROM generate_series(CAST(:low AS integer), CAST(:high AS integer)) AS n
""")
READ = text("SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'thing'")


async def rows_read_through(connection: AsyncConnection, ids: list[str]) -> int:
    """Rows read by going through the whole table while these are marked."""
    before = await connection.scalar(READ) or 0
    await connection.execute(MARK, {"ids": ids})
    return int(await connection.scalar(READ) or 0) - int(before)


async def test_a_plan_made_on_a_small_table_still_holds_when_it_has_grown(database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text(MADE))
        await look_up_by_key(connection)
        await connection.execute(FILL, {"low": 1, "high": 3})
        await connection.execute(text("ANALYZE platform.thing"))
        for _ in range(6):
            assert await rows_read_through(connection, ["1", "2"]) == 0
        await connection.execute(FILL, {"low": 4, "high": 5_000})
        assert await rows_read_through(connection, [str(n) for n in range(1, 500)]) == 0


async def test_without_it_the_whole_table_is_read(database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text(MADE))
        await connection.execute(FILL, {"low": 1, "high": 3})
        await connection.execute(text("ANALYZE platform.thing"))
        assert sum([await rows_read_through(connection, ["1", "2"]) for _ in range(6)]) > 0
