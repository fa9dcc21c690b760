"""What a customer sees and does on their page; whose page it is, the link alone says."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text
from tests.integration.router_loops.house import PUBLIC_URL, House
from tests.integration.router_page.conftest import KEYRING, Customer, told
from tests.support.page_reader import read_page
from tests.support.scored import incoming, scored

from heardback_router.loops.links import PURPOSE, LinkClaim, sign_link


def words(answer: httpx.Response) -> str:
    return read_page(answer.text).text


async def test_they_see_what_they_said_what_became_of_it_and_what_they_were_told(
    house: House, ada: Customer
) -> None:
    first = await house.item(2)
    item = await told(house)
    page = await ada.look()
    assert page.status_code == 200
    shown = words(page)
    assert "The invoice is wrong again and nobody answers me" in shown
    assert "The invoice is corrected." in shown
    assert "We told you" in shown
    assert "INTERNAL" not in page.text
    # Both feedbacks are about one thing: it is told, and asked, once.
    assert first == item
    assert (page.text.count("<blockquote>The invoice is wrong"), page.text.count("/confirm")) == (2, 1)


async def test_only_the_change_they_were_told_of_is_cited(house: House, ada: Customer) -> None:
    item = await told(house)
    later = {
        "result": "partial",
        "what": "Half of it",
        "tell": "Half of the invoices are checked now.",
        "on": house.clock.now().date().isoformat(),
        "reference": "R-99",
        "items": [item],
    }
    made = await (await house.caller()).post("/v1/changes", later)
    assert made.status_code == 201, made.text
    shown = words(await ada.look())
    assert "Changed on" in shown
    assert "Changed in part on" not in shown
    assert "R-99" not in shown


async def test_what_a_customer_writes_is_shown_as_text(house: House, ada: Customer) -> None:
    await house.core.route([incoming(scored(1, comment='<script>alert("x")</script> & "so"'))])
    page = await ada.look()
    assert "<script" not in page.text
    assert '<script>alert("x")</script> & "so"' in words(page)


async def test_words_that_are_not_kept_leave_source_and_date(house: House, ada: Customer) -> None:
    await house.core.route([incoming(scored(1, comment=""))])
    shown = words(await ada.look())
    assert "Your words are not kept any more." in shown
    assert "Answer to a survey" in shown


async def test_they_confirm_and_the_matter_is_closed(house: House, ada: Customer) -> None:
    item = await told(house)
    loop = (await house.loop_of(item))["id"]
    after = await ada.sent(f"/loops/{loop}/confirm")
    assert "Thank you. We have noted your answer." in words(after)
    assert (await house.status(loop)).state == "confirmed"
    assert "/confirm" not in after.text
    again = await ada.sent(f"/loops/{loop}/dispute", comment="no")
    assert "answered before" in words(again)
    assert (await house.status(loop)).state == "confirmed"


async def test_they_dispute_with_their_own_words(house: House, ada: Customer) -> None:
    item = await told(house)
    loop = (await house.loop_of(item))["id"]
    await ada.sent(f"/loops/{loop}/dispute", comment="Still wrong.\r\nSee page 2")
    assert (await house.status(loop)).state == "disputed"
    by = await house.caller()
    assert "Still wrong.\\nSee page 2" in (await by.get(f"/v1/items/{item}")).text
    longer = await ada.sent(f"/loops/{loop}/dispute", comment="x" * 2_001)
    assert "2000 characters" in words(longer)


async def test_they_disagree_with_how_a_machine_judged(house: House, ada: Customer) -> None:
    item = await told(house)
    loop = (await house.loop_of(item))["id"]
    page = await ada.sent(f"/loops/{loop}/contest", comment="This is urgent to me.")
    assert "A person will look at it." in words(page)
    by = await house.caller()
    assert "This is urgent to me." in (await by.get("/v1/contests")).text


async def test_nobody_elses_things_are_shown_or_touched(house: House, ada: Customer) -> None:
    item = await told(house, number=1, customer="c-2")
    loop = (await house.loop_of(item))["id"]
    eve = await ada.look()
    assert "We have no feedback of yours" in words(eve)
    answer = await ada.send(f"/loops/{loop}/confirm")
    assert answer.status_code == 404
    assert "does not belong to this link" in words(answer)
    assert (await house.status(loop)).state == "told"
    other = Customer(house, ada.mailbox, "c-2", tenant="other")
    assert "We have no feedback of yours" in words(await other.look())
    assert (await other.send(f"/loops/{loop}/confirm")).status_code == 404
    assert (await house.status(loop)).state == "told"


@pytest.mark.parametrize("language", ["en", "de"])
async def test_a_link_that_is_not_ours_or_too_old_opens_nothing(
    house: House, ada: Customer, language: str
) -> None:
    path = ada.path
    expected = {"en": ("does not work", "has expired"), "de": ("geht nicht", "ist abgelaufen")}[language]
    swapped = path[:4] + ("A" if path[4] != "A" else "B") + path[5:]
    until = house.clock.now() + timedelta(days=1)
    of_a_loop = "/c/" + sign_link(KEYRING.key(PURPOSE), LinkClaim("default", "c-1", until))
    accepted = {"Accept-Language": f"fr, {language};q=0.8, x;q=bad"}
    for wrong in (swapped, path + "x", "/c/x", "/c/ä.b", of_a_loop):
        answer = await house.client.get(wrong, headers=accepted)
        assert answer.status_code == 404
        assert expected[0] in words(answer)
        assert (await house.client.post(wrong + "/stop", data={"purpose": "everything"})).status_code == 404
    house.clock.forward(days=30)
    late = await house.client.get(path, headers=accepted)
    assert late.status_code == 410
    page = read_page(late.text)
    assert expected[1] in page.text
    assert page.all("html")[0].attributes["lang"] == language
    assert page.faults() == []
    assert (await house.client.post(path + "/stop", data={"purpose": "everything"})).status_code == 410
    assert (await ada.known()).refused == {"profiling"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "cross-site"},
        {"Origin": PUBLIC_URL.replace("https", "http")},
    ],
)
async def test_a_form_on_another_site_changes_nothing(
    house: House, ada: Customer, headers: dict[str, str]
) -> None:
    item = await told(house)
    loop = (await house.loop_of(item))["id"]
    await ada.has_address("ada@example.com")
    for place, form in (
        (f"/loops/{loop}/confirm", {}),
        ("/stop", {"purpose": "everything"}),
        ("/allow", {"purpose": "profiling"}),
        ("/preferences", {"digest": "daily"}),
        ("/erasure", {}),
        ("/address", {"address": "eve@example.com"}),
    ):
        answer = await ada.send(place, headers, **form)
        assert answer.status_code == 403
        assert "Nothing was changed." in words(answer)
    assert (await house.status(loop)).state == "told"
    who = await ada.known()
    assert who.refused == {"profiling"}
    assert who.digest == "none"
    assert ada.codes() == []


async def test_opening_the_page_changes_nothing_and_posts_only_do(house: House, ada: Customer) -> None:
    item = await told(house)
    loop = (await house.loop_of(item))["id"]
    for place in (f"/loops/{loop}/confirm", "/stop", "/allow", "/preferences", "/erasure", "/address"):
        assert (await ada.look(place)).status_code == 405
    async with house.database.worker() as c:
        for table in ("platform.contact_consent", "platform.contact_wish", "router.page_code"):
            assert await c.scalar(text(f"SELECT count(*) FROM {table}")) == 0


async def test_the_page_speaks_the_customers_language_then_the_browsers(ada: Customer) -> None:
    async def heading(place: str = "", **headers: str) -> str:
        return read_page((await ada.look(place, **headers)).text).all("h1")[0].text

    english, german = "Your feedback and what became of it", "Ihre Rückmeldungen und was daraus wurde"
    assert await heading() == english
    assert await heading(**{"Accept-Language": "de-AT,en;q=0.5"}) == german
    assert await heading(**{"Accept-Language": "da, en;q=0.9, de;q=0"}) == english
    await ada.sent("/preferences", language="de", digest="none")
    assert await heading(**{"Accept-Language": "en"}) == german
    assert await heading("?lang=en") == english
    assert await heading("?lang=xx&done=nonsense&fault=nonsense") == german


async def test_the_page_may_load_and_run_nothing_and_is_kept_nowhere(ada: Customer) -> None:
    answer = await ada.look()
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "form-action 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
