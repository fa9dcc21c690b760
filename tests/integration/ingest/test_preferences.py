"""Preferences, consents and stops over HTTP, and what the other service's next transaction makes of them."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text
from tests.integration.ingest.conftest import Key
from tests.support.clock import FakeClock

from heardback_router.configuration.source import packaged
from heardback_shared.contact.domain import Address, Ask, Later, Never, Now, Verdict
from heardback_shared.contact.policy import read_contact
from heardback_shared.contact.store import PostgresContacts
from heardback_shared.contact.verdict import verdict
from heardback_shared.db.database import Database
from heardback_shared.keyring import Keyring
from heardback_shared.settings import ServiceSettings

STATED = {"source": "page", "provenance": "stated"}
AGREED = STATED | {
    "given": True,
    "purpose": "profiling",
    "text_version": "2026-03",
    "channel": "web",
    "proof": "box ticked on the page, request 7",
}
RULES = read_contact(packaged("contact.yaml"))


class Router:
    """Asks as the other service does, in a transaction of its own."""

    def __init__(self, database: Database, clock: FakeClock, keyring: Keyring) -> None:
        self.database, self.clock, self.contacts = database, clock, PostgresContacts(keyring)

    async def verdict(self, customer_id: str, ask: Ask, tenant: str = "default") -> Verdict:
        now = self.clock.now()
        async with self.database.tenant(tenant) as c:
            who = (await self.contacts.recipients(c, tenant, [customer_id], now))[customer_id]
            stopped = await self.contacts.sending_stopped(c, tenant)
        return verdict(who, ask, [], RULES, now, stopped)


@pytest.fixture
def router(database: Database, clock: FakeClock, service_settings: ServiceSettings) -> Router:
    return Router(database, clock, Keyring(service_settings.master_key))


async def put(http: httpx.AsyncClient, headers: dict[str, str], **body: Any) -> httpx.Response:
    return await http.put("/v1/customers/c/1/preferences", json=STATED | body, headers=headers)


async def test_preferences_come_back_with_who_said_so_and_until_when(
    http: httpx.AsyncClient, key: Key, clock: FakeClock
) -> None:
    headers = await key("customers:write", "customers:read")
    await put(http, headers, provenance="observed", source="mail-opens", channels=["webhook"], digest="daily")
    answer = await put(
        http,
        headers,
        owner="ann",
        channels=["in_app", "webhook"],
        language="de",
        time_zone="Europe/Berlin",
        quiet_hours={"start": "20:00", "end": "09:30"},
    )
    assert answer.status_code == 200, answer.text
    known = answer.json()
    assert known == (await http.get("/v1/customers/c/1/preferences", headers=headers)).json()
    assert known["preferences"]["channels"] == {
        "value": ["in_app", "webhook"],
        "provenance": "stated",
        "source": "page",
        "owner": "ann",
        "confirmed_at": "2026-11-22T12:00:00Z",
        "refresh_by": "2027-11-22T12:00:00Z",
        "due": False,
    }
    assert [o["source"] for o in known["outdone"]] == ["mail-opens"]
    assert known["in_use"] == {
        "channels": ["in_app", "webhook"],
        "language": "de",
        "time_zone": "Europe/Berlin",
        "digest": "daily",
        "quiet_hours": {"start": "20:00", "end": "09:30"},
        "only_guessed": [],
    }


@pytest.mark.parametrize(
    ("body", "pointer", "says"),
    [
        ({}, "", "tell at least one of"),
        ({"channels": ["fax"]}, "/channels/0", "webhook"),
        ({"channels": ["email", "email"]}, "/channels", "twice"),
        ({"channels": []}, "/channels", "at least 1"),
        ({"time_zone": "Mars/Base"}, "/time_zone", "IANA"),
        ({"quiet_hours": {"start": "9", "end": "10:00"}}, "/quiet_hours/start", "time of day"),
        ({"quiet_hours": {"start": "09:00", "end": "09:00"}}, "/quiet_hours", "nobody could ever"),
        ({"language": "german language"}, "/language", "match"),
        ({"digest": "hourly"}, "/digest", "daily"),
        ({"digest": "daily", "provenance": "heard"}, "/provenance", "stated"),
        ({"digest": "daily", "at": "2027-01-01T00:00:00Z"}, "/at", "future"),
        ({"digest": "daily", "refresh_by": "2026-01-01T00:00:00Z"}, "/refresh_by", "after"),
        ({"digest": "daily", "color": "red"}, "/color", "not a known field"),
        ({"digest": "daily", "owner": "a\x00"}, "/owner", "match"),
    ],
)
async def test_wrong_preferences_are_refused_with_their_place(
    http: httpx.AsyncClient, key: Key, body: dict[str, Any], pointer: str, says: str
) -> None:
    answer = await put(http, await key(), **body)
    assert answer.status_code == 422
    error, *_ = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert says in error["detail"]


async def test_a_withdrawal_holds_in_the_very_next_transaction_of_the_other_service(
    http: httpx.AsyncClient, key: Key, clock: FakeClock, router: Router
) -> None:
    headers = await key("customers:write")
    assert await router.verdict("c/1", Ask("case_updates")) == Now("webhook")
    withdrawn = {"source": "call", "provenance": "observed", "purpose": "case_updates", "given": False}
    answer = await http.post("/v1/customers/c/1/consents", json=withdrawn, headers=headers)
    assert answer.status_code == 201, answer.text
    no = await router.verdict("c/1", Ask("case_updates"))
    assert isinstance(no, Never)
    assert no.code == "opted_out"
    assert await router.verdict("c/1", Ask("surveys")) == Now("webhook")
    # Preferences told later, by whomever, never subscribe anybody again.
    clock.forward(hours=1)
    await put(http, await key(), channels=["webhook"], digest="none")
    assert isinstance(await router.verdict("c/1", Ask("case_updates")), Never)
    again = AGREED | {"purpose": "case_updates"}
    assert (await http.post("/v1/customers/c/1/consents", json=again, headers=headers)).status_code == 201
    assert await router.verdict("c/1", Ask("case_updates")) == Now("webhook")


async def test_one_matter_is_left_alone(http: httpx.AsyncClient, key: Key, router: Router) -> None:
    body = STATED | {"purpose": "case_updates", "given": False, "item_id": "it_1"}
    await http.post("/v1/customers/c/1/consents", json=body, headers=await key())
    no = await router.verdict("c/1", Ask("case_updates", "it_1"))
    assert isinstance(no, Never)
    assert no.code == "opted_out_of_item"
    assert await router.verdict("c/1", Ask("case_updates", "it_2")) == Now("webhook")


async def test_the_ledger_keeps_every_line_once_and_shows_proofs_to_admins_only(
    http: httpx.AsyncClient, key: Key, clock: FakeClock, router: Router
) -> None:
    headers = await key("customers:write", "customers:read")
    at = {"at": "2026-11-22T11:00:00Z"}
    for body in (AGREED | at, AGREED | at, STATED | {"purpose": "everything", "given": False}):
        await http.post("/v1/customers/c/1/consents", json=body, headers=headers)
    path = "/v1/customers/c/1/consents"
    lines = (await http.get(path, headers=headers)).json()["consents"]
    assert [(line["purpose"], line["given"], line["proved"]) for line in lines] == [
        ("profiling", True, True),
        ("everything", False, False),
    ]
    assert "proof" not in lines[0]
    refused = await http.get(path, params={"with_proof": True}, headers=headers)
    assert refused.status_code == 403
    admin = await key()
    shown = (await http.get(path, params={"with_proof": True}, headers=admin)).json()["consents"]
    assert shown[0]["proof"] == AGREED["proof"]
    await http.put("/v1/customers/c/1", json={"source": "crm", "name": "Ada"}, headers=admin)
    async with router.database.tenant("default") as c:
        ada = Address("ada@example.com", "stated", "crm", clock.now())
        await router.contacts.put_address(c, "default", "c/1", "email", ada)
    erased = await http.delete("/v1/customers/c/1/personal-data", headers=admin)
    assert erased.status_code == 204
    shown = (await http.get(path, params={"with_proof": True}, headers=admin)).json()["consents"]
    assert (shown[0]["proof"], shown[0]["proved"]) == (None, True)
    async with router.database.tenant("default") as c:
        assert await router.contacts.address(c, "default", "c/1", "email") is None
    assert isinstance(await router.verdict("c/1", Ask("case_updates")), Never)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"purpose": "everything"}, "purpose by purpose"),
        ({"provenance": "inferred"}, "the customer's own word"),
        ({"proof": None}, "stated, proof"),
        ({"text_version": None}, "text_version"),
        ({"item_id": "it_1"}, "case_updates only"),
        ({"purpose": "marketing"}, "case_updates"),
        ({"at": "2027-01-01T00:00:00Z"}, "future"),
    ],
)
async def test_a_consent_that_proves_nothing_is_refused(
    http: httpx.AsyncClient, key: Key, body: dict[str, Any], says: str
) -> None:
    answer = await http.post("/v1/customers/c/1/consents", json=AGREED | body, headers=await key())
    assert answer.status_code == 422
    assert says in answer.json()["errors"][0]["detail"]


async def test_a_hold_and_a_stop_keep_machines_back_until_a_person_lifts_them(
    http: httpx.AsyncClient, key: Key, router: Router
) -> None:
    headers = await key("customers:write", "customers:read")
    admin = await key()
    held = await http.put("/v1/customers/c/1/hold", json={"because": "Too personal."}, headers=headers)
    assert (held.json()["held"], held.json()["because"]) == (True, "Too personal.")
    answer = await router.verdict("c/1", Ask("case_updates"))
    assert isinstance(answer, Later)
    assert (answer.code, "Too personal." in answer.because) == ("on_hold", True)
    assert await router.verdict("c/1", Ask("case_updates", critical=True)) == Now("webhook")
    silent = await http.delete("/v1/customers/c/1/hold", params={"because": " "}, headers=headers)
    assert silent.status_code == 422
    lifted = await http.delete("/v1/customers/c/1/hold", params={"because": "We talked."}, headers=headers)
    assert [(s["held"], s["because"], s["by"]) for s in lifted.json()["history"]] == [
        (True, "Too personal.", "test"),
        (False, "We talked.", "test"),
    ]
    await http.put("/v1/sending-stop", json={"because": "Wrong text."}, headers=headers)
    stopped = await router.verdict("c/1", Ask("case_updates"))
    assert isinstance(stopped, Later)
    assert stopped.code == "sending_stopped"
    mended = {"because": "Mended."}
    assert (await http.delete("/v1/sending-stop", params=mended, headers=headers)).status_code == 403
    assert (await http.delete("/v1/sending-stop", params=mended, headers=admin)).json()["held"] is False
    assert await router.verdict("c/1", Ask("case_updates")) == Now("webhook")


async def test_what_is_due_is_listed_until_it_is_confirmed(
    http: httpx.AsyncClient, key: Key, clock: FakeClock
) -> None:
    headers = await key("customers:write", "customers:read")
    await put(http, headers, digest="daily")
    await put(http, headers, provenance="observed", source="logs", digest="weekly")
    await put(http, headers, language="de", refresh_by="2026-12-01T00:00:00Z")
    listed = "/v1/preferences/due-for-refresh"
    assert (await http.get(listed, headers=headers)).json()["tasks"] == []
    clock.forward(days=366)
    first = (await http.get(listed, params={"limit": 1}, headers=headers)).json()
    assert [(t["customer_id"], t["name"], t["source"]) for t in first["tasks"]] == [
        ("c/1", "language", "page")
    ]
    rest = (await http.get(listed, params={"cursor": first["next_cursor"]}, headers=headers)).json()
    # What was only observed is outdone by the customer's own word, and need not be asked again.
    assert [(t["name"], t["source"]) for t in rest["tasks"]] == [("digest", "page")]
    await put(http, headers, digest="daily", language="de")
    assert (await http.get(listed, headers=headers)).json() == {"tasks": [], "next_cursor": None}
    wrong = await http.get(listed, params={"cursor": "x"}, headers=headers)
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "query:cursor")


async def test_another_tenant_sees_and_changes_nothing(
    http: httpx.AsyncClient, key: Key, router: Router, database: Database
) -> None:
    ours, theirs = await key(), await key(tenant="other")
    await put(http, ours, digest="daily")
    await http.post("/v1/customers/c/1/consents", json=AGREED, headers=ours)
    await http.put("/v1/customers/c/1/hold", json={"because": "x"}, headers=ours)
    seen = (await http.get("/v1/customers/c/1/preferences", headers=theirs)).json()
    assert (seen["preferences"], seen["refused"], seen["on_hold"]) == ({}, ["profiling"], None)
    assert (await http.get("/v1/customers/c/1/consents", headers=theirs)).json()["consents"] == []
    await http.delete("/v1/customers/c/1/hold", params={"because": "y"}, headers=theirs)
    await http.put("/v1/sending-stop", json={"because": "x"}, headers=theirs)
    held = await router.verdict("c/1", Ask("case_updates"))
    assert isinstance(held, Later)
    assert held.code == "on_hold"
    async with database.worker() as c:
        rows = await c.execute(text("SELECT DISTINCT tenant_id FROM platform.contact_consent"))
        assert rows.scalars().all() == ["default"]
