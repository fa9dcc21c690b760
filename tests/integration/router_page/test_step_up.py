"""What a link alone does not allow: a code goes to the customer's own address first."""

import httpx
import pytest
from tests.integration.router_loops.house import House
from tests.integration.router_page.conftest import Customer
from tests.support.page_reader import read_page

from heardback_router.page.domain import CODES_AN_HOUR, WRONG_AT_MOST


def words(answer: httpx.Response) -> str:
    return read_page(answer.text).text


def place_of(answer: httpx.Response, customer: Customer) -> str:
    assert answer.status_code == 303
    location: str = answer.headers["Location"]
    assert location.startswith(customer.path + "/code/")
    return location.removeprefix(customer.path)


async def requests(house: House, tenant: str = "default") -> list[tuple[str, bool]]:
    by = await house.caller(tenant, ("admin",))
    found = (await by.get("/v1/erasure-requests")).json()["requests"]
    return [(one["customer_id"], one["confirmed"]) for one in found]


async def test_erasure_is_asked_for_with_a_code_that_works_once(house: House, ada: Customer) -> None:
    await ada.has_address("ada@example.com")
    place = place_of(await ada.send("/erasure"), ada)
    form = await ada.look(place)
    assert read_page(form.text).faults() == []
    assert await requests(house) == []
    ((to, code),) = ada.codes()
    assert to == "ada@example.com"
    done = await ada.sent(place, code=f"{code[:4]} {code[4:]}")
    assert "Your request is with us." in words(done)
    assert "You asked for this on" in words(done)
    assert await requests(house) == [("c-1", True)]
    replayed = await ada.send(place, code=code)
    assert (replayed.status_code, "used already" in words(replayed)) == (410, True)
    assert await requests(house) == [("c-1", True)]


async def test_a_code_is_refused_when_wrong_old_tried_too_often_or_anothers(
    house: House, ada: Customer
) -> None:
    await ada.has_address("ada@example.com")
    place = place_of(await ada.send("/erasure"), ada)
    ((_, code),) = ada.codes()
    eve = Customer(house, ada.mailbox, "c-2")
    assert (await eve.send(place, code=code)).status_code == 404
    twin = Customer(house, ada.mailbox, "c-1", tenant="other")
    assert (await twin.send(place, code=code)).status_code == 404
    wrong = f"{(int(code) + 1) % 10**8:08d}"
    for _ in range(WRONG_AT_MOST):
        answer = await ada.send(place, code=wrong)
        assert (answer.status_code, "not right" in words(answer)) == (422, True)
        assert read_page(answer.text).faults() == []
    locked = await ada.send(place, code=code)
    assert (locked.status_code, "Too many wrong codes" in words(locked)) == (410, True)
    later = place_of(await ada.send("/erasure"), ada)
    house.clock.forward(minutes=15)
    expired = await ada.send(later, code=ada.codes()[-1][1])
    assert (expired.status_code, "too old" in words(expired)) == (410, True)
    assert await requests(house) == []


async def test_only_so_many_codes_an_hour(house: House, ada: Customer) -> None:
    await ada.has_address("ada@example.com")
    for _ in range(CODES_AN_HOUR):
        place_of(await ada.send("/erasure"), ada)
    assert "Too many codes" in words(await ada.sent("/erasure"))
    assert len(ada.codes()) == CODES_AN_HOUR
    house.clock.forward(minutes=61)
    place_of(await ada.send("/erasure"), ada)


async def test_codes_are_forgotten_after_a_day(house: House, ada: Customer) -> None:
    await ada.has_address("ada@example.com")
    place = place_of(await ada.send("/address", address="new@example.org"), ada)
    await house.core.forget.forget()
    assert (await ada.send(place, code="0")).status_code == 422
    house.clock.forward(days=1, seconds=1)
    await house.core.forget.forget()
    assert (await ada.send(place, code="0")).status_code == 404


async def test_without_an_address_a_person_makes_sure_who_asks(house: House, ada: Customer) -> None:
    page = await ada.sent("/erasure")
    assert "A person will first make sure that it is you." in words(page)
    await ada.sent("/erasure")
    assert await requests(house) == [("c-1", False)]
    assert (await ada.send("/address", address="new@example.com")).status_code == 404
    assert ada.codes() == []


async def test_a_mail_server_that_is_away_is_told_and_nothing_is_done(house: House, ada: Customer) -> None:
    await ada.has_address("ada@example.com")
    ada.mailbox.replies.append("451 later")
    assert "cannot send you a code" in words(await ada.sent("/erasure"))
    assert await requests(house) == []


async def test_a_new_address_holds_once_the_old_one_has_confirmed_it(house: House, ada: Customer) -> None:
    await ada.has_address("ada@example.com")
    assert "a…@example.com" in words(await ada.look())
    assert "ada@example.com" not in (await ada.look()).text
    refused = await ada.send("/address", address="not an address\r\nBcc: eve@example.com")
    assert (refused.status_code, "not an e-mail address" in words(refused)) == (422, True)
    place = place_of(await ada.send("/address", address="new@example.org"), ada)
    assert await ada.address() == "ada@example.com"
    ((to, code),) = ada.codes()
    assert to == "ada@example.com"
    assert "new address holds" in words(await ada.sent(place, code=code))
    assert await ada.address() == "new@example.org"


async def test_people_see_requests_and_say_that_they_are_carried_out(house: House, ada: Customer) -> None:
    await ada.sent("/erasure")
    by = await house.caller(scopes=("admin",))
    (one,) = (await by.get("/v1/erasure-requests")).json()["requests"]
    path = f"/v1/erasure-requests/{one['id']}:done"
    assert (await (await house.caller()).get("/v1/erasure-requests")).status_code == 403
    assert (await by.post(path, {"words": " "})).status_code == 422
    other = await house.caller("other", ("admin",))
    assert (await other.post(path, {"words": "mine"})).status_code == 404
    assert (await by.post(path, {"words": "Erased in all systems."})).status_code == 204
    assert (await by.post(path, {"words": "again"})).status_code == 404
    assert await requests(house) == []
    done = (await by.get("/v1/erasure-requests", open="false")).json()["requests"]
    assert [(d["done_by"], d["words"]) for d in done] == [("ann", "Erased in all systems.")]
    assert "You asked for this" not in words(await ada.look())


@pytest.mark.parametrize("cursor", ["x", "2026-01-01~a", "2026-01-01T00:00:00Z~a\x00"])
async def test_a_cursor_of_nobody_is_refused(house: House, cursor: str) -> None:
    by = await house.caller(scopes=("admin",))
    assert (await by.get("/v1/erasure-requests", cursor=cursor)).status_code == 422
