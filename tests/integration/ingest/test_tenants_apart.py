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
