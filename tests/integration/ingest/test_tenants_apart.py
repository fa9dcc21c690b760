"""Two tenants with equal ids, on every route: neither sees, changes or replays what is the other's."""

import httpx
import orjson
from sqlalchemy import text
from tests.integration.ingest.conftest import Key
from tests.support.feedback import incoming, routed, survey, transcript

from heardback_ingest.main import Ingest
from heardback_shared.contracts.events import LOOP_CHANGED, SURVEY_SUBMITTED
from heardback_shared.db.database import Database


async def test_every_route_keeps_tenants_apart(
    http: httpx.AsyncClient, key: Key, ingest: Ingest, database: Database
) -> None:
    mine, theirs = await key(tenant="default"), await key(tenant="acme")
    ids: dict[str, str] = {}
    for name, headers in (("mine", mine), ("theirs", theirs)):
        posted = await http.post("/v1/surveys", json=survey(), headers=headers)
        assert posted.status_code == 202
        ids[name] = posted.json()["id"]
        assert (await http.post("/v1/transcripts", json=transcript(), headers=headers)).status_code == 202
        batch = await http.post("/v1/feedback:batch", json=[survey(2)], headers=headers)
        assert batch.json()[0]["status"] == "accepted"
        event = {"specversion": "1.0", "id": "e", "source": "/s", "type": SURVEY_SUBMITTED, "data": survey(3)}
        content = headers | {"Content-Type": "application/cloudevents+json"}
        assert (
            await http.post("/v1/events", content=orjson.dumps(event), headers=content)
        ).status_code == 202
    assert ids["mine"] != ids["theirs"]

    for headers, other in ((mine, ids["theirs"]), (theirs, ids["mine"])):
        assert (await http.get(f"/v1/feedback/{other}", headers=headers)).status_code == 404
        assert (await http.get("/v1/ledger", headers=headers)).json()["accepted"] == 4

    await http.put("/v1/customers/c-1", json={"source": "crm", "tier": "key", "name": "A"}, headers=mine)
    assert (await http.get("/v1/customers/c-1", headers=theirs)).status_code == 404
    await http.put("/v1/customers/c-1", json={"source": "crm", "tier": "standard"}, headers=theirs)
    await http.delete("/v1/customers/c-1/personal-data", headers=theirs)
    fields = (await http.get("/v1/customers/c-1", headers=mine)).json()["fields"]
    assert (fields["tier"]["value"], fields["name"]["value"]) == ("key", "A")

    # an event of one tenant that names the other's feedback changes nothing
    await ingest.settle([routed(ids["mine"], tenant="acme")])
    change = {
        "loop_id": "l",
        "item_id": "i",
        "feedback_ids": [ids["mine"]],
        "state": "told",
        "at": "2026-11-22T12:00:00Z",
    }
    await ingest.follow([incoming(LOOP_CHANGED, change, tenant="acme")])
    shown = (await http.get(f"/v1/feedback/{ids['mine']}", headers=mine)).json()
    assert (shown["status"], shown["loop"]) == ("accepted", None)

    await ingest.kafka_door([incoming("bad.v1", survey(), topic="feedback.submitted")])
    (letter,) = (await http.get("/v1/dead-letters", headers=mine)).json()["dead_letters"]
    assert (await http.get("/v1/dead-letters", headers=theirs)).json()["dead_letters"] == []
    assert (await http.get(f"/v1/dead-letters/{letter['id']}", headers=theirs)).status_code == 404
    assert (await http.post(f"/v1/dead-letters/{letter['id']}:replay", headers=theirs)).status_code == 404
    assert (await http.get("/v1/ledger", headers=theirs)).json()["rejected"] == 0


async def test_every_route_of_the_customer_master_keeps_tenants_apart(
    http: httpx.AsyncClient, key: Key
) -> None:
    mine, theirs = await key(tenant="default"), await key(tenant="acme")
    for customer in ("a", "b"):
        told = {"source": "crm", "tier": "key", "external_ids": {"crm": f"x-{customer}"}}
        await http.put(f"/v1/customers/{customer}", json=told, headers=mine)
    made = {
        "/v1/accounts/group": ("put", {"name": "Group", "source": "crm"}),
        "/v1/customers/a/account": ("put", {"account": "group", "source": "crm"}),
        "/v1/customers/a/handling": ("put", {"handling_notes": "calm"}),
        "/v1/customers/a/contracts": ("post", {"number": "C-1", "effective_from": "2026-01-01T00:00:00Z"}),
        "/v1/identity:merge": ("post", {"customer_id": "a", "into": "b", "reason": "same"}),
        "/v1/classes/run": ("post", {}),
        "/v1/customers:import?source=crm&import_id=i-1": ("post", None),
    }
    for path, (method, body) in made.items():
        file = None if body is not None else b"id,region\nc,EU\n"
        headers = mine if body is not None else mine | {"Content-Type": "text/csv"}
        answer = await http.request(method, path, json=body, content=file, headers=headers)
        assert answer.is_success, (path, answer.text)

    nothing = {
        "/v1/customers/a": 404,
        "/v1/accounts/group": 404,
        "/v1/customer-imports/i-1": 404,
        "/v1/classes/run": 404,
        "/v1/customers:lookup?source=crm&external_id=x-a": 404,
        "/v1/customers/a/account": {"customer_id": "a", "accounts": []},
        "/v1/customers/a/class": {"customer_id": "a", "changes": []},
        "/v1/customers/a/identity": {"customer_id": "a", "person_id": "a", "customer_ids": ["a"]},
        "/v1/customers:sync": {"sources": []},
        "/v1/customers:completeness": {"customers": [], "next_cursor": None},
        "/v1/identity/events": {"events": [], "next_after": None},
        "/v1/classes/waiting": {"customers": [], "next_cursor": None},
    }
    for path, expected in nothing.items():
        seen = await http.get(path, headers=theirs)
        assert (seen.status_code if isinstance(expected, int) else seen.json()) == expected, path
    rules = (await http.get("/v1/customers/a/rules", headers=theirs)).json()
    assert (rules["handling"], rules["contract_versions"]) == (None, [])
    joins = {"account": "group", "source": "crm"}
    assert (await http.put("/v1/customers/z/account", json=joins, headers=theirs)).status_code == 422
    below = {"name": "Sub", "parent": "group", "source": "crm"}
    assert (await http.put("/v1/accounts/sub", json=below, headers=theirs)).status_code == 422


async def test_row_level_security_is_forced_on_every_table(database: Database) -> None:
    async with database.worker() as c:
        tables = await c.execute(
            text(
                "SELECT relname, relrowsecurity AND relforcerowsecurity AS forced FROM pg_class"
                " JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'ingest' AND relkind = 'r'"
            )
        )
        loose = [row.relname for row in tables if not row.forced]
        keys = await c.execute(
            text(
                "SELECT c.relname, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
                " JOIN pg_namespace n ON n.oid = c.relnamespace"
                " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]"
                " WHERE n.nspname = 'ingest' AND i.indisprimary"
            )
        )
        first = {row.relname: row.attname for row in keys}
    assert loose == ["migration"]
    assert {t for t, column in first.items() if column != "tenant_id"} == {"migration", "outbox"}
