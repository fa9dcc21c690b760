"""Importing customers: tried, taken, sent again, broken off and gone on with."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text
from tests.integration.ingest.conftest import Key
from tests.integration.ingest.test_customer_profiles import tell
from tests.support.clock import FakeClock

from heardback_ingest.adapters.postgres_imports import PostgresImports
from heardback_ingest.app import imports as app_imports
from heardback_shared.db.database import Database

FILE = """\ufeffKunde,Stufe,lifetime_value,currency,email,external_ids.crm
c-1,key,1000,EUR,ada@example.com,A1
c-2,gold,1000,EUR,,
c-3,standard,"1.000,50",EUR,,
c-4,standard,,,,A1
c-5,strategic,,,,A5
"""


async def send(http: httpx.AsyncClient, headers: dict[str, str], body: str, **params: Any) -> httpx.Response:
    asked = {"source": "crm", "map": ["Kunde:id", "Stufe:tier"]} | params
    content = headers | {"Content-Type": "text/csv; charset=utf-8"}
    return await http.post("/v1/customers:import", content=body.encode(), params=asked, headers=content)


async def test_a_dry_run_tells_what_would_change_and_keeps_nothing(
    http: httpx.AsyncClient, key: Key, database: Database
) -> None:
    headers = await key()
    await tell(http, headers, "c-1", tier="standard", email="ada@example.com")
    before = await stored(database)
    done = (await send(http, headers, FILE, dry_run="true")).json()
    assert await stored(database) == before
    assert done["counts"] == {"new": 1, "changed": 1, "unchanged": 0, "refused": 3}
    rows = {row["line"]: row for row in done["results"]}
    assert {c["field"]: (c["before"], c["after"]) for c in rows[2]["changes"]} == {
        "currency": (None, "EUR"),
        "external_ids": (None, {"crm": "A1"}),
        "lifetime_value": (None, 1000.0),
        "tier": ("standard", "key"),
    }
    refused = {line: row["errors"][0]["pointer"] for line, row in rows.items() if row["outcome"] == "refused"}
    assert refused == {3: "/tier", 4: "/lifetime_value", 5: "/external_ids/crm"}
    assert rows[6]["outcome"] == "new"
    assert "ada@" not in str(done)


async def stored(database: Database) -> list[tuple[Any, ...]]:
    tables = (
        "customer",
        "external_id",
        "likeness",
        "customer_source",
        "data_key",
        "customer_import",
        "class_change",
    )
    async with database.worker() as c:
        return [tuple(r) for t in tables for r in (await c.execute(text(f"SELECT * FROM ingest.{t}"))).all()]


async def test_taken_twice_it_is_taken_once_and_newer_facts_stay(
    http: httpx.AsyncClient, key: Key, clock: FakeClock
) -> None:
    headers = await key()
    first = (await send(http, headers, FILE, import_id="im-1")).json()
    assert first["counts"] == {"new": 2, "changed": 0, "unchanged": 0, "refused": 3}
    clock.forward(hours=1)
    await tell(http, headers, "c-5", tier="key")
    again = (await send(http, headers, FILE, import_id="im-1")).json()
    assert again["counts"] == {"new": 0, "changed": 0, "unchanged": 2, "refused": 3}
    assert (await http.get("/v1/customers/c-5", headers=headers)).json()["fields"]["tier"]["value"] == "key"
    kept = (await http.get("/v1/customer-imports/im-1", headers=headers)).json()
    assert (kept["counts"], kept["last_line"]) == (first["counts"], 6)
    assert [r["line"] for r in kept["refused"]] == [3, 4, 5]
    other = await send(http, headers, FILE, import_id="im-1", source="shop")
    assert (other.status_code, other.json()["errors"][0]["pointer"]) == (422, "query:import_id")
    theirs = await key(tenant="acme")
    assert (await http.get("/v1/customer-imports/im-1", headers=theirs)).status_code == 404


async def test_broken_off_it_goes_on_and_every_row_is_counted_once(
    http: httpx.AsyncClient, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = await key()
    body = "id,region\n" + "".join(f"c-{n},EU\n" for n in range(10))
    monkeypatch.setattr(app_imports, "CHUNK", 3)
    put = PostgresImports.put
    calls = 0

    async def dies(self: PostgresImports, *args: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:  # the import's beginning, its first chunk, and now its second
            raise RuntimeError("killed")
        await put(self, *args)

    with monkeypatch.context() as patched:
        patched.setattr(PostgresImports, "put", dies)
        assert (await send(http, headers, body, import_id="im-1", map=[])).status_code == 500
    kept = (await http.get("/v1/customer-imports/im-1", headers=headers)).json()
    assert (kept["last_line"], kept["counts"]["new"]) == (4, 3)
    assert (await http.get("/v1/customers/c-3", headers=headers)).status_code == 404
    await send(http, headers, body, import_id="im-1", map=[])
    kept = (await http.get("/v1/customer-imports/im-1", headers=headers)).json()
    assert (kept["last_line"], kept["counts"]) == (
        11,
        {"new": 10, "changed": 0, "unchanged": 0, "refused": 0},
    )


async def test_parts_name_the_lines_of_the_whole_file(http: httpx.AsyncClient, key: Key) -> None:
    headers = await key()
    part = "id,tier\nc-900,gold\n"
    done = (await send(http, headers, part, first_line=900, map=[])).json()
    assert [r["line"] for r in done["results"]] == [900]


async def test_lines_of_json_are_taken_too(http: httpx.AsyncClient, key: Key) -> None:
    headers = await key() | {"Content-Type": "application/x-ndjson"}
    body = '{"id":"c-1","tier":null,"region":"EU","at":"2026-11-01T00:00:00Z"}\n{"id":"c-2","shoe":1}\n[]\n'
    answer = await http.post("/v1/customers:import?source=crm", content=body, headers=headers)
    rows = {row["line"]: row for row in answer.json()["results"]}
    assert rows[1]["outcome"] == "new"
    assert rows[2]["errors"][0]["pointer"] == "/shoe"
    assert rows[3]["errors"][0]["detail"] == "is not a JSON object"


@pytest.mark.parametrize(
    ("body", "params", "pointer"),
    [
        ("name\nx\n", {"map": []}, ""),
        ("id\nx\n", {"map": ["id"]}, "query:map"),
        ("id\nx\n", {"source": ""}, "query:source"),
        ("id\nx\n", {"at": "2027-01-01T00:00:00Z", "map": []}, None),
    ],
)
async def test_what_cannot_be_imported_is_refused(
    http: httpx.AsyncClient, key: Key, body: str, params: dict[str, Any], pointer: str | None
) -> None:
    answer = await send(http, await key(), body, **params)
    if pointer is None:
        assert answer.json()["counts"]["refused"] == 1
    else:
        assert answer.status_code == 422
        assert pointer in [e["pointer"] for e in answer.json()["errors"]]


async def test_a_file_that_is_not_utf8_names_its_line(http: httpx.AsyncClient, key: Key) -> None:
    headers = await key() | {"Content-Type": "text/csv"}
    body = "id,owner\nc-1,Ann\nc-2,Jürgen\n".encode("latin-1")
    answer = await http.post("/v1/customers:import?source=crm", content=body, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["detail"]) == (
        422,
        "is not UTF-8 in line 3; save the file as UTF-8",
    )
