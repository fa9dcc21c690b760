"""Everybody hears of what they raised, also when it was moved, taken up again, or ended otherwise."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from tests.integration.router_loops.house import Caller, House
from tests.integration.router_loops.receiver import Receiver, Reply
from tests.integration.router_loops.test_rounds import ABOUT, act, feedback_of, group, links_of, states
from tests.support.scored import incoming, score, scored

from heardback_shared.contact.domain import Card
from heardback_shared.contact.holds import PostgresHolds


@pytest.fixture
async def ann(house: House) -> Caller:
    await house.endpoint()
    return await house.caller()


async def resolve(by: Caller, item_id: str, tell: str, result: str = "done") -> None:
    body = {"root_cause": "a", "action": "b", "result": result, "tell_customer": {"text": tell}}
    await act(by, item_id, "resolve", body)


def heard(receiver: Receiver) -> list[tuple[str, str]]:
    """(customer, item) of every message that arrived, each counted once."""
    found = {got.id: got.json["data"] for got in receiver.received}
    return sorted((data["customer_id"], data["item_ids"][0]) for data in found.values())


async def disputed(house: House, receiver: Receiver, ann: Caller) -> str:
    """An item of c-1, c-2 and c-3: all were told, c-1 confirmed, c-2 disputed, and c-3 said nothing."""
    item_id = await group(house, "c-1", "c-2", "c-3")
    await resolve(ann, item_id, "It is corrected.")
    await house.deliver()
    await house.client.post(links_of(receiver, "c-1")["confirm"])
    await house.client.post(links_of(receiver, "c-2")["dispute"])
    receiver.received.clear()
    return item_id


async def another(house: House) -> str:
    """An item of c-3 about something else."""
    reading = score(cause="product/defect")
    feedback = scored(9, customer="c-3", reading=reading, accepted_at=house.clock.now())
    await house.core.route([incoming(feedback)])
    return await house.item_of(feedback)


async def test_who_was_told_of_one_item_and_is_split_off_hears_of_the_other(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    item_id = await disputed(house, receiver, ann)
    confirmed, _, silent = await feedback_of(house, item_id)
    other = (await act(ann, item_id, "split", {"feedback": [confirmed, silent], "reason": "r"}))["id"]
    assert await states(house, other) == {"c-1": ("confirmed", 1), "c-3": ("acknowledged", 2)}
    assert [(c.customer_id, c.code) for c in await house.announced()][-1] == ("c-3", "moved")
    await resolve(ann, other, "The other thing is corrected.")
    await house.deliver()
    assert heard(receiver) == [("c-3", other)]
    await resolve(ann, item_id, "Now it is corrected.")
    await house.deliver()
    assert heard(receiver) == sorted([("c-2", item_id), ("c-3", other)])


async def test_who_was_told_hears_what_becomes_of_the_item_that_theirs_is_merged_into(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    item_id = await disputed(house, receiver, ann)
    other = await another(house)
    await act(ann, other, "merge", {"from": [item_id], "reason": "the same"})
    assert await states(house, other) == {
        "c-1": ("confirmed", 1),
        "c-2": ("disputed", 1),
        "c-3": ("acknowledged", 1),
    }
    await resolve(ann, other, "All of it is corrected.")
    await house.deliver()
    assert heard(receiver) == [("c-2", other), ("c-3", other)]


async def test_who_has_a_told_stake_in_the_item_theirs_is_merged_into_hears_of_it_again(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    item_id = await disputed(house, receiver, ann)
    other = await another(house)
    await act(ann, item_id, "merge", {"from": [other], "reason": "the same"})
    assert (await states(house, item_id))["c-3"] == ("acknowledged", 2)
    await resolve(ann, item_id, "All of it is corrected.")
    await house.deliver()
    assert heard(receiver) == [("c-2", item_id), ("c-3", item_id)]


async def test_who_was_told_and_writes_again_hears_what_becomes_of_that(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    item_id = await disputed(house, receiver, ann)
    for number, customer in ((7, "c-1"), (8, "c-3")):
        again = scored(number, customer=customer, context=ABOUT, accepted_at=house.clock.now())
        await house.core.route([incoming(again)])
        await house.core.route([incoming(again)])
        assert await house.item_of(again) == item_id
    assert await states(house, item_id) == {
        "c-1": ("acknowledged", 2),
        "c-2": ("disputed", 1),
        "c-3": ("acknowledged", 2),
    }
    told = [(c.customer_id, c.state, c.code) for c in await house.announced()][-2:]
    assert sorted(told) == [(c, "acknowledged", "wrote_again") for c in ("c-1", "c-3")]
    await resolve(ann, item_id, "Now it is corrected.")
    await house.deliver()
    assert heard(receiver) == [(c, item_id) for c in ("c-1", "c-2", "c-3")]


@pytest.mark.parametrize(("second", "told"), [("done", ["c-2"]), ("declined", ["c-2", "c-3"])])
async def test_who_was_told_that_it_is_done_hears_when_it_is_not_after_all(
    house: House, receiver: Receiver, ann: Caller, second: str, told: list[str]
) -> None:
    item_id = await disputed(house, receiver, ann)
    await resolve(ann, item_id, "We cannot change this, because the law asks for it.", second)
    await house.deliver()
    assert heard(receiver) == [(customer, item_id) for customer in told]


async def test_what_is_told_nothing_says_nothing_to_who_had_been_told_otherwise(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    item_id = await disputed(house, receiver, ann)
    body = {"root_cause": "a", "action": "b", "result": "partial", "not_telling_because": "phoned them"}
    await act(ann, item_id, "resolve", body)
    assert await house.deliver() == 0
    assert (await states(house, item_id))["c-3"] == ("told", 1)


async def test_what_waits_at_a_receiver_that_is_down_is_not_told_once_it_is_taken_up_again(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    item_id = await group(house, "c-1")
    await resolve(ann, item_id, "It is corrected.")
    receiver.usual = Reply(503)
    await house.deliver()
    attempts = len(receiver.received)
    await act(ann, item_id, "reopen", {"reason": "rolled back"})
    assert await states(house, item_id) == {"c-1": ("acknowledged", 2)}
    receiver.usual = Reply(200)
    await let_pass(house)
    assert len(receiver.received) == attempts
    (first,) = await messages(ann)
    assert (first["state"], first["code"]) == ("cancelled", "taken_back")
    await resolve(ann, item_id, "Now it is corrected.")
    await let_pass(house)
    assert await states(house, item_id) == {"c-1": ("told", 2)}
    assert len(receiver.received) == attempts + 1


async def test_what_is_at_a_receiver_that_is_down_is_taken_back_by_another_customers_dispute(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    item_id = await group(house, "c-1")
    await resolve(ann, item_id, "It is corrected.")
    await house.deliver()
    dispute = links_of(receiver, "c-1")["dispute"]
    again = scored(8, customer="c-2", context=ABOUT, accepted_at=house.clock.now())
    await act(ann, item_id, "reopen", {"reason": "one more"})
    await house.core.route([incoming(again)])
    await resolve(ann, item_id, "It is corrected.")
    receiver.usual = Reply(503)
    await house.deliver()
    assert (await house.client.post(dispute)).status_code == 200
    receiver.usual = Reply(200)
    await let_pass(house)
    assert await states(house, item_id) == {"c-1": ("disputed", 2), "c-2": ("not_told", 1)}
    await resolve(ann, item_id, "Now it is corrected.")
    await let_pass(house)
    assert await states(house, item_id) == {"c-1": ("told", 3), "c-2": ("told", 2)}


async def test_a_review_goes_on_without_who_was_moved_to_another_item(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    item_id = await group(house, "c-1", "c-2")
    feedback = await feedback_of(house, item_id)
    await promised(ann, house, item_id)
    (notice,) = (await ann.get("/v1/reviews", item=item_id)).json()["reviews"]
    assert (notice["state"], notice["people"]) == ("sending", 2)
    await act(ann, item_id, "split", {"feedback": [feedback[1]], "reason": "r"})
    (left,) = (await ann.get("/v1/reviews", item=item_id)).json()["reviews"]
    assert left["customers"] == ["c-1"]
    house.clock.forward(minutes=31)
    await house.deliver()
    assert heard(receiver) == [("c-1", item_id)]


async def test_nobody_hears_that_it_is_late_or_planned_after_what_became_of_it(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    """A person's release passes the caps, and a notice that waits for them must not come after it."""
    item_id = await group(house, "c-1")
    await promised(ann, house, item_id)
    house.clock.forward(minutes=31)
    receiver.usual = Reply(503)
    await house.deliver()
    await resolve(ann, item_id, "It is corrected.")
    receiver.usual = Reply(200)
    receiver.received.clear()
    await let_pass(house)
    assert [got.json["type"] for got in receiver.received] == ["loop.told"]


async def promised(ann: Caller, house: House, item_id: str) -> None:
    """A promise is nearly over, and everybody is about to learn that it takes longer."""
    due = (house.clock.now() + timedelta(hours=5)).isoformat()
    tag = (await ann.get(f"/v1/items/{item_id}")).headers["ETag"]
    body = {"what": "a credit note", "due_at": due}
    made = await ann.post(f"/v1/items/{item_id}/promises", body, If_Match=tag)
    assert made.status_code == 200, made.text
    house.clock.forward(hours=4, minutes=1)
    while await house.core.timekeeper.look():
        pass


async def messages(ann: Caller) -> list[dict[str, Any]]:
    return list((await ann.get("/v1/messages")).json()["messages"])


async def let_pass(house: House) -> None:
    """Two days, in which whatever can still go out does."""
    for _ in range(48):
        await house.deliver()
        house.clock.forward(hours=1)


@pytest.mark.parametrize("first_left", [False, True])
async def test_two_customers_who_turn_out_to_be_one_before_the_message_leaves_hear_once(
    house: House, receiver: Receiver, ann: Caller, first_left: bool
) -> None:
    item_id = await group(house, "c-1", "c-2")
    if first_left:
        await hold(house, "c-2", held=True)
    await resolve(ann, item_id, "It is corrected.")
    if first_left:
        await house.deliver()
        await hold(house, "c-2", held=False)
    at = house.clock.now()
    async with house.database.tenant("default") as connection:
        for customer in ("c-1", "c-2"):
            await house.contacts.put_card(connection, "default", Card(customer, "person-1", at))
    await let_pass(house)
    assert len({got.id for got in receiver.received}) == 1
    found = await states(house, item_id)
    assert sorted(found.values()) == [("not_told", 1), ("told", 1)]
    loops = [loop async for loop in codes(house, item_id)]
    assert "same_person" in loops


async def hold(house: House, customer: str, *, held: bool) -> None:
    async with house.database.tenant("default") as connection:
        await PostgresHolds().hold(
            connection, "default", customer, held=held, because="r", by="bo", at=house.clock.now()
        )


async def codes(house: House, item_id: str) -> AsyncIterator[str | None]:
    async with house.database.tenant("default") as connection:
        for loop in await house.core.closing.loops.of_item(connection, "default", item_id):
            yield loop["code"]
