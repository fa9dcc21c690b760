"""Vectors on their way to PostgreSQL: as pgvector's halfvec takes them in binary, without a digit spelled."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.grouping.neighbourhood import Vector

INDEXED_DIMENSION = 384
"""Vectors of this length can be indexed, as the shipped model makes them; others are compared one by one."""

_TOLD = "heardback.halfvec"
_SCHEMA = text("""
SELECT n.nspname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = 'halfvec'::regtype
""")


async def send_vectors(connection: AsyncConnection) -> None:
    """From now on this connection takes what `packed` makes where a statement says halfvec, or halfvec[].

    Call it before such a statement; all but a connection's first call cost nothing.
    """
    raw = await connection.get_raw_connection()
    if _TOLD in raw.info:
        return
    schema = await connection.scalar(_SCHEMA)
    # A driver's own connection is typed as anything by whoever adapts it.
    driver = raw.driver_connection
    await driver.set_type_codec(  # type: ignore[union-attr]
        "halfvec", schema=schema, encoder=bytes, decoder=bytes, format="binary"
    )
    raw.info[_TOLD] = True


def packed(vector: Vector) -> bytes:
    """Dimension and a zero as two bytes each, then the values as float16, everything big-endian."""
    return len(vector).to_bytes(2, "big") + b"\0\0" + vector.astype(">f2").tobytes()
