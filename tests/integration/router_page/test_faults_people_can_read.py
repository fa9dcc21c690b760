"""Whatever goes wrong on the customer's page, a person reads a page: never JSON, and in their language."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from tests.integration.router_loops.house import PUBLIC_URL, House, build_house, living_in
from tests.integration.router_loops.receiver import Receiver
from tests.integration.router_page.conftest import Customer, told
from tests.support.clock import NOON
from tests.support.mailbox import Mailbox
from tests.support.page_reader import read_page

from heardback_router.page.domain import WRONG_AT_MOST
from heardback_shared.db.database import Database
from heardback_shared.settings import DatabaseSettings

BROWSER = {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def cut_off(database_settings: DatabaseSettings, receiver: Receiver) -> AsyncIterator[House]:
    """A house whose database does not answer."""
    nowhere = make_url(database_settings.url).set(port=1).render_as_string(hide_password=False)
    database = Database(DatabaseSettings(url=nowhere))
    async with living_in(build_house(database, receiver, NOON)) as built:
        yield built
    await database.close()


def is_a_page(answer: httpx.Response, status: int, title: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "same-origin"
    read = read_page(answer.text)
    assert read.faults() == []
    assert title in read.text
    assert "trace_id" not in answer.text


async def test_while_the_database_is_down_the_page_says_so_in_the_readers_language(
    cut_off: House, mailbox: Mailbox
) -> None:
    ada = Customer(cut_off, mailbox)
    is_a_page(await ada.look(), 503, "Not just now")
    german = await ada.look(**{"Accept-Language": "fr;q=0.9, de-AT;q=0.8"})
    is_a_page(german, 503, "Gerade nicht")
    assert '<html lang="de">' in german.text
    assert int(german.headers["Retry-After"]) >= 1
    is_a_page(await ada.look("?lang=en", **{"Accept-Language": "de"}), 503, "Not just now")
    is_a_page(await ada.send("/stop", purpose="everything"), 503, "Not just now")


async def test_every_other_fault_is_a_page_too(house: House, ada: Customer) -> None:
    client, path = house.client, ada.path
    item = await told(house)
    loop = (await house.loop_of(item))["id"]
    is_a_page(await client.get("/c/forged.token"), 404, "This link does not work")
    is_a_page(await client.get("/c/"), 404, "There is nothing here")
    is_a_page(await client.get(f"{path}/nowhere"), 404, "There is nothing here")
    is_a_page(await client.get(f"{path}/code/{'x' * 200}"), 422, "We cannot read this")
    is_a_page(await client.get(path, params={"done": "x" * 50}), 422, "We cannot read this")
    is_a_page(await client.get(f"{path}/stop"), 405, "This cannot be opened so")
    is_a_page(
        await client.put(path, headers={"Accept-Language": "de"}), 405, "So lässt sich das nicht öffnen"
    )
    huge = f"comment={'x' * 200_000}"
    form = {**BROWSER, "Content-Type": "application/x-www-form-urlencoded"}
    is_a_page(await client.post(f"{path}/stop", content=huge, headers=form), 413, "That was too much at once")

    async def in_parts() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b"x" * 1_000

    is_a_page(await client.post(f"{path}/stop", content=in_parts(), headers=form), 413, "too much at once")
    answer = await ada.sent(f"/loops/{loop}/dispute", comment="x" * 2_001)
    is_a_page(answer, 200, "too long")
    house.clock.forward(days=31)
    is_a_page(await client.get(path), 410, "This link has expired")


async def test_after_a_fault_in_a_form_the_other_language_shows_the_page(house: House, ada: Customer) -> None:
    refused = await ada.send("/preferences", digest="none", time_zone="Mars/Base")
    is_a_page(refused, 422, "This time zone is not known")
    links = {e.attributes["href"] for e in read_page(refused.text).elements if "hreflang" in e.attributes}
    german = f"{ada.path}?lang=de"
    assert german in links
    is_a_page(await house.client.get(german), 200, "Ihre Rückmeldungen")


async def test_what_fails_on_our_side_is_a_page_too(house: House, ada: Customer) -> None:
    transport = httpx.ASGITransport(app=house.core.http, raise_app_exceptions=False)
    async with house.database.engine.begin() as c:
        await c.execute(text("ALTER TABLE router.loop_event RENAME TO gone"))
    async with httpx.AsyncClient(transport=transport, base_url="http://router") as client:
        is_a_page(await client.get(ada.path), 500, "Something failed on our side")
        problem = await client.get("/v1/loops/not-one-of-ours")
    assert problem.headers["content-type"] == "application/problem+json"


async def test_a_page_asked_for_too_often_says_so_and_others_pages_go_on(house: House, ada: Customer) -> None:
    for _ in range(200):  # a slow machine earns a few more while it asks
        hurried = await ada.look()
        if hurried.status_code != 200:
            break
    is_a_page(hurried, 429, "Too often")
    assert 1 <= int(hurried.headers["Retry-After"]) <= 60
    assert (await Customer(house, ada.mailbox, "c-2").look()).status_code == 200


async def test_of_guesses_made_all_at_once_no_more_count_than_one_after_the_other(
    house: House, ada: Customer
) -> None:
    await ada.has_address("ada@example.com")
    place = (await ada.send("/erasure")).headers["Location"].removeprefix(ada.path)
    ((_, code),) = ada.codes()
    guesses = [f"{(int(code) + n) % 10**8:08d}" for n in range(1, 21)]
    answers = await asyncio.gather(*(ada.send(place, code=guess) for guess in guesses))
    said = [answer.status_code for answer in answers]
    assert (said.count(422), said.count(410)) == (WRONG_AT_MOST, len(guesses) - WRONG_AT_MOST)
    assert (await ada.send(place, code=code)).status_code == 410
