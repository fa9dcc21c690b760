"""Where in the whole database something can be read: every column of every table that may hold words."""

from collections.abc import Iterable

from sqlalchemy import text

from heardback_shared.db.database import Database

_COLUMNS = text("""
SELECT c.table_schema, c.table_name, c.column_name, c.udt_name FROM information_schema.columns c
JOIN information_schema.tables t USING (table_schema, table_name)
WHERE c.table_schema NOT IN ('pg_catalog', 'information_schema') AND t.table_type = 'BASE TABLE'
    AND c.udt_name IN ('text', 'varchar', 'bpchar', 'name', 'json', 'jsonb', 'bytea', '_text', 'tsvector')
""")


async def places_of(database: Database, marks: Iterable[str]) -> dict[str, set[str]]:
    """By mark: the columns, as `schema.table.column`, that hold it somewhere, in either case of letters."""
    found: dict[str, set[str]] = {mark: set() for mark in marks}
    async with database.worker() as connection:
        columns = (await connection.execute(_COLUMNS)).all()
    async with database.engine.connect() as connection:
        for schema, table, column, kind in columns:
            name = f'"{column}"'
            plain = f"encode({name}, 'escape')" if kind == "bytea" else f"CAST({name} AS text)"
            for mark, places in found.items():
                query = f'SELECT EXISTS (SELECT FROM "{schema}"."{table}" WHERE {plain} ILIKE :mark)'
                if await connection.scalar(text(query), {"mark": f"%{mark}%"}):
                    places.add(f"{schema}.{table}.{column}")
    return found
