"""Tiers by rules, on a real database: assigned, previewed, waiting, and gone over again."""

import asyncio
from typing import Any

import httpx
import pytest
from tests.integration.ingest.conftest import Key
from tests.integration.ingest.test_customer_profiles import tell
from tests.support.clock import FakeClock
from tests.support.customers import RULES, rules_in_force, snapshots, stands
from tests.support.feedback import survey

from heardback_ingest.adapters.postgres_profiles import PostgresProfiles
from heardback_ingest.app import classes as app_classes
from heardback_ingest.main import Ingest
from heardback_shared.db.database import Database

BIG: dict[str, Any] = {"lifetime_value": 60_000, "currency": "EUR"}
SMALL: dict[str, Any] = {"lifetime_value": 10, "currency": "EUR"}


async def test_a_tier_by_rules_rides_along_as_a_guess_with_its_reason(
    http: httpx.AsyncClient, key: Key, database: Database
) -> None:
    headers = await key()
    await rules_in_force(database)
    shown = await tell(http, headers, **BIG)
    assert (shown["class"]["tier"], shown["class"]["provenance"]) == ("strategic", "inferred")
    assert (shown["class"]["segment"], shown["class"]["rules"]) == ("smb", ["big", "rest"])
    assert shown["class"]["because"] == ["It is worth much.", "It is less."]
    await http.post("/v1/surveys", json=survey(1, customer={"id": "c-1"}), headers=headers)
    (snapshot,) = await snapshots(database)
    assert (snapshot.tier, snapshot.inferred) == ("strategic", ("tier", "segment"))
    (change,) = (await http.get("/v1/customers/c-1/class", headers=headers)).json()["changes"]
    assert change["policy"] == "classes@2"
    assert change["inputs"]["facts"]["lifetime_value"]["value"] == 60_000


async def test_no_silent_downgrade_mid_case(
    http: httpx.AsyncClient, key: Key, database: Database, ingest: Ingest, clock: FakeClock
) -> None:
    headers = await key()
    await rules_in_force(database)
    await tell(http, headers, **BIG)
    await stands(ingest, clock, "c-1", 1, open_items=1)
    clock.forward(minutes=1)
    shown = await tell(http, headers, **SMALL)
    waits = shown["class"]["waits"]
    assert (shown["class"]["tier"], waits["lower"], waits["code"]) == ("strategic", "standard", "open_items")
    await http.post("/v1/surveys", json=survey(1, customer={"id": "c-1"}), headers=headers)
    waiting = (await http.get("/v1/classes/waiting", headers=headers)).json()["customers"]
    assert [w["id"] for w in waiting] == ["c-1"]

    clock.forward(minutes=1)
    await stands(ingest, clock, "c-1", 2, open_items=0)
    await http.post("/v1/surveys", json=survey(2, customer={"id": "c-1"}), headers=headers)
    during, after = await snapshots(database)
    assert (during.tier, after.tier) == ("strategic", "standard")
    assert (await http.get("/v1/classes/waiting", headers=headers)).json()["customers"] == []
    changes = (await http.get("/v1/customers/c-1/class", headers=headers)).json()["changes"]
    assert [(c["tier"], "keeps" in c) for c in changes] == [
        ("standard", False),
        ("strategic", True),
        ("strategic", False),
    ]


async def test_rules_over_history_count_as_soon_as_it_changes(
    http: httpx.AsyncClient, key: Key, database: Database, ingest: Ingest, clock: FakeClock
) -> None:
    headers = await key()
    rule = "{name: hurt, when: {breaches: {at_least: 2}}, segment: at-risk, because: Promises were missed.}"
    await rules_in_force(database, RULES.replace("rules:", f"rules:\n  - {rule}"))
    await tell(http, headers, **BIG)
    await stands(ingest, clock, "c-1", 1, open_items=1, breaches=2)
    shown = (await http.get("/v1/customers/c-1", headers=headers)).json()
    assert (shown["class"]["tier"], shown["class"]["segment"]) == ("strategic", "at-risk")


async def test_a_preview_counts_all_and_stores_nothing(
    http: httpx.AsyncClient, key: Key, database: Database, ingest: Ingest, clock: FakeClock
) -> None:
    headers = await key()
    await rules_in_force(database)
    told: list[dict[str, Any]] = [BIG, BIG, SMALL, {"region": "EU"}, BIG | {"tier": "key"}]
    for number, facts in enumerate(told):
        await tell(http, headers, f"c-{number}", **facts)
    await stands(ingest, clock, "c-1", 1, open_items=3)
    draft = RULES.replace("at_least: 50000", "at_least: 90000").replace("classes@2", "classes@3")
    asked = await http.post("/v1/classes:preview", json={"text": draft}, headers=headers)
    seen = asked.json()
    assert (seen["customers"], seen["whole"], seen["against"]) == (5, True, "classes@2")
    assert seen["tiers"] == [
        {"from": "-", "to": "-", "customers": 1},
        {"from": "key", "to": "key", "customers": 1},
        {"from": "standard", "to": "standard", "customers": 1},
        {"from": "strategic", "to": "standard", "customers": 1},
        {"from": "strategic", "to": "strategic", "customers": 1},
    ]
    assert (seen["clocks"], seen["waiting"]) == ({"faster": 0, "slower": 1}, 1)
    moves = {m["customer_id"]: m for m in seen["moves"]}
    assert moves["c-0"]["clocks"] == "slower"
    assert moves["c-1"]["waits"]["lower"] == "standard"
    shown = (await http.get("/v1/customers/c-0", headers=headers)).json()
    assert shown["class"]["tier"] == "strategic"
    wrong = await http.post("/v1/classes:preview", json={"text": draft + "\nshoe: 1"}, headers=headers)
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/text/shoe")


async def many(http: httpx.AsyncClient, headers: dict[str, str], count: int) -> None:
    for number in range(count):
        await tell(http, headers, f"c-{number:03}", **BIG)


async def test_other_rules_in_force_go_over_all_customers_by_themselves(
    http: httpx.AsyncClient, key: Key, database: Database, ingest: Ingest, clock: FakeClock
) -> None:
    headers = await key()
    await many(http, headers, 3)
    await ingest.customers.classes.keep_going()
    await rules_in_force(database)
    clock.forward(minutes=1)
    await ingest.customers.classes.keep_going()
    run = (await http.get("/v1/classes/run", headers=headers)).json()
    assert (run["policy"], run["state"], run["looked_at"], run["moved"]) == ("classes@2", "done", 3, 3)
    assert (await http.get("/v1/customers/c-001", headers=headers)).json()["class"]["tier"] == "strategic"
    await ingest.customers.classes.keep_going()
    assert (await http.get("/v1/classes/run", headers=headers)).json()["id"] == run["id"]
    clock.forward(days=1)
    await ingest.customers.classes.keep_going()
    again = (await http.get("/v1/classes/run", headers=headers)).json()
    assert (again["id"] != run["id"], again["moved"]) == (True, 0)


async def test_a_pass_stops_and_goes_on_where_it_stood_even_after_a_crash(
    http: httpx.AsyncClient,
    key: Key,
    database: Database,
    ingest: Ingest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    headers = await key()
    await many(http, headers, 5)
    await rules_in_force(database)
    monkeypatch.setattr(app_classes, "CHUNK", 2)
    classes = ingest.customers.classes
    await http.post("/v1/classes/run", headers=headers)
    assert await classes.step("default")
    stopped = await http.put("/v1/classes/run", json={"state": "stopped"}, headers=headers)
    assert (stopped.json()["state"], stopped.json()["looked_at"]) == ("stopped", 2)
    assert not await classes.step("default")
    await http.put("/v1/classes/run", json={"state": "running"}, headers=headers)

    async def dies(*args: Any) -> None:
        raise RuntimeError("killed while writing")

    with monkeypatch.context() as patched:
        patched.setattr(PostgresProfiles, "put", dies)
        with pytest.raises(RuntimeError):
            await classes.step("default")
    assert (await http.get("/v1/classes/run", headers=headers)).json()["looked_at"] == 2
    while await classes.step("default"):
        pass
    run = (await http.get("/v1/classes/run", headers=headers)).json()
    assert (run["state"], run["looked_at"], run["moved"]) == ("done", 5, 5)
    wrong = await http.put("/v1/classes/run", json={"state": "running"}, headers=headers)
    assert wrong.status_code == 409
    started = await asyncio.gather(*(classes.start("default", f"p-{n}") for n in range(4)))
    assert len({run.id for run in started}) == 1, "one pass at a time, whoever starts it"
