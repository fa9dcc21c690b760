"""What is known of a customer: how it is known, how old it is, and what becomes of it."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from tests.integration.ingest.conftest import Key
from tests.support.clock import FakeClock
from tests.support.customers import recipient, rules_in_force, snapshots
from tests.support.feedback import survey

from heardback_ingest.main import Ingest
from heardback_shared.db.database import Database
from heardback_shared.keyring import Keyring
from heardback_shared.settings import ServiceSettings


async def tell(http: httpx.AsyncClient, headers: dict[str, str], customer: str = "c-1", **facts: Any) -> Any:
    answer = await http.put(f"/v1/customers/{customer}", json={"source": "crm"} | facts, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_outdated_field_is_marked_and_does_not_ride_along(
    http: httpx.AsyncClient, key: Key, database: Database, clock: FakeClock
) -> None:
    headers = await key()
    await tell(http, headers, tier="key", region="EU", renewal_date="2026-12-01")
    await http.post("/v1/surveys", json=survey(1, customer={"id": "c-1"}), headers=headers)
    clock.forward(days=401)
    shown = (await http.get("/v1/customers/c-1", headers=headers)).json()["fields"]
    assert {name: field["stale"] for name, field in shown.items()} == {
        "tier": True,
        "region": False,
        "renewal_date": True,
    }
    await http.post("/v1/surveys", json=survey(2, customer={"id": "c-1"}), headers=headers)
    fresh, old = await snapshots(database)
    assert (fresh.tier, fresh.stale) == ("key", ())
    assert (old.tier, old.renewal_date, old.profile_at, old.region) == (None, None, None, "EU")
    assert old.stale == ("tier", "renewal_date")


async def test_the_limits_of_age_are_the_tenants_own(
    http: httpx.AsyncClient, key: Key, database: Database, clock: FakeClock
) -> None:
    headers = await key()
    await tell(http, headers, tier="key")
    await rules_in_force(database, "policy: own@1\ngood_for_days: {tier: 1}\n")
    clock.forward(days=2)
    await http.post("/v1/surveys", json=survey(1, customer={"id": "c-1"}), headers=headers)
    (snapshot,) = await snapshots(database)
    assert (snapshot.tier, snapshot.stale) == (None, ("tier",))


async def test_a_guess_is_tagged_everywhere_and_gives_way_to_what_was_said(
    http: httpx.AsyncClient,
    key: Key,
    database: Database,
    clock: FakeClock,
    service_settings: ServiceSettings,
) -> None:
    headers = await key()
    await tell(http, headers, provenance="inferred", language="fr", email="guessed@example.com")
    await http.post("/v1/surveys", json=survey(1, customer={"id": "c-1"}), headers=headers)
    (snapshot,) = await snapshots(database)
    assert (snapshot.language, snapshot.inferred) == ("fr", ("language",))
    keyring = Keyring(service_settings.master_key)
    guessed = await recipient(database, keyring, "c-1", clock)
    assert "language" in guessed.inferred
    assert "email" not in guessed.channels, "nobody is written to on a guess"
    shown = await tell(http, headers, language="de", email="ada@example.com")
    assert shown["fields"]["language"]["beside"][0]["provenance"] == "inferred"
    said = await recipient(database, keyring, "c-1", clock)
    assert (said.language, said.inferred) == ("de", frozenset())
    assert "email" in said.channels


async def test_contact_knows_the_card_and_the_address_with_the_same_transaction(
    http: httpx.AsyncClient,
    key: Key,
    database: Database,
    clock: FakeClock,
    service_settings: ServiceSettings,
) -> None:
    headers, keyring = await key(), Keyring(service_settings.master_key)
    await tell(http, headers, tier="key", segment="smb", time_zone="Europe/Berlin", email="ada@example.com")
    known = await recipient(database, keyring, "c-1", clock)
    assert (known.tier, known.segment, known.time_zone, known.person_id) == (
        "key",
        "smb",
        "Europe/Berlin",
        "c-1",
    )
    assert "email" in known.channels
    await tell(http, headers, email=None)
    assert "email" not in (await recipient(database, keyring, "c-1", clock)).channels


async def test_erasing_leaves_nothing_personal_anywhere(
    http: httpx.AsyncClient,
    key: Key,
    database: Database,
    clock: FakeClock,
    service_settings: ServiceSettings,
) -> None:
    headers = await key()
    for customer in ("c-1", "c-2"):
        await tell(http, headers, customer, tier="key", email="ada@example.com", phone="+49 30 901820")
    notes = {"handling_notes": "Ada prefers to be called in the morning."}
    await http.put("/v1/customers/c-1/handling", json=notes, headers=headers)
    assert await holding(database, b"ada@example.com", b"prefers", b"901820") == []
    suggested = (await http.get("/v1/identity/suggestions", headers=headers)).json()["suggestions"]
    assert [s["shared"] for s in suggested] == ["email", "phone"]

    erased = await http.delete("/v1/customers/c-1/personal-data", headers=headers)
    assert erased.status_code == 204
    shown = (await http.get("/v1/customers/c-1", headers=headers)).json()["fields"]
    assert sorted(shown) == ["tier"]
    rules = (await http.get("/v1/customers/c-1/rules", headers=headers)).json()
    assert rules["handling"]["erased"] is True
    assert "handling_notes" not in rules["handling"]
    assert (await http.get("/v1/identity/suggestions", headers=headers)).json()["suggestions"] == []
    known = await recipient(database, Keyring(service_settings.master_key), "c-1", clock)
    assert "email" not in known.channels
    async with database.tenant("default") as c:
        left = await c.scalar(text("SELECT count(*) FROM ingest.likeness WHERE customer_id = 'c-1'"))
    assert left == 0


async def holding(database: Database, *secrets: bytes) -> list[str]:
    """The tables of both schemas in which one of these can be read."""
    found = []
    async with database.worker() as c:
        names = await c.execute(
            text("SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('ingest', 'platform')")
        )
        for schema, name in names.all():
            if name in ("migration", "tenant"):
                continue
            rows = (await c.execute(text(f"SELECT * FROM {schema}.{name}"))).all()
            raw = [v if isinstance(v, bytes) else str(v).encode() for row in rows for v in row]
            if any(secret in value for secret in secrets for value in raw):
                found.append(f"{schema}.{name}")
    return found


async def test_an_external_id_belongs_to_one_customer(http: httpx.AsyncClient, key: Key) -> None:
    headers, theirs = await key(), await key(tenant="acme")
    await tell(http, headers, external_ids={"crm": "A/1", "shop": "9"})
    asked = {"source": "crm", "external_id": "A/1"}
    found = await http.get("/v1/customers:lookup", params=asked, headers=headers)
    assert found.json()["id"] == "c-1"
    assert (await http.get("/v1/customers:lookup", params=asked, headers=theirs)).status_code == 404
    await tell(http, theirs, "x-1", external_ids={"crm": "A/1"})
    body = {"source": "crm", "external_ids": {"crm": "A/1"}, "tier": "key"}
    taken = await http.put("/v1/customers/c-2", json=body, headers=headers)
    assert (taken.status_code, taken.json()["errors"][0]["pointer"]) == (409, "/external_ids/crm")
    assert (await http.get("/v1/customers/c-2", headers=headers)).status_code == 404
    await tell(http, headers, external_ids={"shop": "9"})
    await tell(http, headers, "c-2", external_ids={"crm": "A/1"})
    assert (await http.get("/v1/customers:lookup", params=asked, headers=headers)).json()["id"] == "c-2"


async def test_of_two_who_claim_an_external_id_at_once_one_gets_it(http: httpx.AsyncClient, key: Key) -> None:
    headers = await key()
    body = {"source": "crm", "external_ids": {"crm": "A/1"}}
    answers = await asyncio.gather(
        *(http.put(f"/v1/customers/c-{n}", json=body, headers=headers) for n in range(4))
    )
    assert sorted(a.status_code for a in answers) == [200, 409, 409, 409]


async def test_a_silent_source_is_shown_as_silent_and_lag_is_measured(
    http: httpx.AsyncClient, key: Key, database: Database, clock: FakeClock, ingest: Ingest
) -> None:
    headers = await key()
    await rules_in_force(database)
    await tell(http, headers, at="2026-11-22T11:59:00Z", tier="key")
    await tell(http, headers, "c-2", at="2026-11-22T10:00:00Z", tier="key")
    await tell(http, headers, "c-2", source="shop", region="EU")
    found = {
        s["source"]: s for s in (await http.get("/v1/customers:sync", headers=headers)).json()["sources"]
    }
    assert (found["crm"]["last_lag_seconds"], found["crm"]["within_limit"], found["crm"]["late"]) == (
        7200,
        False,
        1,
    )
    assert found["crm"]["newest_fact_at"] == "2026-11-22T11:59:00+00:00"
    assert (found["crm"]["tellings"], found["crm"]["silent"]) == (2, False)
    assert (found["shop"]["last_lag_seconds"], found["shop"]["late"]) == (0, 0)
    count = ingest.metrics.registry.get_sample_value(
        "heardback_customer_lag_seconds_count", {"source": "crm"}
    )
    assert count == 2
    assert (
        ingest.metrics.registry.get_sample_value("heardback_customer_lag_seconds_count", {"source": "shop"})
        is None
    ), "who does not say as of when is neither early nor late"
    clock.forward(hours=30)
    silent = {
        s["source"]: s["silent"]
        for s in (await http.get("/v1/customers:sync", headers=headers)).json()["sources"]
    }
    assert silent == {"crm": True, "shop": False}


@pytest.mark.parametrize("first", ["old", "new"])
async def test_late_and_repeated_facts_end_the_same(http: httpx.AsyncClient, key: Key, first: str) -> None:
    headers = await key()
    old = {"at": "2026-11-20T00:00:00Z", "tier": "key", "email": "old@example.com"}
    new = {"at": "2026-11-21T00:00:00Z", "tier": "strategic", "email": "new@example.com"}
    for telling in (old, new, old) if first == "old" else (new, old, new):
        shown = await tell(http, headers, **telling)
    assert shown["fields"]["tier"]["value"] == "strategic"
    assert shown["fields"]["email"]["value"] == "new@example.com"
