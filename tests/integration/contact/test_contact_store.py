"""What is kept of people, in Postgres, as both services ask for it."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from itertools import product
from typing import Any, get_args

import pytest
from sqlalchemy import text
from tests.support.clock import NOON

from heardback_shared.contact.domain import Address, Card, Provenance, QuietHours, Touch
from heardback_shared.contact.holds import PostgresHolds
from heardback_shared.contact.store import PostgresContacts
from heardback_shared.contact.wish_store import Line, PostgresWishes, consent_id
from heardback_shared.contact.wishes import Consent, Scope, Telling, Wish, beats
from heardback_shared.db.database import Database
from heardback_shared.keyring import Keyring

KEYRING = Keyring(bytes(range(32)))
BEFORE = NOON - timedelta(days=1)
contacts, wishes, holds = PostgresContacts(KEYRING), PostgresWishes(KEYRING), PostgresHolds()


def line(scope: Scope, *, given: bool, at: datetime = NOON, **more: Any) -> Line:
    known: dict[str, Any] = {"provenance": "stated", "source": "page", "id": "", **more}
    consent = Consent(scope=scope, given=given, at=at, **known)
    named = Consent(scope=scope, given=given, at=at, **{**known, "id": consent_id("c", consent)})
    return Line(named, "ticked the box" if named.proved else None, "ana", at)


def card(customer_id: str, person_id: str, **more: Any) -> Card:
    return Card(customer_id, person_id, NOON, **more)


def address(value: str, provenance: Provenance = "stated", at: datetime = NOON) -> Address:
    return Address(value, provenance, "crm", at)


async def test_of_whom_nothing_is_known_the_tenants_own_system_is_told(database: Database) -> None:
    async with database.tenant("default") as c:
        found = await contacts.recipients(c, "default", ["c-1"], NOON)
    who = found["c-1"]
    assert (who.person_id, who.channels, who.refused) == ("c-1", ("webhook",), frozenset({"profiling"}))


async def test_all_that_is_known_of_somebody_comes_together(database: Database) -> None:
    told: Mapping[Wish, Any] = {
        "channels": ["email", "webhook"],
        "quiet_hours": {"start": "22:00", "end": "07:30"},
        "digest": "weekly",
        "time_zone": None,
    }
    async with database.tenant("default") as c:
        zone: dict[str, Provenance] = {"time_zone": "observed", "language": "inferred", "tier": "stated"}
        await contacts.put_card(
            c,
            "default",
            card("c/1", "p-1", language="de", time_zone="Asia/Tokyo", tier="key", provenance=zone),
        )
        await contacts.put_address(c, "default", "c/1", "email", address("ada@example.com"))
        await wishes.tell(
            c, "default", "c/1", [Telling(n, v, "stated", "page", NOON, "ana") for n, v in told.items()]
        )
        who = (await contacts.recipients(c, "default", ["c/1", "c-2"], NOON))["c/1"]
        assert await contacts.address(c, "default", "c/1", "email") == "ada@example.com"
    assert who.channels == ("email", "webhook")
    assert who.quiet == QuietHours(time(22), time(7, 30))
    # The customer took back a zone of their own; what the profile saw is left.
    assert (who.digest, who.time_zone, who.language, who.tier) == ("weekly", "Asia/Tokyo", "de", "key")
    assert who.inferred == frozenset({"language"})


async def test_a_guessed_address_is_no_way_to_reach_anybody(database: Database) -> None:
    async with database.tenant("default") as c:
        await contacts.put_address(c, "default", "c-1", "email", address("a@example.com", "inferred"))
        await wishes.tell(c, "default", "c-1", [Telling("channels", ["email"], "stated", "page", NOON)])
        who = (await contacts.recipients(c, "default", ["c-1"], NOON))["c-1"]
    assert who.channels == ()
    assert "channels" in who.inferred


async def test_ids_that_are_one_person_share_refusals_holds_addresses_and_touches(database: Database) -> None:
    async with database.tenant("default") as c:
        await contacts.note(
            c, "default", [Touch("m-1", "c-2", "case_updates", "email", True, NOON - timedelta(hours=1))]
        )
        await wishes.record(c, "default", "c-2", [line("surveys", given=False)])
        await holds.hold(c, "default", "c-2", held=True, because="too personal", by="heardback", at=NOON)
        await contacts.put_address(c, "default", "c-2", "email", address("two@example.com"))
        for customer_id in ("c-1", "c-2"):
            await contacts.put_card(c, "default", card(customer_id, "p-1"))
        who = (await contacts.recipients(c, "default", ["c-1"], NOON))["c-1"]
        assert who.refused == {"surveys", "profiling"}
        assert who.held_because == "too personal"
        assert who.channels == ("webhook", "email")
        assert await contacts.address(c, "default", "c-1", "email") == "two@example.com"
        seen = await contacts.touches(c, "default", ["p-1"], BEFORE)
        assert [t.id for t in seen["p-1"]] == ["m-1"]
        # Told apart again, each has only what was said of it; what was counted stays counted.
        for customer_id in ("c-1", "c-2"):
            await contacts.put_card(c, "default", card(customer_id, customer_id))
        apart = await contacts.recipients(c, "default", ["c-1", "c-2"], NOON)
        assert apart["c-1"].refused == {"profiling"}
        assert apart["c-2"].refused == {"surveys", "profiling"}
        assert set(await contacts.touches(c, "default", ["c-1", "c-2"], BEFORE)) == {"c-2"}


async def test_touches_count_once_and_can_be_taken_back(database: Database) -> None:
    one = Touch("m-1", "p-1", "surveys", "webhook", True, NOON)
    async with database.tenant("default") as c:
        await contacts.note(c, "default", [one, one])
        await contacts.note(c, "default", [one])
        assert await contacts.touches(c, "default", ["p-1", "p-2"], NOON) == {"p-1": [one]}
        assert await contacts.touches(c, "default", ["p-1"], NOON + timedelta(seconds=1)) == {}
        await contacts.forget(c, "default", ["m-1", "m-2"])
        assert await contacts.touches(c, "default", ["p-1"], BEFORE) == {}


@pytest.mark.parametrize(("old", "new"), list(product(get_args(Provenance), repeat=2)))
@pytest.mark.parametrize("newer", [-1, 0, 1])
async def test_of_two_addresses_the_better_one_is_kept(
    database: Database, old: Provenance, new: Provenance, newer: int
) -> None:
    then = NOON + timedelta(days=newer)
    async with database.tenant("default") as c:
        await contacts.put_address(c, "default", "c-1", "email", address("old@example.com", old, NOON))
        kept = await contacts.put_address(c, "default", "c-1", "email", address("new@example.com", new, then))
        found = await contacts.address(c, "default", "c-1", "email")
    assert kept == (not beats(old, NOON, new, then))
    assert found == ("new@example.com" if kept else "old@example.com")


async def test_addresses_and_proofs_are_sealed_to_their_place_and_erased(database: Database) -> None:
    async with database.tenant("default") as c:
        await contacts.put_address(c, "default", "c-1", "email", address("ada@example.com"))
        await wishes.record(c, "default", "c-1", [line("profiling", given=True, proved=True)])
        sealed = await c.scalar(text("SELECT sealed FROM platform.contact_address"))
        proof = await c.scalar(text("SELECT proof FROM platform.contact_consent"))
        assert b"ada" not in bytes(sealed)
        assert b"ticked" not in bytes(proof)
        assert (await wishes.ledger(c, "default", "c-1"))[0].proof == "ticked the box"
        await contacts.erase(c, "default", "c-1", NOON)
        assert await contacts.address(c, "default", "c-1", "email") is None
        ledger = await wishes.ledger(c, "default", "c-1")
        assert [(entry.proof, entry.consent.proved) for entry in ledger] == [(None, True)]
        who = (await contacts.recipients(c, "default", ["c-1"], NOON))["c-1"]
        assert "profiling" not in who.refused


async def test_an_older_telling_that_comes_late_changes_nothing(database: Database) -> None:
    async with database.tenant("default") as c:
        for value, at in (("weekly", NOON), ("daily", BEFORE)):
            await wishes.tell(c, "default", "c-1", [Telling("digest", value, "stated", "page", at)])
        assert (await contacts.recipients(c, "default", ["c-1"], NOON))["c-1"].digest == "weekly"


async def test_a_consent_of_tomorrow_does_not_count_yet_a_withdrawal_does(database: Database) -> None:
    soon = NOON + timedelta(minutes=3)
    async with database.tenant("default") as c:
        given = line("profiling", given=True, at=soon, proved=True)
        await wishes.record(c, "default", "c-1", [given, line("surveys", given=False, at=soon)])
        found = [(await contacts.recipients(c, "default", ["c-1"], at))["c-1"].refused for at in (NOON, soon)]
    assert found == [{"profiling", "surveys"}, {"surveys"}]


async def test_a_withdrawal_waits_for_who_is_deciding_and_the_next_decision_knows_it(
    database: Database,
) -> None:
    steps: list[str] = []
    deciding = asyncio.Event()

    async def decide() -> None:
        async with database.tenant("default") as c:
            await contacts.lock(c, "default", ["c-1"])
            deciding.set()
            who = (await contacts.recipients(c, "default", ["c-1"], NOON))["c-1"]
            assert "case_updates" not in who.refused
            # Nothing can come in between: the withdrawal stands in the queue of the lock.
            while not await waiting_for_lock(database):
                await asyncio.sleep(0.01)
            steps.append("sent")

    async def withdraw() -> None:
        await deciding.wait()
        async with database.tenant("default") as c:
            await wishes.record(c, "default", "c-1", [line("everything", given=False)])
            steps.append("withdrawn")

    await asyncio.gather(decide(), withdraw())
    assert steps == ["sent", "withdrawn"]
    async with database.tenant("default") as c:
        who = (await contacts.recipients(c, "default", ["c-1"], NOON))["c-1"]
    assert who.refused == {"case_updates", "surveys", "profiling"}


async def waiting_for_lock(database: Database) -> bool:
    async with database.engine.connect() as c:
        found = await c.scalar(
            text(
                "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
                "WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()"
            )
        )
    return bool(found)


async def test_holds_keep_who_when_and_why(database: Database) -> None:
    async with database.tenant("default") as c:
        assert await holds.hold(c, "default", "c-1", held=True, because="asked", by="ana", at=NOON)
        assert not await holds.hold(c, "default", "c-1", held=True, because="again", by="bo", at=NOON)
        assert await contacts.held_because(c, "default", "c-1") == "asked"
        assert await holds.hold(c, "default", "c-1", held=False, because="spoke to her", by="bo", at=NOON)
        history = await holds.of_customer(c, "default", "c-1")
        assert [(s.held, s.because, s.by) for s in history] == [
            (True, "asked", "ana"),
            (False, "spoke to her", "bo"),
        ]
        assert await contacts.held_because(c, "default", "c-1") is None
        assert await holds.stop_all(c, "default", stopped=True, because="wrong text", by="ana", at=NOON)
        assert await contacts.sending_stopped(c, "default") == "wrong text"
        await holds.stop_all(c, "default", stopped=False, because="mended", by="bo", at=NOON)
        assert await contacts.sending_stopped(c, "default") is None


async def test_tenants_see_nothing_of_each_other(database: Database) -> None:
    async with database.worker() as c:
        await c.execute(text("INSERT INTO platform.tenant VALUES ('other', now())"))
    async with database.tenant("other") as c:
        await contacts.put_card(c, "other", card("c-1", "p-1", tier="key"))
        await contacts.put_address(c, "other", "c-1", "email", address("ada@example.com"))
        await wishes.record(c, "other", "c-1", [line("everything", given=False)])
        await wishes.tell(c, "other", "c-1", [Telling("digest", "daily", "stated", "page", NOON)])
        await holds.hold(c, "other", "c-1", held=True, because="x", by="ana", at=NOON)
        await holds.stop_all(c, "other", stopped=True, because="x", by="ana", at=NOON)
        await contacts.note(c, "other", [Touch("m-1", "c-1", "surveys", "email", True, NOON)])
    for named in ("default", "other"):  # row-level security holds even for a statement that names the other
        async with database.tenant("default") as c:
            who = (await contacts.recipients(c, named, ["c-1"], NOON))["c-1"]
            assert (who.tier, who.digest, who.held_because) == (None, "none", None)
            assert who.refused == {"profiling"}
            assert await contacts.address(c, named, "c-1", "email") is None
            assert await contacts.sending_stopped(c, named) is None
            assert await contacts.touches(c, named, ["c-1", "p-1"], BEFORE) == {}
            assert await wishes.ledger(c, named, "c-1") == []


async def test_due_tellings_come_page_by_page(database: Database) -> None:
    past = datetime(2026, 1, 1, tzinfo=UTC)
    async with database.tenant("default") as c:
        for n in range(5):
            wish = Telling(
                "digest", "daily", "stated", "page", past, None, past + timedelta(days=n if n < 4 else 999)
            )
            await wishes.tell(c, "default", f"c-{n}", [wish])
        first = await wishes.due(c, "default", NOON, 3)
        rest = await wishes.due(c, "default", NOON, 3, first[-1])
    assert [d.customer_id for d in (*first, *rest)] == ["c-0", "c-1", "c-2", "c-3"]


READ = text("""
SELECT coalesce(sum(seq_tup_read), 0) + coalesce(sum(idx_tup_fetch), 0) FROM pg_stat_xact_user_tables
WHERE schemaname = 'platform'
""")


async def test_of_many_customers_only_those_asked_about_are_read(database: Database) -> None:
    everybody = [f"c-{n}" for n in range(2_000)]
    asked = everybody[::20]
    async with database.tenant("default") as c:
        await contacts.put_cards(c, "default", [card(i, f"p-{i}") for i in everybody])
        await contacts.note(
            c, "default", [Touch(f"m-{i}", f"p-{i}", "surveys", "email", True, NOON) for i in everybody]
        )
        for statement in (
            "INSERT INTO platform.contact_address SELECT tenant_id, customer_id, 'email', 'x', 'stated',"
            " 'x', at FROM platform.contact_card",
            "INSERT INTO platform.contact_wish SELECT tenant_id, customer_id, 'digest', 'stated', 'x',"
            " '\"daily\"', null, at, null FROM platform.contact_card",
            "INSERT INTO platform.contact_consent SELECT tenant_id, customer_id, 'x', 'surveys', null, false,"
            " 'stated', 'x', null, null, false, null, 'x', at, at FROM platform.contact_card",
        ):
            await c.execute(text(statement))
        before = int(await c.scalar(READ) or 0)
        found = await contacts.recipients(c, "default", asked, NOON)
        touched = await contacts.touches(c, "default", [f"p-{i}" for i in asked], BEFORE)
        read = int(await c.scalar(READ) or 0) - before
    assert all(who.digest == "daily" and "surveys" in who.refused for who in found.values())
    assert (len(found), len(touched)) == (100, 100)
    # Of each: the card, the cards of the person twice, an address, a wish, a consent, a touch.
    assert read <= 7 * len(asked)
