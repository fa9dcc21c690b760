"""Which tenants exist, remembered for a moment."""

from time import monotonic

from sqlalchemy import text

from heardback_shared.db.database import Database

REMEMBER_SECONDS = 10.0

_ALL = text("SELECT id FROM platform.tenant")


class PostgresTenants:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: frozenset[str] = frozenset()
        self._read_at = float("-inf")

    async def exists(self, tenant_id: str) -> bool:
        """Tenants are only ever added, so that one that was seen needs no second look."""
        if tenant_id not in self._known and monotonic() - self._read_at > REMEMBER_SECONDS:
            async with self._database.worker() as connection:
                self._known = frozenset((await connection.execute(_ALL)).scalars())
            self._read_at = monotonic()
        return tenant_id in self._known
