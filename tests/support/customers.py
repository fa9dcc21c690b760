"""Customers for tests: facts told, standings announced, rules in force, cards read."""

from hashlib import sha256
from typing import Any

from sqlalchemy import text

from heardback_ingest.domain.classes_policy import read_classes
from heardback_ingest.main import Ingest
from heardback_shared.contact.domain import Recipient
from heardback_shared.contact.store import PostgresContacts
from heardback_shared.contracts.customer import CustomerSnapshot
from heardback_shared.contracts.events import CUSTOMER_STANDING, FeedbackAccepted
from heardback_shared.db.database import Database
from heardback_shared.keyring import Keyring
from heardback_shared.policies.in_force import put_in_force
from tests.support.clock import NOON, FakeClock
from tests.support.feedback import incoming

RULES = """
policy: classes@2
good_for_days: {tier: 400, lifetime_value: 400, currency: 400, language: 730}
good_until: [renewal_date]
currency: EUR
rules:
  - {name: big, when: {lifetime_value: {at_least: 50000}}, tier: strategic, because: It is worth much.}
  - {name: rest, when: {lifetime_value: {known: true}}, tier: standard, segment: smb, because: It is less.}
required:
  strategic: [owner, handling_notes, contract, account]
sources:
  crm: {hear_every_hours: 24, lag_minutes: 10}
"""


async def rules_in_force(database: Database, written: str = RULES, tenant: str = "default") -> None:
    name = read_classes(written).name
    async with database.tenant(tenant) as c:
        digest = sha256(written.encode()).hexdigest()
        await put_in_force(c, tenant, "classes", name, written, digest, NOON)


async def stands(
    ingest: Ingest, clock: FakeClock, customer: str, counter: int, open_items: int, **figures: int
) -> None:
    """Router announces how the customer stands."""
    nothing = dict.fromkeys(("transfers", "open_promises", "broken_promises", "breaches"), 0)
    data: dict[str, Any] = {
        "customer_id": customer,
        "counter": counter,
        "at": clock.now().isoformat(),
        "open_items": open_items,
        **(nothing | figures),
    }
    await ingest.standings([incoming(CUSTOMER_STANDING, data)])


async def snapshots(database: Database) -> list[CustomerSnapshot]:
    """On the accepted events, oldest first."""
    async with database.worker() as c:
        rows = (
            await c.execute(
                text("SELECT data FROM ingest.outbox WHERE topic = 'feedback.accepted' ORDER BY id")
            )
        ).scalars()
        found = [FeedbackAccepted.model_validate_json(row).customer for row in rows]
    return [snapshot for snapshot in found if snapshot is not None]


async def recipient(database: Database, keyring: Keyring, customer: str, clock: FakeClock) -> Recipient:
    async with database.tenant("default") as c:
        found = await PostgresContacts(keyring).recipients(c, "default", [customer], clock.now())
    return found[customer]
