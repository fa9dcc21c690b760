"""What became of everything that was accepted, over all tenants."""

from dataclasses import dataclass

from sqlalchemy import text

from heardback_shared.db.database import Database
from heardback_shared.settings import DatabaseSettings


@dataclass(frozen=True, slots=True)
class Ledger:
    accepted: int
    settled: int
    in_flight: int
    dead: int

    @property
    def holds(self) -> bool:
        """Nothing that was accepted is lost: every row is settled, in flight, or dead."""
        return self.accepted == self.settled + self.in_flight + self.dead


async def read_ledger(database_url: str) -> Ledger:
    """Counted row by row, as they stand."""
    database = Database(DatabaseSettings(url=database_url, pool_size=2))
    try:
        async with database.worker() as connection:
            row = (await connection.execute(_COUNT)).one()
    finally:
        await database.close()
    return Ledger(accepted=row.accepted, settled=row.settled, in_flight=row.in_flight, dead=row.dead)


_COUNT = text("""
    SELECT count(*) AS accepted,
           count(*) FILTER (WHERE state = 'settled') AS settled,
           count(*) FILTER (WHERE state = 'in_flight') AS in_flight,
           count(*) FILTER (WHERE state = 'dead') AS dead
    FROM ingest.feedback
""")
