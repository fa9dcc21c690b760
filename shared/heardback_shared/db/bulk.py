"""Many rows, one statement: an array per column, unnested by the server. One parse, one round trip."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, Row, Table, text
from sqlalchemy.dialects.postgresql import dialect
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import TextClause

from heardback_shared.db.database import to_json

_DIALECT = dialect()  # type: ignore[no-untyped-call]


async def insert_rows(
    connection: AsyncConnection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    on_conflict: str = "",
    returning: tuple[str, ...] = (),
) -> Sequence[Row[Any]]:
    """Inserts rows that all name the same columns; JSON columns take plain Python values.

    `on_conflict` is the clause as SQL writes it, such as "ON CONFLICT DO NOTHING"; `returning` names columns
    of the rows that were in fact inserted (or updated by the clause).
    """
    if not rows:
        return ()
    columns = tuple(rows[0])
    statement = _statement(table, columns, on_conflict, returning)
    result = await connection.execute(statement, _arrays(table, columns, rows))
    return result.all() if returning else ()


def _arrays(table: Table, columns: tuple[str, ...], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    arrays: dict[str, Any] = {}
    for column in columns:
        if isinstance(table.c[column].type, JSON):
            arrays[column] = [None if row[column] is None else to_json(row[column]) for row in rows]
        else:
            arrays[column] = [row[column] for row in rows]
    return arrays


@lru_cache(maxsize=256)
def _statement(
    table: Table, columns: tuple[str, ...], on_conflict: str, returning: tuple[str, ...]
) -> TextClause:
    arrays = ", ".join(f"CAST(:{c} AS {table.c[c].type.compile(_DIALECT)}[])" for c in columns)
    names = ", ".join(columns)
    sql = f"INSERT INTO {table.fullname} ({names}) SELECT * FROM unnest({arrays}) {on_conflict}"  # noqa: S608
    if returning:
        sql += f" RETURNING {', '.join(returning)}"
    return text(sql)
