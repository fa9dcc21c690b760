"""Two customer ids that are one person: merged, split, undone; never by itself, never across tenants."""

from random import Random
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from tests.integration.ingest.conftest import Key
from tests.integration.ingest.test_customer_profiles import tell
from tests.support.clock import FakeClock
from tests.support.customers import recipient, snapshots, stands
from tests.support.feedback import survey

from heardback_ingest.adapters.postgres_links import PostgresLinks
from heardback_ingest.domain.identity import persons
from heardback_ingest.main import Ingest
from heardback_shared.db.database import Database
from heardback_shared.keyring import Keyring
from heardback_shared.settings import ServiceSettings


async def decide(http: httpx.AsyncClient, headers: dict[str, str], what: str, **body: str) -> Any:
    answer = await http.post(f"/v1/identity:{what}", json=body | {"reason": "seen"}, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_merge_counts_history_over_all_ids_and_undoing_it_restores_exactly(
    http: httpx.AsyncClient, key: Key, database: Database, ingest: Ingest, clock: FakeClock
) -> None:
    headers = await key()
    for customer in ("a", "b"):
        await tell(http, headers, customer, region="EU")
        await http.post(
            "/v1/surveys", json=survey(1, source=customer, customer={"id": customer}), headers=headers
        )
    await stands(ingest, clock, "a", 1, open_items=2, breaches=1)
    await stands(ingest, clock, "b", 1, open_items=1)
    before = await people(database)
    done = await decide(http, headers, "merge", customer_id="a", into="b")
    assert done["changed"] == [
        {"customer_id": "a", "person_id": "b", "customer_ids": ["a", "b"]},
        {"customer_id": "b", "person_id": "b", "customer_ids": ["a", "b"]},
    ]
    clock.forward(minutes=1)
    await http.post("/v1/surveys", json=survey(2, customer={"id": "a"}), headers=headers)
    await decide(http, headers, "undo", event=done["event"]["id"])
    clock.forward(minutes=1)
    await http.post("/v1/surveys", json=survey(3, customer={"id": "b"}), headers=headers)
    *_, merged, restored = await snapshots(database)
    assert (merged.person_id, merged.history.contacts_30d, merged.history.open_items) == ("b", 2, 3)
    assert (merged.history.breaches, len(merged.history.last_scores)) == (1, 2)
    assert (restored.person_id, restored.history.contacts_30d, restored.history.open_items) == (None, 1, 1)
    assert await people(database) == before
    events = (await http.get("/v1/identity/events", headers=headers)).json()["events"]
    assert [e["kind"] for e in events] == ["merge", "undo"]
    first = (await http.get("/v1/identity/events?limit=1", headers=headers)).json()
    assert (first["events"], first["next_after"]) == (events[:1], 1)
    rest = (await http.get("/v1/identity/events?limit=1&after=1", headers=headers)).json()
    assert (rest["events"], rest["next_after"]) == (events[1:], None)


async def people(database: Database) -> list[tuple[Any, ...]]:
    async with database.tenant("default") as c:
        links = await c.execute(text("SELECT customer_id, person_id, members FROM ingest.identity"))
        cards = await c.execute(text("SELECT customer_id, person_id FROM platform.contact_card ORDER BY 1"))
        return [*map(tuple, links), *map(tuple, cards)]


async def test_contact_sees_the_person_and_an_opt_out_of_one_id_holds_for_both(
    http: httpx.AsyncClient,
    key: Key,
    database: Database,
    clock: FakeClock,
    service_settings: ServiceSettings,
) -> None:
    headers, keyring = await key(), Keyring(service_settings.master_key)
    await tell(http, headers, "a", email="ada@example.com")
    await tell(http, headers, "b", language="de")
    async with database.tenant("default") as c:
        await c.execute(
            text("""INSERT INTO platform.contact_consent
                (tenant_id, customer_id, id, scope, given, provenance, source, proved, recorded_by, at,
                recorded_at)
                VALUES ('default', 'a', 'x', 'surveys', false, 'stated', 'page', false, 'a', :at, :at)"""),
            {"at": clock.now()},
        )
    assert "surveys" not in (await recipient(database, keyring, "b", clock)).refused
    done = await decide(http, headers, "merge", customer_id="a", into="b")
    for customer in ("a", "b"):
        known = await recipient(database, keyring, customer, clock)
        assert known.person_id == "b"
        assert "surveys" in known.refused
        assert "email" in known.channels
    await decide(http, headers, "undo", event=done["event"]["id"])
    assert "surveys" not in (await recipient(database, keyring, "b", clock)).refused
    assert "surveys" in (await recipient(database, keyring, "a", clock)).refused


async def test_likeness_is_only_suggested_and_ends_with_the_decision(
    http: httpx.AsyncClient, key: Key
) -> None:
    headers = await key()
    await tell(http, headers, "a", email="Ada@Example.com")
    await tell(http, headers, "b", email=" ada@example.com")
    await tell(http, headers, "c", email="other@example.com")
    found = (await http.get("/v1/identity/suggestions", headers=headers)).json()
    assert found == {"suggestions": [{"shared": "email", "customer_ids": ["a", "b"]}], "next_cursor": None}
    assert (await http.get("/v1/customers/a/identity", headers=headers)).json()["customer_ids"] == ["a"]
    await decide(http, headers, "merge", customer_id="a", into="b")
    assert (await http.get("/v1/identity/suggestions", headers=headers)).json()["suggestions"] == []
    await decide(http, headers, "split", customer_id="b")
    assert len((await http.get("/v1/identity/suggestions", headers=headers)).json()["suggestions"]) == 1
    page = (await http.get("/v1/identity/suggestions?limit=1", headers=headers)).json()
    end = await http.get("/v1/identity/suggestions", params={"cursor": page["next_cursor"]}, headers=headers)
    assert end.json() == {"suggestions": [], "next_cursor": None}
    bad = await http.get("/v1/identity/suggestions", params={"cursor": "%"}, headers=headers)
    assert bad.status_code == 422


async def test_customers_of_two_tenants_are_never_alike_nor_merged(
    http: httpx.AsyncClient, key: Key, database: Database
) -> None:
    mine, theirs = await key(), await key(tenant="acme")
    await tell(http, mine, "a", email="ada@example.com")
    await tell(http, theirs, "b", email="ada@example.com")
    for headers in (mine, theirs):
        assert (await http.get("/v1/identity/suggestions", headers=headers)).json()["suggestions"] == []
    body = {"customer_id": "a", "into": "b", "reason": "same"}
    refused = await http.post("/v1/identity:merge", json=body, headers=mine)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/into")
    async with database.worker() as c:
        digests = (await c.execute(text("SELECT digest FROM ingest.likeness"))).scalars().all()
    assert len(set(digests)) == 2, "the same address has another mark in another tenant"
    await tell(http, mine, "b", region="EU")
    done = await decide(http, mine, "merge", customer_id="a", into="b")
    undo = {"event": done["event"]["id"], "reason": "not mine"}
    assert (await http.post("/v1/identity:undo", json=undo, headers=theirs)).status_code == 409
    assert (await http.get("/v1/identity/events", headers=theirs)).json() == {
        "events": [],
        "next_after": None,
    }


async def test_what_would_change_nothing_is_refused(http: httpx.AsyncClient, key: Key) -> None:
    headers = await key()
    await tell(http, headers, "a", region="EU")
    await tell(http, headers, "b", region="EU")
    done = await decide(http, headers, "merge", customer_id="a", into="b")
    for what, body in (
        ("merge", {"customer_id": "b", "into": "a"}),
        ("undo", {"event": "ie_none"}),
        ("merge", {"customer_id": "a", "into": "a"}),
    ):
        answer = await http.post(f"/v1/identity:{what}", json=body | {"reason": "x"}, headers=headers)
        assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[1]) == (409, "nothing-to-do")
    await decide(http, headers, "undo", event=done["event"]["id"])
    again = await http.post(
        "/v1/identity:undo", json={"event": done["event"]["id"], "reason": "x"}, headers=headers
    )
    assert again.status_code == 409


async def test_a_merge_that_dies_half_way_never_was(
    http: httpx.AsyncClient, key: Key, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = await key()
    await tell(http, headers, "a", region="EU")
    await tell(http, headers, "b", region="EU")
    before = await people(database)

    async def dies(*args: Any) -> None:
        raise RuntimeError("killed")

    body = {"customer_id": "a", "into": "b", "reason": "same"}
    with monkeypatch.context() as patched:
        patched.setattr(PostgresLinks, "people", dies)
        assert (await http.post("/v1/identity:merge", json=body, headers=headers)).status_code == 500
    assert await people(database) == before
    assert (await http.get("/v1/identity/events", headers=headers)).json() == {
        "events": [],
        "next_after": None,
    }
    assert (await http.post("/v1/identity:merge", json=body, headers=headers)).status_code == 201


async def test_who_is_one_person_is_always_the_fold_of_the_whole_log(
    http: httpx.AsyncClient, key: Key, ingest: Ingest, database: Database
) -> None:
    """However it was worked out: a merge from those it names, an undo from what hangs together with it."""
    headers, random = await key(), Random(11)
    ids = [f"k-{n}" for n in range(7)]
    for customer in ids:
        await http.put(f"/v1/customers/{customer}", json={"source": "crm", "tier": "key"}, headers=headers)
    undone = 0
    for _ in range(60):
        async with database.tenant("default") as c:
            log = await PostgresLinks().identity_events(c, "default", 0, 1_000)
            kept = (await c.execute(text("SELECT customer_id, person_id FROM ingest.identity"))).all()
        assert {row.customer_id: row.person_id for row in kept} == persons(log)
        kind = random.choice(["merge", "merge", "split", "undo"])
        if kind == "undo" and log:
            body = {"event": random.choice(log).id, "reason": "oops"}
        elif kind == "merge":
            body = {"customer_id": random.choice(ids), "into": random.choice(ids), "reason": "same"}
        else:
            kind, body = "split", {"customer_id": random.choice(ids), "reason": "other"}
        answer = await http.post(f"/v1/identity:{kind}", json=body, headers=headers)
        assert answer.status_code in {201, 409}, answer.text
        undone += kind == "undo" and answer.status_code == 201
    assert undone > 5
