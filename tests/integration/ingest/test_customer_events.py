"""The topic customer.updated: the same as a PUT, once per event; what is wrong is kept and stops nothing."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text
from tests.integration.ingest.conftest import Key
from tests.support.clock import FakeClock
from tests.support.feedback import incoming

from heardback_ingest.adapters.postgres_profiles import PostgresProfiles
from heardback_ingest.main import Ingest
from heardback_shared.contracts.envelope import EnvelopeError
from heardback_shared.contracts.events import CUSTOMER_UPDATED
from heardback_shared.db.database import Database
from heardback_shared.stream.ports import Incoming, Record


def updated(number: int, tenant: str | None = "default", **fields: Any) -> Incoming:
    data = {"customer_id": "c-1", "source": "crm"} | fields
    return incoming(
        CUSTOMER_UPDATED, data, tenant=tenant, event_id=f"u-{number}", topic="customer.updated", offset=number
    )


async def tiers(http: httpx.AsyncClient, headers: dict[str, str]) -> Any:
    return (await http.get("/v1/customers/c-1", headers=headers)).json()["fields"]["tier"]


async def test_an_event_counts_once_and_as_of_its_own_time(
    http: httpx.AsyncClient, key: Key, ingest: Ingest, clock: FakeClock
) -> None:
    headers = await key()
    clock.forward(hours=1)
    first = updated(1, tier="key")
    await ingest.customers.door([first, first, updated(2, region="EU")])
    clock.forward(hours=1)
    await http.put("/v1/customers/c-1", json={"source": "ann", "tier": "strategic"}, headers=headers)
    await ingest.customers.door([first])
    assert (await tiers(http, headers))["value"] == "strategic"
    shown = (await http.get("/v1/customers/c-1", headers=headers)).json()["fields"]
    assert shown["region"]["at"] == "2026-11-22T12:00:00+00:00"
    synced = (await http.get("/v1/customers:sync", headers=headers)).json()["sources"]
    assert {s["source"]: s["tellings"] for s in synced} == {"ann": 1, "crm": 2}


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
async def test_the_order_of_events_does_not_matter(
    http: httpx.AsyncClient, key: Key, ingest: Ingest, order: tuple[int, int]
) -> None:
    events = {
        1: updated(1, tier="key", at="2026-11-01T00:00:00Z"),
        2: updated(2, tier="strategic", at="2026-11-02T00:00:00Z"),
    }
    for number in order:
        await ingest.customers.door([events[number]])
    assert (await tiers(http, await key()))["value"] == "strategic"


async def test_what_is_wrong_is_kept_with_its_bytes_and_the_rest_is_taken(
    http: httpx.AsyncClient, key: Key, ingest: Ingest
) -> None:
    headers = await key()
    await http.put(
        "/v1/customers/c-9", json={"source": "crm", "external_ids": {"crm": "A1"}}, headers=headers
    )
    bad = [
        updated(1, tier="gold"),
        updated(2, tenant="nobody", tier="key"),
        incoming("other.v1", {}, topic="customer.updated", event_id="u-3", offset=3),
        updated(4, shoe=1),
        updated(5, external_ids={"crm": "A1"}),
        updated(6, at="2027-01-01T00:00:00Z", tier="key"),
        updated(7),
        incoming(CUSTOMER_UPDATED, b"{", topic="customer.updated", event_id="u-8", offset=8),
    ]
    await ingest.customers.door([*bad, updated(9, tier="key")])
    await ingest.customers.door.reject_record(
        Record("customer.updated", 0, 10, None, b"x"), EnvelopeError("no")
    )
    assert (await tiers(http, headers))["value"] == "key"
    letters = (await http.get("/v1/dead-letters", headers=headers)).json()["dead_letters"]
    assert sorted(x["offset"] for x in letters) == [1, 2, 3, 4, 5, 6, 7, 8, 10]
    assert all("gold" not in x["reason"] for x in letters)
    await ingest.customers.door([*bad, updated(9, tier="key")])
    assert len((await http.get("/v1/dead-letters", headers=headers)).json()["dead_letters"]) == 9


async def test_a_refused_event_can_be_replayed_once_its_cause_is_mended(
    http: httpx.AsyncClient, key: Key, ingest: Ingest, database: Database
) -> None:
    headers = await key()
    taken = {"source": "crm", "external_ids": {"crm": "A1"}}
    await http.put("/v1/customers/c-9", json=taken, headers=headers)
    event = updated(1, external_ids={"crm": "A1"})
    await ingest.customers.door([event])
    await http.put("/v1/customers/c-9", json=taken | {"external_ids": {}}, headers=headers)
    (letter,) = (await http.get("/v1/dead-letters", headers=headers)).json()["dead_letters"]
    await ingest.customers.door([event])
    asked = {"source": "crm", "external_id": "A1"}
    assert (await http.get("/v1/customers:lookup", params=asked, headers=headers)).json()["id"] == "c-1"
    async with database.worker() as c:
        assert await c.scalar(text("SELECT count(*) FROM ingest.customer_event")) == 1
    assert letter["topic"] == "customer.updated"


async def test_killed_while_writing_the_event_comes_again_and_counts(
    http: httpx.AsyncClient, key: Key, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*args: Any) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(PostgresProfiles, "put", dies)
        with pytest.raises(RuntimeError):
            await ingest.customers.door([updated(1, tier="key")])
    headers = await key()
    assert (await http.get("/v1/customers/c-1", headers=headers)).status_code == 404
    await ingest.customers.door([updated(1, tier="key")])
    assert (await tiers(http, headers))["value"] == "key"


async def test_ids_of_events_are_forgotten_after_the_topic_has_forgotten_them(
    ingest: Ingest, database: Database, clock: FakeClock
) -> None:
    await ingest.customers.door([updated(1, tier="key")])
    for days, left in ((13, 1), (2, 0)):
        clock.forward(days=days)
        await ingest.customers.sources.forget_events()
        async with database.worker() as c:
            assert await c.scalar(text("SELECT count(*) FROM ingest.customer_event")) == left
