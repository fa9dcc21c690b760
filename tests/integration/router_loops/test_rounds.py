"""Loops over the life of an item: taken up, resolved in part or not, reopened, split, merged; one person."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from tests.integration.router_loops.house import Caller, House
from tests.integration.router_loops.receiver import Receiver
from tests.support.scored import incoming, scored

from heardback_router.loops.domain import fold
from heardback_router.loops.store import PostgresLoops
from heardback_router.loops.telling import Stakes, decide
from heardback_shared.contact.domain import Card

ABOUT = {"incident": "I-1"}


@pytest.fixture
async def ann(house: House) -> Caller:
    await house.endpoint()
    return await house.caller()


async def group(house: House, *customers: str | None) -> str:
    """One item of many, all about one incident."""
    at = house.clock.now()
    feedback = [scored(n, customer=c, context=ABOUT, accepted_at=at) for n, c in enumerate(customers)]
    await house.core.route([incoming(one) for one in feedback])
    items = {await house.item_of(one) for one in feedback}
    assert len(items) == 1
    return items.pop()


async def act(by: Caller, item_id: str, command: str, body: Any = None) -> Any:
    tag = (await by.get(f"/v1/items/{item_id}")).headers["ETag"]
    answer = await by.post(f"/v1/items/{item_id}:{command}", body or {}, If_Match=tag)
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


async def states(house: House, item_id: str) -> dict[str, tuple[str, int]]:
    """(state, round) by customer, each log folded."""
    async with house.database.tenant("default") as connection:
        found = await PostgresLoops().of_item(connection, "default", item_id)
    for loop, events in found:
        assert fold(events) == loop.status
    return {loop.customer_id or "": (loop.state, loop.status.round) for loop, _ in found}


def links_of(receiver: Receiver, customer: str) -> dict[str, str]:
    said = [got.json["data"] for got in receiver.received if got.json["data"]["customer_id"] == customer]
    return {name: str(url).partition(".com")[2] for name, url in said[-1]["links"].items()}


async def test_loops_follow_the_item_and_are_told_together(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    item_id = await group(house, "c-1", "c-2", None)
    await act(ann, item_id, "start")
    assert set((await states(house, item_id)).values()) == {("planned", 1)}
    await house.resolve(item_id, ann)
    assert await states(house, item_id) == {
        "c-1": ("changed", 1),
        "c-2": ("changed", 1),
        "": ("not_told", 1),
    }
    assert await house.deliver() == 2
    assert (await states(house, item_id))["c-1"] == ("told", 1)


async def test_a_dispute_concerns_one_and_the_rework_is_told_to_who_waits_for_it(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    item_id = await group(house, "c-1", "c-2", "c-3")
    await house.resolve(item_id, ann)
    await house.deliver()
    await house.client.post(links_of(receiver, "c-1")["confirm"])
    await house.client.post(links_of(receiver, "c-2")["dispute"], json={"comment": "INTERNAL no"})
    assert await states(house, item_id) == {
        "c-1": ("confirmed", 1),
        "c-2": ("disputed", 1),
        "c-3": ("told", 1),
    }
    item = (await ann.get(f"/v1/items/{item_id}")).json()
    assert (item["state"], item["counts"]["rework"]) == ("open", 1)
    assert (await house.client.post(links_of(receiver, "c-3")["confirm"])).status_code == 200
    await act(ann, item_id, "start")
    await house.resolve(item_id, ann, "It is corrected for good.")
    assert await states(house, item_id) == {
        "c-1": ("confirmed", 1),
        "c-2": ("changed", 2),
        "c-3": ("confirmed", 1),
    }
    assert await house.deliver() == 1
    await house.client.post(links_of(receiver, "c-2")["confirm"])
    assert (await ann.get(f"/v1/items/{item_id}")).json()["state"] == "closed"


async def test_what_a_colleague_reopens_is_taken_back_where_it_has_not_left(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    item_id = await group(house, "c-1", "c-2")
    await house.resolve(item_id, ann)
    await act(ann, item_id, "reopen", {"reason": "INTERNAL: it was the wrong invoice"})
    assert set((await states(house, item_id)).values()) == {("acknowledged", 2)}
    assert await house.deliver() == 0
    await house.resolve(item_id, ann)
    assert await house.deliver() == 2
    assert set((await states(house, item_id)).values()) == {("told", 2)}


async def test_everybody_hears_again_when_a_colleague_says_it_is_not_solved(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    item_id = await group(house, "c-1", "c-2")
    await house.resolve(item_id, ann)
    await house.deliver()
    await house.client.post(links_of(receiver, "c-1")["confirm"])
    await act(ann, item_id, "reopen", {"reason": "rolled back"})
    assert set((await states(house, item_id)).values()) == {("acknowledged", 2)}
    refused = await house.client.post(links_of(receiver, "c-1")["dispute"])
    assert (refused.status_code, "being worked on" in refused.json()["detail"]) == (409, True)
    await house.resolve(item_id, ann)
    assert await house.deliver() == 2


@pytest.mark.parametrize("result", ["partial", "declined"])
async def test_a_result_that_is_not_done_says_so_everywhere(
    house: House, receiver: Receiver, ann: Caller, result: str
) -> None:
    item_id = await group(house, "c-1")
    said = {"tell_customer": {"text": "We will not change it, because the law asks for it."}}
    body = {"root_cause": "a", "action": "b", "result": result, "reference": "R-7", **said}
    resolved = await act(ann, item_id, "resolve", body)
    assert resolved["state"] == "resolved"
    loop = await house.loop_of(item_id)
    assert (loop["result"], loop["code"]) == (result, result)
    await house.deliver()
    shown = (await house.client.get(house.link(loop["id"]))).json()
    assert shown["result"] == result
    assert (await ann.get(f"/v1/items/{item_id}")).json()["resolution"]["result"] == result
    async with house.database.tenant("default") as connection:
        rows = await connection.execute(text("SELECT result, reference FROM router.change"))
        assert [tuple(row) for row in rows] == [(result, "R-7")]


async def test_who_declines_says_why_to_the_customer(house: House, ann: Caller) -> None:
    item_id = await group(house, "c-1")
    tag = (await ann.get(f"/v1/items/{item_id}")).headers["ETag"]
    body = {"root_cause": "a", "action": "b", "result": "declined", "not_telling_because": "no"}
    refused = await ann.post(f"/v1/items/{item_id}:resolve", body, If_Match=tag)
    assert refused.status_code == 422
    assert "reads why" in refused.text


async def test_several_ids_of_one_person_get_one_message_which_closes_all_their_loops(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    at = house.clock.now() - timedelta(days=1)
    async with house.database.tenant("default") as connection:
        for customer in ("c-1", "c-2"):
            await house.contacts.put_card(connection, "default", Card(customer, "person-1", at))
    item_id = await group(house, "c-1", "c-2", "c-3")
    await house.resolve(item_id, ann)
    assert await house.deliver() == 2
    assert set((await states(house, item_id)).values()) == {("told", 1)}
    shared = [g.json["data"] for g in receiver.received if len(g.json["data"]["loop_ids"]) == 2]
    assert len(shared) == 1


async def test_stakes_follow_feedback_that_is_moved_split_and_merged(house: House, ann: Caller) -> None:
    item_id = await group(house, "c-1", "c-1", "c-2")
    ids = dict(zip("abc", await feedback_of(house, item_id), strict=True))
    before = {loop["customer_id"]: loop for loop in await loops_of(house, item_id)}
    other = (await act(ann, item_id, "split", {"feedback": [ids["a"]], "reason": "r"}))["id"]
    here = {loop["customer_id"]: loop["feedback_ids"] for loop in await loops_of(house, item_id)}
    there = {loop["customer_id"]: loop["feedback_ids"] for loop in await loops_of(house, other)}
    assert (here["c-1"], there) == ([ids["b"]], {"c-1": [ids["a"]]})
    await act(ann, item_id, "merge", {"from": [other], "reason": "r"})
    (again,) = [loop for loop in await loops_of(house, item_id) if loop["customer_id"] == "c-1"]
    assert (again["id"], again["feedback_ids"]) == (before["c-1"]["id"], sorted([ids["a"], ids["b"]]))
    assert await loops_of(house, other) == []
    third = (await act(ann, item_id, "split", {"feedback": [ids["c"]], "reason": "r"}))["id"]
    (moved,) = await loops_of(house, third)
    assert (moved["id"], moved["customer_id"]) == (before["c-2"]["id"], "c-2")
    await house.resolve(third, ann)
    assert await house.deliver() == 1


async def loops_of(house: House, item_id: str) -> list[dict[str, Any]]:
    async with house.database.tenant("default") as connection:
        return await house.core.closing.loops.of_item(connection, "default", item_id)


async def feedback_of(house: House, item_id: str) -> list[str]:
    query = text("SELECT feedback_id FROM router.item_feedback WHERE item_id = :i ORDER BY customer_id, 1")
    async with house.database.tenant("default") as connection:
        return list((await connection.execute(query, {"i": item_id})).scalars())


async def test_every_decision_can_be_made_again_from_its_record(house: House, ann: Caller) -> None:
    item_id = await group(house, "c-1", "c-2")
    await house.resolve(item_id, ann)
    policy = house.policies.telling
    for loop in await loops_of(house, item_id):
        for one in loop["decisions"]:
            again = decide(Stakes.of_record(one["inputs"]), policy)
            assert (again.way, again.rule, again.because) == (one["way"], one["rule"], one["because"])
            assert one["policy"] == policy.name


async def test_figures_are_told_by_group_and_never_about_fewer_than_ten(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    item_id = await group(house, *(f"c-{n}" for n in range(12)))
    house.clock.forward(hours=2)
    await house.resolve(item_id, ann)
    await house.deliver()
    for n in range(4):
        await house.client.post(links_of(receiver, f"c-{n}")["confirm" if n else "dispute"])
    body = (await ann.get("/v1/loops/figures")).json()
    everything = body["all"]
    assert (everything["loops"], everything["states"]) == (
        12,
        {"told": 8, "confirmed": 3, "disputed": 1},
    )
    assert everything["confirmed_rate"] == {"n": 4, "rate": 0.75}
    assert everything["closed_hours"] == {"n": 12, "median": 2.0}
    assert everything["results"] == {"done": 12}
    small = (await ann.get("/v1/loops/figures", domain="product")).json()
    assert small["all"] == {"suppressed": True, "fewer_than": 10}
    assert (await ann.get("/v1/loops/figures", days="0")).status_code == 422


async def test_figures_of_a_team_say_when_not_every_loop_was_looked_at(
    house: House, ann: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit holds before the team is asked for: what a team sees may be less than all of its own."""
    await group(house, *(f"c-{n}" for n in range(5)))
    monkeypatch.setattr("heardback_router.loops.figures_http.LOOPS_COUNTED", 4)
    assert (await ann.get("/v1/loops/figures", team="nobody")).json()["more"] is True
    monkeypatch.setattr("heardback_router.loops.figures_http.LOOPS_COUNTED", 5)
    assert (await ann.get("/v1/loops/figures", team="nobody")).json()["more"] is False
