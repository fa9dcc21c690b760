"""Accounts, handling and contracts: who belongs where, what was agreed when, and what is missing."""

import httpx
import pytest
from tests.integration.ingest.conftest import Key
from tests.integration.ingest.test_customer_profiles import tell
from tests.support.clock import FakeClock
from tests.support.customers import recipient, rules_in_force, snapshots
from tests.support.feedback import survey

from heardback_shared.db.database import Database
from heardback_shared.keyring import Keyring
from heardback_shared.settings import ServiceSettings

HANDLING = {
    "handling_notes": "Calls before nine.",
    "escalation_path": [{"to": "Ann", "after_minutes": 0}, {"to": "Head of care", "after_minutes": 60}],
    "success_criteria": ["No parcel later than a day."],
}


async def account(
    http: httpx.AsyncClient, headers: dict[str, str], name: str, parent: str | None = None
) -> int:
    body = {"name": name, "parent": parent, "source": "crm"}
    return (await http.put(f"/v1/accounts/{name}", json=body, headers=headers)).status_code


async def join(
    http: httpx.AsyncClient, headers: dict[str, str], customer: str, to: str | None, since: str
) -> int:
    body = {"account": to, "effective_from": since, "source": "crm"}
    return (await http.put(f"/v1/customers/{customer}/account", json=body, headers=headers)).status_code


async def test_an_account_rolls_up_its_people_as_of_a_day(
    http: httpx.AsyncClient,
    key: Key,
    database: Database,
    clock: FakeClock,
    service_settings: ServiceSettings,
) -> None:
    headers, theirs = await key(), await key(tenant="acme")
    for name, parent in (("group", None), ("north", "group"), ("harbour/1", "north"), ("south", "group")):
        assert await account(http, headers, name, parent) == 200
    await tell(http, headers, "c-1", region="EU")
    assert await join(http, headers, "c-1", "harbour/1", "2026-01-01T00:00:00Z") == 200
    assert await join(http, headers, "c-1", "south", "2026-11-01T00:00:00Z") == 200
    assert await join(http, headers, "c-2", "group", "2026-02-01T00:00:00Z") == 200
    assert await join(http, headers, "c-2", None, "2026-06-01T00:00:00Z") == 200

    async def people(name: str, at: str) -> list[tuple[str, str]]:
        tree = (await http.get(f"/v1/accounts/{name}", params={"at": at}, headers=headers)).json()
        return [(p["customer_id"], p["account"]) for p in tree["people"]]

    assert await people("group", "2026-03-01T00:00:00Z") == [("c-1", "harbour/1"), ("c-2", "group")]
    assert await people("north", "2026-03-01T00:00:00Z") == [("c-1", "harbour/1")]
    assert await people("north", "2026-11-20T00:00:00Z") == []
    assert await people("group", "2026-11-20T00:00:00Z") == [("c-1", "south")]
    tree = (await http.get("/v1/accounts/north", headers=headers)).json()
    assert (tree["above"], [a["id"] for a in tree["below"]]) == (["group"], ["harbour/1"])
    assert (await http.get("/v1/accounts/group", headers=theirs)).status_code == 404
    known = await recipient(database, Keyring(service_settings.master_key), "c-1", clock)
    assert known.account_id == "south"


async def test_a_circle_an_unknown_parent_and_a_tree_too_deep_are_refused(
    http: httpx.AsyncClient, key: Key
) -> None:
    headers = await key()
    assert await account(http, headers, "a", "nobody") == 422
    for number in range(20):
        assert await account(http, headers, f"a{number}", f"a{number - 1}" if number else None) == 200
    assert await account(http, headers, "a20", "a19") == 422
    assert await account(http, headers, "a0", "a5") == 422
    assert await account(http, headers, "a3", "a3") == 422
    await account(http, headers, "top")
    assert await account(http, headers, "a0", "top") == 422, "the whole subtree would sink too deep"
    assert await join(http, headers, "c-1", "nobody", "2026-01-01T00:00:00Z") == 422


async def test_an_amendment_leaves_older_matters_under_the_older_version(
    http: httpx.AsyncClient, key: Key, database: Database, clock: FakeClock
) -> None:
    headers = await key()
    first = {
        "number": "C-77",
        "version": 1,
        "effective_from": "2026-01-01T00:00:00Z",
        "terms": {"answer_hours": 8},
    }
    amended = first | {"version": 2, "effective_from": "2026-11-22T13:00:00Z", "terms": {"answer_hours": 4}}
    url = "/v1/customers/c-1/contracts"
    for body in (first, amended, first, amended):
        assert (await http.post(url, json=body, headers=headers)).status_code == 201
    await http.post("/v1/surveys", json=survey(1, customer={"id": "c-1"}), headers=headers)
    clock.forward(hours=2)
    await http.post("/v1/surveys", json=survey(2, customer={"id": "c-1"}), headers=headers)
    before, after = await snapshots(database)
    assert (before.contract, after.contract) == ("C-77@1", "C-77@2")
    opened = {"at": "2026-11-22T12:00:00Z"}
    rules = (await http.get("/v1/customers/c-1/rules", params=opened, headers=headers)).json()
    assert rules["contract"]["terms"] == {"answer_hours": 8}
    now = (await http.get("/v1/customers/c-1/rules", headers=headers)).json()
    assert (now["contract"]["name"], len(now["contract_versions"])) == ("C-77@2", 2)
    other = await http.post(url, json=amended | {"terms": {}}, headers=headers)
    assert (other.status_code, other.json()["errors"][0]["pointer"]) == (422, "/version")


async def test_handling_is_versioned_and_read_as_of_a_moment(
    http: httpx.AsyncClient, key: Key, clock: FakeClock
) -> None:
    headers, theirs = await key(), await key(tenant="acme")
    url = "/v1/customers/shop/1/handling"
    assert (await http.put(url, json=HANDLING, headers=headers)).json()["version"] == 1
    opened = clock.now().isoformat()
    clock.forward(hours=1)
    changed = HANDLING | {"handling_notes": "Calls after nine."}
    assert (await http.put(url, json=changed, headers=headers)).json()["version"] == 2
    old = await http.get("/v1/customers/shop/1/rules", params={"at": opened}, headers=headers)
    assert old.json()["handling"]["handling_notes"] == "Calls before nine."
    new = (await http.get("/v1/customers/shop/1/rules", headers=headers)).json()["handling"]
    assert (new["version"], new["handling_notes"], new["erased"]) == (2, "Calls after nine.", False)
    assert new["escalation_path"] == HANDLING["escalation_path"]
    assert (await http.get("/v1/customers/shop/1/rules", headers=theirs)).json()["handling"] is None
    assert (await http.put(url, json={}, headers=headers)).status_code == 422


async def test_completeness_names_what_is_missing_by_tier(
    http: httpx.AsyncClient, key: Key, database: Database
) -> None:
    headers = await key()
    await rules_in_force(database)
    for number in (1, 2, 3):
        await tell(http, headers, f"c-{number}", tier="strategic" if number < 3 else "standard")
    await tell(http, headers, "c-2", owner="ann")
    await account(http, headers, "group")
    await join(http, headers, "c-2", "group", "2026-01-01T00:00:00Z")
    await http.put("/v1/customers/c-2/handling", json=HANDLING, headers=headers)
    ended = {
        "number": "C-1",
        "effective_from": "2026-01-01T00:00:00Z",
        "effective_to": "2026-02-01T00:00:00Z",
    }
    await http.post("/v1/customers/c-2/contracts", json=ended, headers=headers)
    found = (await http.get("/v1/customers:completeness", headers=headers)).json()
    assert found["customers"] == [
        {"id": "c-1", "tier": "strategic", "missing": ["owner", "handling_notes", "contract", "account"]},
        {"id": "c-2", "tier": "strategic", "missing": ["contract"]},
    ]
    page = (await http.get("/v1/customers:completeness?limit=1", headers=headers)).json()
    assert [x["id"] for x in page["customers"]] == ["c-1"]
    rest = await http.get(f"/v1/customers:completeness?cursor={page['next_cursor']}", headers=headers)
    assert [x["id"] for x in rest.json()["customers"]] == ["c-2"]
    assert rest.json()["next_cursor"] is None
    none = await http.get("/v1/customers:completeness?tier=key", headers=headers)
    assert none.json()["customers"] == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"number": "C 1", "effective_from": "2026-01-01T00:00:00Z"}, "/number"),
        ({"number": "C-1", "effective_from": "2026-01-01"}, "/effective_from"),
        (
            {
                "number": "C-1",
                "effective_from": "2026-01-01T00:00:00Z",
                "effective_to": "2026-01-01T00:00:00Z",
            },
            "",
        ),
        ({"number": "C-1", "effective_from": "2026-01-01T00:00:00Z", "terms": {"a": "\x00"}}, "/terms"),
    ],
)
async def test_wrong_contracts_are_refused(
    http: httpx.AsyncClient, key: Key, body: dict[str, object], pointer: str
) -> None:
    answer = await http.post("/v1/customers/c-1/contracts", json=body, headers=await key())
    assert answer.status_code == 422
    assert pointer in [e["pointer"] for e in answer.json()["errors"]]
