"""What asking about people costs: `python -m tests.load.contact_speed [customers]`.

A tenant of so many customers (20 000 unless told), each with a card, an address, two wishes and a line of the
consent ledger; then 500 of them are asked about, as a batch of feedback or messages would.
"""

import asyncio
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

from sqlalchemy import text

from heardback_router.configuration.source import packaged
from heardback_shared.contact.domain import Ask, Digest, Recipient, Touch
from heardback_shared.contact.policy import read_contact
from heardback_shared.contact.store import PostgresContacts
from heardback_shared.contact.verdict import verdict
from heardback_shared.db.database import Database
from heardback_shared.db.migrate import migrate
from heardback_shared.keyring import Keyring
from heardback_shared.settings import DatabaseSettings
from tests.support.postgres import PostgresServer

NOW = datetime(2026, 11, 24, 21, 0, tzinfo=UTC)
ROUNDS = 20
FILL = (
    """INSERT INTO platform.contact_card SELECT 'default', 'c' || n, 'c' || n, '{}',
        '{"language": "de", "time_zone": "Europe/Berlin", "provenance": {}}', now()
        FROM generate_series(1, CAST(:n AS integer)) AS n""",
    """INSERT INTO platform.contact_address SELECT 'default', 'c' || n, 'email', 'x', 'stated', 'crm', now()
        FROM generate_series(1, CAST(:n AS integer)) AS n""",
    """INSERT INTO platform.contact_wish SELECT 'default', 'c' || n, name, 'stated', 'page', '"daily"', null,
        now(), null FROM generate_series(1, CAST(:n AS integer)) AS n,
        unnest(ARRAY['digest', 'language']) AS name""",
    """INSERT INTO platform.contact_consent SELECT 'default', 'c' || n, 'x', 'surveys', null, false,
        'stated', 'page', null, null, false, null, 'x', now(), now()
        FROM generate_series(1, CAST(:n AS integer)) AS n""",
)


async def people(customers: int) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer(Path(folder) / "data")
        try:
            await server.run("CREATE DATABASE speed")
            settings = DatabaseSettings(url=server.url("speed"), pool_size=2)
            await migrate(settings)
            database = Database(settings)
            async with database.tenant("default") as c:
                for statement in FILL:
                    await c.execute(text(statement), {"n": customers})
            contacts = PostgresContacts(Keyring(bytes(32)))
            asked = [f"c{n * customers // 500 + 1}" for n in range(500)]
            taken = []
            for _ in range(ROUNDS):
                async with database.tenant("default") as c:
                    begun = perf_counter()
                    found = await contacts.recipients(c, "default", asked, NOW)
                    taken.append(perf_counter() - begun)
                assert len(found) == 500
            await database.close()
            return taken
        finally:
            server.stop()


def verdicts(digest: Digest) -> float:
    """Seconds each, in the worst hour: quiet, capped, and the digest far off."""
    rules = read_contact(packaged("contact.yaml"))
    touches = [
        Touch(str(n), "p", "case_updates", "email", True, NOW - timedelta(hours=30 * n)) for n in range(5)
    ]
    who = Recipient("c", "p", ("email",), time_zone="Europe/Berlin", digest=digest)
    begun = perf_counter()
    for _ in range(200):
        verdict(who, Ask("case_updates"), touches, rules, NOW)
    return (perf_counter() - begun) / 200


async def main() -> None:
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    taken = await people(customers)
    middle, slowest = (seconds * 1_000 for seconds in (median(taken), max(taken)))
    print(f"500 of {customers} customers: median {middle:.0f} ms, slowest {slowest:.0f} ms")  # noqa: T201
    digests: tuple[Digest, ...] = ("none", "weekly")
    for digest in digests:
        print(f"one verdict, digest {digest}: {verdicts(digest) * 1_000:.2f} ms")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
