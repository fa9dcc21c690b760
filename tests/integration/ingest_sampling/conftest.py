"""The ingest service on a real database, and people who were asked."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from tests.integration.ingest.conftest import (
    clock,
    http,
    ingest,
    key,
    service_settings,
    settings,
)

from heardback_shared.contact.domain import Card
from heardback_shared.contact.store import PostgresContacts
from heardback_shared.db.database import Database
from heardback_shared.keyring import Keyring

__all__ = ["clock", "http", "ingest", "key", "service_settings", "settings"]

_INVITED = text("""
INSERT INTO ingest.survey_invitation (tenant_id, id, customer_id, person_id, survey, type, channel, kind,
    state, reserved_at, expires_at, sent_at, seen_at, answered_at, last_at, decision_id, policy)
SELECT :tenant, told.id, told.person, told.person, :survey, 'nps', 'email', :kind,
    CASE WHEN told.answered IS NULL THEN 'sent' ELSE 'answered' END,
    told.at, told.at, told.at, told.answered, told.answered, coalesce(told.answered, told.at), 'sd_1', 'x@1'
FROM unnest(CAST(:ids AS text[]), CAST(:persons AS text[]), CAST(:times AS timestamptz[]),
    CAST(:answered AS timestamptz[])) AS told(id, person, at, answered)
""")

Invited = Callable[..., Awaitable[None]]
Known = Callable[..., Awaitable[None]]


@pytest.fixture
def invited(database: Database) -> Invited:
    """Writes down invitations that were sent: (person, when, whether it was answered an hour later)."""
    count = 0

    async def write(
        survey: str,
        sent: Sequence[tuple[str, datetime, bool]],
        *,
        tenant: str = "default",
        kind: str = "invitation",
    ) -> None:
        nonlocal count
        rows: dict[str, Any] = {
            "ids": [f"si_{count + number}" for number in range(len(sent))],
            "persons": [person for person, _, _ in sent],
            "times": [at for _, at, _ in sent],
            "answered": [at + timedelta(hours=1) if answered else None for _, at, answered in sent],
        }
        count += len(sent)
        async with database.tenant(tenant) as c:
            await c.execute(_INVITED, {"tenant": tenant, "survey": survey, "kind": kind, **rows})

    return write


@pytest.fixture
def known(database: Database) -> Known:
    """Tells of people, each a customer of its own, with the segment they are in."""
    contacts = PostgresContacts(Keyring(b"k" * 32))

    async def tell(
        people: Sequence[str], segment: str | None, *, at: datetime, tenant: str = "default"
    ) -> None:
        async with database.tenant(tenant) as c:
            for person in people:
                card = Card(person, person, at, segment=segment, provenance={"segment": "stated"})
                await contacts.put_card(c, tenant, card)

    return tell
