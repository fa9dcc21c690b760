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

MANY = 20
"""From this many rows on, a column that holds one value throughout is sent once, not as an array.

Encoding arrays is most of what an insert costs here. Fewer rows are not worth a statement of their own.
"""


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
    values = {column: _encoded(table, column, [row[column] for row in rows]) for column in columns}
    alike = _alike(values) if len(rows) >= MANY else frozenset()
    parameters = {c: v[0] if c in alike else v for c, v in values.items()}
    result = await connection.execute(_statement(table, columns, alike, on_conflict, returning), parameters)
    return result.all() if returning else ()


def _encoded(table: Table, column: str, values: list[Any]) -> list[Any]:
    if isinstance(table.c[column].type, JSON):
        return [None if value is None else to_json(value) for value in values]
    return values


def _alike(values: Mapping[str, list[Any]]) -> frozenset[str]:
    """The columns that hold one value throughout; never all columns, as the arrays tell how many rows.

    Told by identity, so that a value which only compares equal, as 0.0 and -0.0 do, is never replaced.
    """
    alike = [column for column, held in values.items() if all(value is held[0] for value in held)]
    return frozenset(alike if len(alike) < len(values) else alike[1:])


@lru_cache(maxsize=256)
def _statement(
    table: Table,
    columns: tuple[str, ...],
    alike: frozenset[str],
    on_conflict: str,
    returning: tuple[str, ...],
) -> TextClause:
    types = {c: table.c[c].type.compile(_DIALECT) for c in columns}
    differing = [c for c in columns if c not in alike]
    arrays = ", ".join(f"CAST(:{c} AS {types[c]}[])" for c in differing)
    values = ", ".join(f"CAST(:{c} AS {types[c]})" if c in alike else f"u.{c}" for c in columns)
    sql = (
        f"INSERT INTO {table.fullname} ({', '.join(columns)}) SELECT {values} "  # noqa: S608
        f"FROM unnest({arrays}) AS u ({', '.join(differing)}) {on_conflict}"
    )
    if returning:
        sql += f" RETURNING {', '.join(returning)}"
    return text(sql)
