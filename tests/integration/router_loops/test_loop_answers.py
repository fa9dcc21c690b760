"""What the holder of a link may do, over HTTP and without a key."""

import asyncio
from datetime import timedelta

import pytest
from tests.integration.router_loops.house import PUBLIC_URL, SERVICE, Caller, House
from tests.integration.router_loops.receiver import Receiver, Reply

from heardback_router.loops.links import PURPOSE, LinkClaim, sign_link
from heardback_shared.keyring import Keyring


@pytest.fixture
async def ann(house: House) -> Caller:
    return await house.caller()


async def told(house: House, receiver: Receiver, ann: Caller, number: int = 1) -> tuple[str, dict[str, str]]:
    """(item id, data of the message) of a customer who was just told."""
    item_id = await house.item(number, customer=f"c-{number}")
    await house.resolve(item_id, ann)
    await house.deliver()
    data = receiver.received[-1].json["data"]
    links: dict[str, str] = data["links"]
    return item_id, {**links, "loop_id": data["loop_ids"][0], "item_id": item_id}


def path(url: str) -> str:
    assert url.startswith(PUBLIC_URL + "/")
    return url.removeprefix(PUBLIC_URL)


async def item_state(ann: Caller, item_id: str) -> str:
    return str((await ann.get(f"/v1/items/{item_id}")).json()["state"])


async def test_confirming_closes_the_item_and_is_the_same_twice(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    await house.endpoint()
    item_id, data = await told(house, receiver, ann)
    first = await house.client.post(path(data["confirm"]))
    again = await house.client.post(path(data["confirm"]))
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert first.json()["state"] == "confirmed"
    assert first.headers["cache-control"] == "no-store"
    assert await item_state(ann, item_id) == "closed"
    assert [c.state for c in await house.announced()] == ["changed", "told", "confirmed"]


async def test_disputing_reopens_the_item_with_the_customers_words_in_its_timeline_only(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    await house.endpoint()
    item_id, data = await told(house, receiver, ann)
    answer = await house.client.post(path(data["dispute"]), json={"comment": "Still broken!"})
    assert (answer.status_code, answer.json()["state"]) == (200, "disputed")
    repeated = await house.client.post(path(data["dispute"]), json={"comment": "Really!"})
    assert repeated.json() == answer.json()
    detail = (await ann.get(f"/v1/items/{item_id}")).text
    assert await item_state(ann, item_id) == "open"
    assert detail.count("Still broken!") == 1
    assert "Really!" not in detail
    assert all("Still" not in c.model_dump_json() for c in await house.announced())


async def test_a_dispute_begins_the_next_round_on_the_same_loop(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    await house.endpoint()
    item_id, data = await told(house, receiver, ann)
    await house.client.post(path(data["dispute"]))
    await house.resolve(item_id, ann, "Now it is really corrected.")
    await house.deliver()
    later = receiver.received[-1].json["data"]
    assert later["loop_ids"] == [data["loop_id"]]
    loop = await house.loop_of(item_id)
    assert [(step["state"], step["round"]) for step in loop["history"]] == [
        ("acknowledged", 1),
        ("changed", 1),
        ("told", 1),
        ("disputed", 1),
        ("changed", 2),
        ("told", 2),
    ]
    shown = (await ann.get(f"/v1/items/{item_id}")).json()
    assert (shown["counts"]["rework"], len(shown["earlier_resolutions"])) == (1, 1)
    assert (await house.client.post(path(later["links"]["confirm"]))).status_code == 200
    assert await item_state(ann, item_id) == "closed"


async def test_the_other_answer_afterwards_is_a_conflict_that_explains_itself(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    await house.endpoint()
    for number, (first, state, then) in enumerate(
        (("confirm", "confirmed", "dispute"), ("dispute", "disputed", "confirm"))
    ):
        item_id, data = await told(house, receiver, ann, number)
        await house.client.post(path(data[first]))
        before = await item_state(ann, item_id)
        refused = await house.client.post(path(data[then]))
        assert refused.status_code == 409
        assert f"already {state}" in refused.json()["detail"]
        assert await item_state(ann, item_id) == before


async def test_looking_changes_nothing(house: House, receiver: Receiver, ann: Caller) -> None:
    await house.endpoint()
    item_id, data = await told(house, receiver, ann)
    for url in (data["page"], data["page"], data["confirm"], data["dispute"]):
        await house.client.get(path(url))
        await house.client.head(path(url))
    page = await house.client.get(path(data["page"]))
    assert "The invoice is corrected." in page.text
    seen = await house.client.get(path(data["confirm"]).removesuffix(":confirm"))
    assert seen.json()["state"] == "told"
    assert seen.json()["can_answer"] is True
    assert seen.json()["message"] == "The invoice is corrected."
    assert seen.json().keys() == {"state", "round", "result", "message", "since", "expires_at", "can_answer"}
    assert await item_state(ann, item_id) == "resolved"


async def test_an_expired_link_is_gone(house: House, receiver: Receiver, ann: Caller) -> None:
    await house.endpoint()
    item_id, data = await told(house, receiver, ann)
    house.clock.forward(days=30)
    for url, method in (
        (data["confirm"], "POST"),
        (data["dispute"], "POST"),
        (data["confirm"].removesuffix(":confirm"), "GET"),
    ):
        answer = await house.client.request(method, path(url))
        assert (answer.status_code, answer.headers["content-type"]) == (410, "application/problem+json")
        assert "expired" in answer.json()["title"]
    assert await item_state(ann, item_id) == "resolved"


async def test_a_changed_link_is_none(house: House, receiver: Receiver, ann: Caller) -> None:
    await house.endpoint()
    _, data = await told(house, receiver, ann)
    token = data["confirm"].rsplit("/", 1)[1].removesuffix(":confirm")
    claim, mac = token.split(".")
    key = Keyring(SERVICE.master_key).key(PURPOSE)
    elsewhere = sign_link(key, LinkClaim("other", data["loop_id"], house.clock.now() + timedelta(days=1)))
    foreign = sign_link(
        b"x" * 32, LinkClaim("default", data["loop_id"], house.clock.now() + timedelta(days=1))
    )
    for wrong in (f"{claim}.{mac[:-2]}AA", f"{claim}A.{mac}", claim, "x", "%00", foreign, elsewhere):
        for command in ("confirm", "dispute"):
            answer = await house.client.post(f"/v1/loops/{wrong}:{command}")
            assert answer.status_code == 404, wrong
            assert answer.headers["content-type"] == "application/problem+json"
    assert (await house.loop_of(data["item_id"]))["state"] == "told"


async def test_of_two_opposite_answers_at_once_one_counts(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    await house.endpoint()
    for number in range(1, 6):
        item_id, data = await told(house, receiver, ann, number)
        answers = await asyncio.gather(
            house.client.post(path(data["confirm"])), house.client.post(path(data["dispute"]))
        )
        assert sorted(a.status_code for a in answers) == [200, 409]
        loop = await house.loop_of(item_id)
        assert loop["state"] == next(a.json()["state"] for a in answers if a.status_code == 200)
        expected = "closed" if loop["state"] == "confirmed" else "open"
        assert await item_state(ann, item_id) == expected


async def test_the_same_answer_many_times_at_once_has_one_effect(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    await house.endpoint()
    item_id, data = await told(house, receiver, ann)
    answers = await asyncio.gather(*(house.client.post(path(data["dispute"])) for _ in range(4)))
    assert {a.status_code for a in answers} == {200}
    assert [c.state for c in await house.announced()].count("disputed") == 1
    timeline = (await ann.get(f"/v1/items/{item_id}")).json()["timeline"]
    assert len([e for e in timeline if e["actor"] == "customer"]) == 1


async def test_a_customer_may_answer_what_we_could_not_see_arrive(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    await house.endpoint()
    receiver.usual = Reply(500)
    item_id, data = await told(house, receiver, ann)
    assert (await house.loop_of(item_id))["state"] == "changed"
    assert (await house.client.post(path(data["confirm"]))).status_code == 200
    receiver.usual = Reply()
    house.clock.forward(seconds=10)
    await house.deliver()
    assert (await house.loop_of(item_id))["state"] == "confirmed"


async def test_a_bad_comment_is_a_problem_and_changes_nothing(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    await house.endpoint()
    item_id, data = await told(house, receiver, ann)
    for body in ({"comment": "x" * 2_001}, {"comment": "a\x00b"}, {"comment": 5}, {"remark": "x"}, [1]):
        answer = await house.client.post(path(data["dispute"]), json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"]
    lone_surrogate = await house.client.post(
        path(data["dispute"]),
        content=b'{"comment":"\\ud800"}',
        headers={"content-type": "application/json"},
    )
    assert lone_surrogate.status_code == 422
    assert (await house.loop_of(item_id))["state"] == "told"


async def test_a_dispute_needs_no_words(house: House, receiver: Receiver, ann: Caller) -> None:
    await house.endpoint()
    for number, body in enumerate((None, {}, {"comment": None}, {"comment": "  "})):
        _, data = await told(house, receiver, ann, number)
        answer = await house.client.post(path(data["dispute"]), json=body)
        assert answer.json()["state"] == "disputed"
