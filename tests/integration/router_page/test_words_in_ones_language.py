"""What was done about a matter, in the customer's own language: in the message and on the page."""

import pytest
from tests.integration.router_loops.house import House
from tests.integration.router_page.conftest import Customer
from tests.support.page_reader import read_page

ENGLISH, GERMAN = "The invoice is corrected.", "Die Rechnung ist berichtigt."


async def told_to_a_german(house: House, ada: Customer, translations: dict[str, str]) -> str:
    """The message that the tenant's endpoint was given for the customer."""
    ann = await house.caller()
    for endpoint in (await ann.get("/v1/endpoints")).json()["endpoints"]:
        await ann.patch(f"/v1/endpoints/{endpoint['id']}", {"fields": ["message"]})
    await ada.sent("/preferences", language="de", digest="none")
    await house.resolve(await house.item(), ann, ENGLISH, translations)
    assert await house.deliver() == 1
    sent = house.receiver.received[-1].json
    return " ".join(sent["data"]["message"]["text"].split())


async def test_whoever_reads_german_gets_the_german_words_and_no_others(house: House, ada: Customer) -> None:
    message = await told_to_a_german(house, ada, {"de": GERMAN})
    assert GERMAN in message
    assert ENGLISH not in message
    assert "nur in dieser Sprache" not in message
    page = read_page((await ada.look()).text)
    assert GERMAN in page.text
    assert ENGLISH not in page.text
    quoted = [quote for quote in page.all("blockquote") if quote.text.strip() == GERMAN]
    assert "lang" not in quoted[0].attributes
    english = read_page((await ada.look("?lang=en")).text)
    assert ENGLISH in english.text


async def test_what_was_not_translated_says_in_which_language_it_is(house: House, ada: Customer) -> None:
    message = await told_to_a_german(house, ada, {})
    assert ENGLISH in message
    assert "nur in dieser Sprache: Englisch" in message
    page = read_page((await ada.look()).text)
    quoted = [quote for quote in page.all("blockquote") if quote.text.strip() == ENGLISH]
    assert quoted[0].attributes["lang"] == "en"
    assert "nur in dieser Sprache: Englisch" in page.text


@pytest.mark.parametrize(
    ("tell", "pointer"),
    [
        ({"text": "It is fixed."}, "/tell_customer/text"),
        ({"text": "Half of it is right.", "translations": {"de": "Das ist behoben."}}, None),
        ({"text": "Half of it is right.", "translations": {"de": "Hallo [NAME], ein Teil ist da."}}, None),
        (
            {"text": "Half of it is right.", "translations": {"DE": "Ein Teil ist da."}},
            "/tell_customer/translations/DE",
        ),
    ],
)
async def test_every_language_is_looked_at(
    house: House, tell: dict[str, object], pointer: str | None
) -> None:
    ann = await house.caller()
    item = await house.item()
    tag = (await ann.get(f"/v1/items/{item}")).headers["ETag"]
    body = {"root_cause": "x", "action": "y", "result": "partial", "tell_customer": tell}
    answer = await ann.post(f"/v1/items/{item}:resolve", body, If_Match=tag)
    assert answer.status_code == 422
    named = [error["pointer"] for error in answer.json()["errors"]]
    assert named[0].startswith(pointer or "/tell_customer/translations/de")


async def test_a_german_text_for_everybody_is_warned_of(house: House) -> None:
    ann = await house.caller()
    item = await house.item()
    done = await house.resolve(item, ann, "Wir haben die Rechnung berichtigt, und das Geld ist da.")
    assert [(one["rule"], one["pointer"]) for one in done["warnings"]] == [
        ("other_language", "/tell_customer/text")
    ]
