"""Two hundred customers raise one thing, hear once what became of it, answer, and the doubtful hear again.

Over webhook, e-mail and text message, in three languages and four time zones, across the nights in which
clocks change, with a receiver that fails half the time and people who opt out on the way.
"""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.integration.router_walk.crowd import CHANNELS, Somebody, crowd, heard, settle, write_in
from tests.support.router_http import Caller
from tests.support.town import Arrival, Town, town

from heardback_shared.db.database import Database

TELL = "Every invoice now shows the right number of seats."
GERMAN = "Auf jeder Rechnung steht nun die richtige Zahl der Plätze."
AGAIN = "The invoices of October were corrected as well."
HALF_HOUR, A_WEEK = timedelta(minutes=30), timedelta(days=7)

NIGHTS = {
    "Europe/Berlin": datetime(2026, 10, 24, 22, 30, tzinfo=UTC),
    "America/New_York": datetime(2026, 11, 1, 3, 0, tzinfo=UTC),
    "Australia/Sydney": datetime(2026, 10, 3, 13, 0, tzinfo=UTC),
}
"""Half an hour after midnight and earlier at night, by the wall clocks that change that night."""


@pytest.mark.parametrize(
    ("zone", "size"), [("Europe/Berlin", 200), ("America/New_York", 60), ("Australia/Sydney", 60)]
)
async def test_everybody_due_hears_once_nobody_else_and_never_at_night(
    database: Database, zone: str, size: int
) -> None:
    people, night = crowd(size), NIGHTS[zone]
    async with town(database, night - timedelta(days=3), failing=0.5) as here:
        await here.endpoint()
        await settle(here, people)
        item = await write_in(here, people)
        ana, bo = await here.caller("ana"), await here.caller("bo")
        early = [one for one in people if one.leaves][::2]
        for one in early:
            await here.opt_out(one.id)

        here.clock.at = night
        await resolve(ana, item, {"not_telling_because": "a campaign tells everybody"})
        campaign = await told_to_all(ana, bo, item)
        await here.step()
        late = [one for one in people if one.leaves and one not in early and one.is_quiet(night)]
        for one in late:
            await here.opt_out(one.id)
        await here.until_all_ended(HALF_HOUR, A_WEEK)

        assert early
        gone = {one.id for one in (*early, *late)}
        due = [one for one in people if one.id not in gone]
        arrived_once(here, due, night)
        first_of_morning(here, due, zone, night)
        await in_their_language(here, due)
        await each_no_has_its_reason(here, ana, campaign, early, late, len(due))

        doubtful = await they_answer(here, due, item)
        await a_second_round(here, ana, item, doubtful, gone)


async def resolve(by: Caller, item: str, told: dict[str, Any]) -> None:
    body = {"root_cause": "Seats counted twice", "action": "Ledger rebuilt"}
    answer = await by.act(item, "resolve", body | told)
    assert answer.status_code == 200, answer.text


async def told_to_all(ana: Caller, bo: Caller, item: str) -> str:
    body = {
        "result": "done",
        "what": "Ledger rebuilt by night",
        "tell": TELL,
        "translations": {"de": GERMAN},
        "on": "2026-10-01",
        "items": [item],
    }
    change = (await ana.post("/v1/changes", body)).json()["id"]
    await bo.post(f"/v1/changes/{change}:review")
    made = await ana.post("/v1/campaigns", {"name": "Seats", "items": [item], "changes": [change]})
    campaign = str(made.json()["id"])
    for deed, by in (("submit", ana), ("approve", bo)):
        tag = (await by.get(f"/v1/campaigns/{campaign}")).headers["ETag"]
        done = await by.post(f"/v1/campaigns/{campaign}:{deed}", If_Match=tag)
        assert done.status_code == 200, done.text
    return campaign


def arrived_once(here: Town, due: list[Somebody], night: datetime) -> None:
    """By the ids that receivers tell repeats from, and by who accepted what, on the channel they want."""
    told = heard(here.arrivals)
    assert set(told) == {one.id for one in due}
    for one in due:
        assert [arrival.channel for arrival in told[one.id]] == [one.channel]
    tried = {(one.customer_id, one.id) for one in here.arrivals}
    assert len(tried) == len(due)
    assert Counter(here.moody.given)[200] == sum(one.channel != "email" for one in due)
    assert sum(status != 200 for status in here.moody.given) > len(due) // 5
    by_id = {one.id: one for one in due}
    for arrival in here.arrivals:
        assert not by_id[arrival.customer_id].is_quiet(arrival.at), arrival
        assert arrival.at >= night
    assert {one.channel for one in due} == set(CHANNELS)


def first_of_morning(here: Town, due: list[Somebody], zone: str, night: datetime) -> None:
    """By the new wall clock: eight in the morning for whoever has the usual quiet hours, to the minute."""
    usual = {one.id for one in due if one.zone == zone and one.quiet is None}
    first = min(arrival.at for arrival in here.arrivals if arrival.customer_id in usual)
    assert first.astimezone(ZoneInfo(zone)).strftime("%H:%M") == "08:00"
    before, after = (at.astimezone(ZoneInfo(zone)).utcoffset() for at in (night, first))
    assert before != after


async def in_their_language(here: Town, due: list[Somebody]) -> None:
    told = heard(here.arrivals)
    for one in due:
        said = told[one.id][0].text
        assert (GERMAN in said, TELL in said) == (one.language == "de", one.language != "de")
    rows = await here.rows("""
        SELECT m.customer_id, e.basis -> 'language' AS language FROM router.message_event e
        JOIN router.message m ON m.tenant_id = e.tenant_id AND m.id = e.message_id WHERE e.state = 'handed'
    """)
    by_id = {one.id: one for one in due}
    for row in rows:
        wanted = by_id[row.customer_id].language
        assert row.language == {"wanted": wanted, "used": "en" if wanted == "sw" else wanted}


async def each_no_has_its_reason(
    here: Town, by: Caller, campaign: str, early: list[Somebody], late: list[Somebody], due: int
) -> None:
    shown = (await by.get(f"/v1/campaigns/{campaign}")).json()
    progress = shown["progress"]
    assert shown["state"] == "done"
    assert progress["excluded"] == {"opted_out": len(early)}
    assert (progress["sent"], progress["refused"]) == (due, len(late))
    assert progress["ended_by"] == ({"opted_out": len(late)} if late else {})
    people: dict[str, Any] = {}
    cursor: str | None = ""
    while cursor is not None:
        page = (await by.get(f"/v1/campaigns/{campaign}/recipients", cursor=cursor)).json()
        people |= {one["customer_id"]: one for one in page["recipients"]}
        cursor = page["next_cursor"]
    for one in early:
        assert (people[one.id]["code"], people[one.id]["standing"]) == ("opted_out", None)
        assert people[one.id]["because"]
    for one in late:
        standing = people[one.id]["standing"]
        assert (standing["state"], standing["code"]) == ("refused", "opted_out")
        assert standing["reason"]
    states = await here.rows("SELECT state, count(*) AS number FROM router.loop GROUP BY state")
    assert {row.state: row.number for row in states} == {"told": due, "not_told": len(early) + len(late)}


async def they_answer(here: Town, due: list[Somebody], item: str) -> list[Somebody]:
    """Most say whether it is solved, by the link or on their page, and some say nothing; those who doubt it."""
    told, chance = heard(here.arrivals), random.Random(5)
    said = {one.id: chance.choices(("confirm", "dispute", None), (70, 10, 20))[0] for one in due}
    doubtful = [one for one in due if said[one.id] == "dispute"]
    assert {one.channel for one in doubtful} == set(CHANNELS)
    for one in due:
        answer = said[one.id]
        if answer is not None:
            comment = f"{one.id} says no" if one in doubtful else None
            await here.answer(told[one.id][0], answer, comment)
    assert await here.scalar("SELECT state FROM router.item WHERE id = :id", id=item) == "open"
    answers = await here.rows("SELECT customer_id, state FROM router.loop WHERE state <> 'not_told'")
    as_state = {"confirm": "confirmed", "dispute": "disputed", None: "told"}
    assert {row.customer_id: row.state for row in answers} == {
        customer: as_state[answer] for customer, answer in said.items()
    }
    return doubtful


async def a_second_round(here: Town, by: Caller, item: str, doubtful: list[Somebody], gone: set[str]) -> None:
    """Solved once more, in words of its own: only the doubtful hear, once."""
    before, start = len(here.arrivals), here.clock.now()
    await resolve(by, item, {"tell_customer": {"text": AGAIN}})
    await here.step()
    await here.until_all_ended(HALF_HOUR, A_WEEK)
    second: list[Arrival] = here.arrivals[before:]
    assert set(heard(second)) == {one.id for one in doubtful}
    assert all(len(arrivals) == 1 for arrivals in heard(second).values())
    assert len({one.id for one in second}) == len(doubtful)
    by_id = {one.id: one for one in doubtful}
    for arrival in second:
        assert AGAIN in arrival.text
        assert not by_id[arrival.customer_id].is_quiet(arrival.at)
    refused = await here.rows(
        "SELECT customer_id, code FROM router.message WHERE state = 'refused' AND created_at >= :at", at=start
    )
    assert {(row.customer_id, row.code) for row in refused} <= {(one, "opted_out") for one in gone}
    after = {one.id for one in doubtful}
    rows = await here.rows("SELECT customer_id, round, state FROM router.loop")
    rounds = {row.customer_id: row.round for row in rows}
    assert {row.customer_id: row.state for row in rows if row.customer_id in after} == dict.fromkeys(
        after, "told"
    )
    content = {row.round for row in rows if row.customer_id not in after | gone}
    assert len(content) == 1
    assert all(rounds[customer] > max(content) for customer in after)
