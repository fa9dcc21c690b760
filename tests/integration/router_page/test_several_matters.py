"""One message about several matters: each is confirmed or disputed by itself, without an account."""

from datetime import timedelta
from typing import Any

from tests.integration.router_loops.house import Caller, House
from tests.integration.router_loops.receiver import Receiver
from tests.integration.router_loops.test_rounds import group, states
from tests.integration.router_page.conftest import Customer

from heardback_shared.contact.domain import Card


async def one_person(house: House, *ids: str, person: str = "person-1") -> None:
    at = house.clock.now() - timedelta(days=1)
    async with house.database.tenant("default") as connection:
        for customer in ids:
            await house.contacts.put_card(connection, "default", Card(customer, person, at))


def message(receiver: Receiver) -> dict[str, Any]:
    """The one about two loops."""
    (data,) = [g.json["data"] for g in receiver.received if len(g.json["data"]["loop_ids"]) == 2]
    return dict(data)


def other_id(receiver: Receiver, ada: Customer) -> str:
    """The id of the person that the message was not sent to; the page is that of the one it was."""
    ada.id = message(receiver)["customer_id"]
    return "c-2" if ada.id == "c-1" else "c-1"


async def told_together(house: House, by: Caller) -> str:
    """An item of two ids of one person and of somebody else, all of whom were told."""
    await one_person(house, "c-1", "c-2")
    item_id = await group(house, "c-1", "c-2", "c-3")
    await house.resolve(item_id, by)
    await house.deliver()
    return item_id


async def test_each_matter_of_a_message_has_its_own_answer_and_only_the_disputed_one_opens_again(
    house: House, receiver: Receiver
) -> None:
    item_id = await told_together(house, await house.caller())
    given = message(receiver)["links"]
    assert "confirm" not in given
    first, second = given["answers"]
    assert (await house.client.post(first["confirm"].partition(".com")[2])).status_code == 200
    assert (await house.client.post(second["dispute"].partition(".com")[2])).status_code == 200
    found = await states(house, item_id)
    assert sorted(found.values()) == [("confirmed", 1), ("disputed", 1), ("told", 1)]
    assert found["c-3"] == ("told", 1)


async def test_the_page_that_the_message_names_answers_every_matter_of_it_one_by_one(
    house: House, receiver: Receiver, ada: Customer
) -> None:
    item_id = await told_together(house, await house.caller())
    elsewhere = other_id(receiver, ada)
    (_, other) = [one["loop_id"] for one in message(receiver)["links"]["answers"]]
    page = (await ada.look()).text
    assert page.count("/confirm") == 2
    assert page.count("The invoice is wrong again") == 1  # what the other id wrote stays on the other page
    assert "answered" in str((await ada.send(f"/loops/{other}/dispute", comment="no")).headers["Location"])
    found = await states(house, item_id)
    assert (found[ada.id], found[elsewhere]) == (("told", 1), ("disputed", 1))
    assert (await ada.look()).text.count("/confirm") == 1


async def test_whoever_is_no_longer_the_same_person_answers_nothing_of_the_other(
    house: House, receiver: Receiver, ada: Customer
) -> None:
    item_id = await told_together(house, await house.caller())
    elsewhere = other_id(receiver, ada)
    (_, other) = [one["loop_id"] for one in message(receiver)["links"]["answers"]]
    later = house.clock.now() + timedelta(minutes=1)
    async with house.database.tenant("default") as connection:
        await house.contacts.put_card(connection, "default", Card(elsewhere, "person-2", later))
    assert (await ada.look()).text.count("/confirm") == 1
    assert (await ada.send(f"/loops/{other}/confirm")).status_code == 404
    assert (await states(house, item_id))[elsewhere] == ("told", 1)


async def test_nobody_answers_a_matter_that_no_message_to_them_told_of(
    house: House, receiver: Receiver, ada: Customer
) -> None:
    item_id = await told_together(house, await house.caller())
    async with house.database.tenant("default") as connection:
        loops = await house.core.closing.loops.of_item(connection, "default", item_id)
    (stranger,) = [loop["id"] for loop in loops if loop["customer_id"] == "c-3"]
    assert (await ada.send(f"/loops/{stranger}/confirm")).status_code == 404
    assert (await states(house, item_id))["c-3"] == ("told", 1)
