"""Preferences, leaving and coming back, on the page and by one click from a mail program."""

from datetime import time

import httpx
import pytest
from tests.integration.router_loops.house import House
from tests.integration.router_page.conftest import KEYRING, Customer, told
from tests.support.page_reader import read_page

from heardback_shared.contact.domain import QuietHours
from heardback_shared.contact.wish_store import PostgresWishes

FORM = {
    "channel_1": "email",
    "channel_2": "webhook",
    "language": "de",
    "time_zone": "Europe/Berlin",
    "quiet_from": "20:30",
    "quiet_to": "07:00",
    "digest": "weekly",
}


def words(answer: httpx.Response) -> str:
    return read_page(answer.text).text


async def test_wishes_are_the_customers_own_word_and_come_back_filled_in(ada: Customer) -> None:
    await ada.has_address("ada@example.com")
    page = await ada.sent("/preferences", **FORM)
    assert "Gespeichert." in words(page)
    who = await ada.known()
    assert (who.channels, who.language, who.time_zone) == (("email", "webhook"), "de", "Europe/Berlin")
    assert (who.quiet, who.digest, who.inferred) == (
        QuietHours(time(20, 30), time(7)),
        "weekly",
        frozenset(),
    )
    fields = {e.attributes.get("id"): e.attributes for e in read_page(page.text).all("input")}
    assert fields["quiet_from"]["value"] == "20:30"
    assert "checked" in fields["digest_weekly"]
    chosen = [e.text for e in read_page(page.text).all("option") if "selected" in e.attributes]
    assert chosen == ["E-Mail", "Wie üblich, über unser eigenes System", "Deutsch"]
    await ada.sent("/preferences", digest="none")
    who = await ada.known()
    assert (who.channels, who.language, who.quiet, who.digest) == (("webhook", "email"), None, None, "none")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"channel_2": "email"}, "Choose each channel once only."),
        ({"channel_1": "fax"}, "Choose each channel once only."),
        ({"time_zone": "Mars/Base"}, "This time zone is not known."),
        ({"quiet_to": ""}, "Give both times"),
        ({"quiet_from": "25:00"}, "Give both times"),
        ({"quiet_from": "07:00"}, "Give both times"),
        ({"quiet_from": "٠٧:٠٠"}, "Give both times"),
        ({"digest": "hourly"}, "Choose one of the three."),
        ({"language": "tlh"}, "Choose one of the languages."),
    ],
)
async def test_a_wrong_form_comes_back_with_what_is_wrong_and_what_was_filled_in(
    ada: Customer, change: dict[str, str], says: str
) -> None:
    answer = await ada.send("/preferences", **(FORM | {"language": "en"} | change))
    assert answer.status_code == 422
    page = read_page(answer.text)
    assert says in page.text
    assert page.faults() == []
    zone = next(e for e in page.all("input") if e.attributes.get("id") == "time_zone")
    assert zone.attributes["value"] == change.get("time_zone", "Europe/Berlin")
    assert (await ada.known()).digest == "none"


async def test_one_click_leaves_a_purpose_or_everything_and_nothing_subscribes_again(
    ada: Customer,
) -> None:
    assert "Done." in words(await ada.sent("/stop", purpose="surveys"))
    assert (await ada.known()).refused == {"surveys", "profiling"}
    await ada.sent("/stop", purpose="everything")
    assert (await ada.known()).refused == {"case_updates", "surveys", "profiling"}
    await ada.sent("/preferences", **FORM)
    assert (await ada.known()).refused == {"case_updates", "surveys", "profiling"}
    assert (await ada.send("/allow", purpose="everything")).status_code == 404
    assert (await ada.send("/stop", purpose="marketing")).status_code == 404


async def test_coming_back_is_a_consent_with_its_text_as_proof(house: House, ada: Customer) -> None:
    await ada.sent("/stop", purpose="everything")
    house.clock.forward(minutes=1)
    await ada.sent("/allow", purpose="surveys")
    assert (await ada.known()).refused == {"case_updates", "profiling"}
    async with house.database.tenant("default") as c:
        _, given = await PostgresWishes(KEYRING).ledger(c, "default", "c-1")
    assert (given.consent.scope, given.consent.provenance, given.consent.channel) == (
        "surveys",
        "stated",
        "page",
    )
    assert given.consent.text_version == "page-1/en"
    assert given.proof is not None
    assert "You may ask me to answer surveys." in given.proof
    assert ada.path.removeprefix("/c/") not in given.proof


async def test_one_matter_is_left_and_taken_up_again(house: House, ada: Customer) -> None:
    item = await told(house)
    page = await ada.sent("/stop", item=item)
    assert "You hear no more about this matter." in words(page)
    who = await ada.known()
    assert who.refused_items == {item}
    assert who.refused == {"profiling"}
    house.clock.forward(minutes=1)
    await ada.sent("/allow", item=item)
    assert (await ada.known()).refused_items == frozenset()


async def test_a_mail_program_unsubscribes_with_one_request_a_look_does_not(ada: Customer) -> None:
    place = "/unsubscribe/case_updates"
    page = await ada.look(place)
    assert page.status_code == 200
    assert read_page(page.text).faults() == []
    assert (await ada.known()).refused == {"profiling"}
    # RFC 8058, 3.2: no cookies, no origin, this very body.
    answer = await ada.send(place, {}, **{"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 303
    assert (await ada.known()).refused == {"case_updates", "profiling"}
    assert (await ada.send("/unsubscribe/other", {})).status_code == 404


@pytest.mark.parametrize("body", [b"", b"\xff=\xfe", b"a=1&" * 5_000, b"purpose=\x00"])
async def test_a_body_that_is_no_form_is_refused_and_changes_nothing(ada: Customer, body: bytes) -> None:
    answer = await ada.house.client.post(ada.path + "/stop", content=body)
    assert answer.status_code == 404
    assert (await ada.known()).refused == {"profiling"}
