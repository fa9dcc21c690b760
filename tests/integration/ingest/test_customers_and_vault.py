"""What is known of customers rides along, what is personal is sealed, and erasing destroys the key."""

import asyncio
from datetime import date

import httpx
import orjson
import pytest
from sqlalchemy import text
from tests.integration.ingest.conftest import Key
from tests.support.clock import FakeClock
from tests.support.feedback import survey

from heardback_ingest.adapters.postgres_vault import PostgresVault
from heardback_ingest.main import Ingest
from heardback_shared.contracts.customer import CustomerSnapshot
from heardback_shared.contracts.events import FeedbackAccepted
from heardback_shared.db.database import Database
from heardback_shared.keyring import Keyring
from heardback_shared.settings import ServiceSettings

ADA = {
    "source": "crm",
    "tier": "strategic",
    "lifetime_value": 120_000,
    "currency": "EUR",
    "renewal_date": "2026-12-20",
    "time_zone": "Europe/Berlin",
    "name": "Ada Byron",
    "email": "ada@example.com",
}
PERSONAL = survey(
    comment="Ada Byron, ada@example.com", customer={"id": "c-1", "contact": {"name": "Ada Byron"}}
)


@pytest.fixture
def vault(service_settings: ServiceSettings) -> PostgresVault:
    return PostgresVault(Keyring(service_settings.master_key))


async def snapshots(database: Database) -> list[CustomerSnapshot | None]:
    async with database.worker() as c:
        rows = (await c.execute(text("SELECT data FROM ingest.outbox ORDER BY id"))).scalars()
        return [FeedbackAccepted.model_validate_json(row).customer for row in rows]


async def test_facts_have_source_and_age_and_newer_beats_older(
    http: httpx.AsyncClient, key: Key, clock: FakeClock
) -> None:
    headers = await key("customers:write", "customers:read")
    await http.put("/v1/customers/c-1", json=ADA, headers=headers)
    clock.forward(hours=1)
    late = {"source": "billing", "at": "2026-11-22T11:00:00Z", "tier": "key", "owner": "ann"}
    await http.put("/v1/customers/c-1", json=late, headers=headers)
    fields = (await http.get("/v1/customers/c-1", headers=headers)).json()["fields"]
    told = {"provenance": "stated", "stale": False}
    noon = {"value": "strategic", "source": "crm", "at": "2026-11-22T12:00:00+00:00"}
    assert fields["tier"] == noon | told
    assert fields["owner"] == {"value": "ann", "source": "billing", "at": "2026-11-22T11:00:00+00:00"} | told
    assert fields["name"]["value"] == "Ada Byron"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"tier": "key"}, "/source"),
        ({"source": "crm"}, ""),
        (ADA | {"tier": "gold"}, "/tier"),
        (ADA | {"time_zone": "Mars/Base"}, "/time_zone"),
        (ADA | {"time_zone": "../etc"}, "/time_zone"),
        (ADA | {"currency": "euro"}, "/currency"),
        (ADA | {"at": "2027-01-01T00:00:00Z"}, "/at"),
        (ADA | {"owner": "a\x00"}, ""),
        (ADA | {"lifetime_value": -1}, "/lifetime_value"),
    ],
)
async def test_wrong_facts_are_refused(
    http: httpx.AsyncClient, key: Key, body: dict[str, object], pointer: str
) -> None:
    headers = await key()
    answer = await http.put("/v1/customers/c-1", json=body, headers=headers)
    assert answer.status_code == 422
    assert pointer in [e["pointer"] for e in answer.json()["errors"]]
    assert (await http.get("/v1/customers/c-1", headers=headers)).status_code == 404


async def test_ids_may_hold_slashes(http: httpx.AsyncClient, key: Key) -> None:
    headers = await key()
    await http.put("/v1/customers/shop/c-1", json=ADA, headers=headers)
    assert (await http.get("/v1/customers/shop%2Fc-1", headers=headers)).json()["id"] == "shop/c-1"
    assert (await http.delete("/v1/customers/shop/c-1/personal-data", headers=headers)).status_code == 204


async def test_concurrent_tellings_are_all_kept(http: httpx.AsyncClient, key: Key) -> None:
    headers = await key()
    tellings = [{"owner": "ann"}, {"region": "EU"}, {"segment": "smb"}, {"name": "Ada"}]
    await asyncio.gather(
        *(http.put("/v1/customers/c-1", json={"source": "x"} | t, headers=headers) for t in tellings)
    )
    fields = (await http.get("/v1/customers/c-1", headers=headers)).json()["fields"]
    assert sorted(fields) == ["name", "owner", "region", "segment"]


async def test_the_snapshot_rides_on_the_event_with_history_and_nothing_personal(
    http: httpx.AsyncClient, key: Key, database: Database, clock: FakeClock
) -> None:
    headers = await key()
    await http.put("/v1/customers/c-1", json=ADA, headers=headers)
    for number, value in enumerate([9, 8, 2]):
        body = survey(number, customer={"id": "c-1"})
        body["metric"]["value"] = value
        await http.post("/v1/surveys", json=body, headers=headers)
        clock.forward(days=20)
    body = survey(2, customer={"id": "c-1"}, revision=2)
    await http.post("/v1/surveys", json=body, headers=headers)
    await http.post("/v1/surveys", json=survey(9, customer=None), headers=headers)
    first, _, third, revised, nobody = await snapshots(database)
    assert first is not None
    assert third is not None
    assert revised is not None
    assert nobody is None
    assert (first.tier, first.renewal_date) == ("strategic", date(2026, 12, 20))
    assert (first.history.contacts_30d, first.history.last_scores) == (0, ())
    assert (third.history.contacts_30d, third.history.last_scores) == (1, (8, 9))
    assert (revised.history.contacts_30d, revised.history.last_scores) == (0, (8, 9))
    assert "Ada" not in first.model_dump_json()
    assert third.taken_at is not None
    assert first.profile_at == third.profile_at
    assert first.profile_at is not None


async def test_the_original_is_sealed_and_only_there_and_erasing_destroys_it(
    http: httpx.AsyncClient, key: Key, database: Database, vault: PostgresVault
) -> None:
    headers = await key()
    await http.put("/v1/customers/c-1", json=ADA, headers=headers)
    posted = (await http.post("/v1/surveys", json=PERSONAL, headers=headers)).json()["id"]
    async with database.tenant("default") as c:
        kept = await vault.original(c, "default", posted, 1)
    assert kept is not None
    assert orjson.loads(kept)["comment"] == "Ada Byron, ada@example.com"
    assert await everything(database) == []

    erased = await http.delete("/v1/customers/c-1/personal-data", headers=headers)
    assert erased.status_code == 204
    async with database.tenant("default") as c:
        assert await vault.original(c, "default", posted, 1) is None
    fields = (await http.get("/v1/customers/c-1", headers=headers)).json()["fields"]
    assert "name" not in fields
    assert fields["tier"]["value"] == "strategic"
    assert (await http.get(f"/v1/feedback/{posted}", headers=headers)).json()["status"] == "accepted"
    again = await http.delete("/v1/customers/c-1/personal-data", headers=headers)
    assert again.status_code == 404


async def everything(database: Database) -> list[str]:
    """The tables in which the personal data can be read."""
    found = []
    async with database.worker() as c:
        names = await c.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'ingest'"))
        for (name,) in names.all():
            if name == "migration":
                continue
            rows = (await c.execute(text(f"SELECT * FROM ingest.{name}"))).all()
            if any(b"ada@example.com" in raw(v) or b"Byron" in raw(v) for row in rows for v in row):
                found.append(name)
    return found


def raw(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


async def test_a_clean_survey_leaves_nothing_in_the_vault(
    http: httpx.AsyncClient, key: Key, database: Database
) -> None:
    await http.post("/v1/surveys", json=survey(), headers=await key())
    async with database.worker() as c:
        assert await c.scalar(text("SELECT count(*) FROM ingest.original")) == 0
        assert await c.scalar(text("SELECT count(*) FROM ingest.data_key")) == 0


async def test_two_first_feedbacks_of_a_customer_at_once_share_one_key(
    http: httpx.AsyncClient, key: Key, database: Database, vault: PostgresVault, ingest: Ingest
) -> None:
    headers = await key()
    bodies = [PERSONAL | {"external_id": f"x-{n}", "source": f"s{n}"} for n in range(6)]
    batches = [http.post("/v1/feedback:batch", json=[body], headers=headers) for body in bodies]
    answers = await asyncio.gather(*batches)
    async with database.tenant("default") as c:
        assert await c.scalar(text("SELECT count(*) FROM ingest.data_key")) == 1
        for answer in answers:
            assert await vault.original(c, "default", answer.json()[0]["id"], 1) is not None
