"""Killing a process between two steps of a transaction, and what is in the tables afterwards."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text
from tests.integration.router_loops.house import House

TABLES = ("loop_event", "telling", "message", "change", "outbox", "item_event", "review", "contest")


class KilledError(Exception):
    """The process dies here."""


@contextmanager
def killed_at(owner: Any, name: str, *, after: bool) -> Iterator[None]:
    """Every call of this method dies, before it has done anything or right after."""
    real: Callable[..., Any] = getattr(owner, name)

    async def dying(*given: Any, **more: Any) -> Any:
        if after:
            await real(*given, **more)
        raise KilledError(name)

    setattr(owner, name, dying)
    try:
        yield
    finally:
        setattr(owner, name, real)


async def rows(house: House) -> dict[str, int]:
    counted = {}
    async with house.database.tenant("default") as connection:
        for table in TABLES:
            found = await connection.execute(text(f"SELECT count(*) FROM router.{table}"))
            counted[table] = found.scalar_one()
    return counted
