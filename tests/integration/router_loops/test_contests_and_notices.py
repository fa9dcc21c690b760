"""A customer contests a judgement; customers learn ahead that a promise will be missed."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.integration.router_loops.house import Caller, House
from tests.integration.router_loops.receiver import Receiver
from tests.support.scored import incoming, score, scored

TUESDAY = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.fixture
async def ann(house: House) -> Caller:
    house.clock.at = TUESDAY
    await house.endpoint()
    return await house.caller()


def steps(receiver: Receiver) -> list[str]:
    return [got.json["type"] for got in receiver.received]


async def test_a_contest_opens_a_persons_review_with_a_clock_of_its_own_and_is_answered(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    item_id = await house.item()
    loop_id = (await house.loop_of(item_id))["id"]
    path = f"{house.link(loop_id)}:contest"
    first = await house.client.post(path, json={"comment": "A machine got this wrong."})
    again = await house.client.post(path, json={"comment": "Hello?"})
    assert first.status_code == again.status_code == 202
    assert first.json() == again.json()
    assert first.headers["cache-control"] == "no-store"
    # Five working days of eight hours, from Tuesday at nine.
    assert datetime.fromisoformat(first.json()["due_at"]) == datetime(2026, 11, 30, 17, tzinfo=UTC)
    (contest,) = (await ann.get("/v1/contests")).json()["contests"]
    assert (contest["comment"], contest["overdue"]) == ("A machine got this wrong.", False)
    timeline = (await ann.get(f"/v1/items/{item_id}")).json()["timeline"]
    assert timeline[-1]["data"]["contest_id"] == contest["id"]
    await house.deliver()
    assert steps(receiver) == ["loop.contest_received"]
    house.clock.forward(days=10)
    assert (await ann.get("/v1/contests")).json()["contests"][0]["overdue"] is True
    answer = f"/v1/contests/{contest['id']}:answer"
    assert (await ann.post(answer, {"text": "You are right.", "outcome": "never"})).status_code == 422
    unfilled = await ann.post(answer, {"text": "Liebe [FRAU], ja.", "language": "de", "outcome": "changed"})
    assert (unfilled.status_code, unfilled.json()["errors"][0]["pointer"]) == (422, "/text")
    done = await ann.post(answer, {"text": "You are right, it is urgent.", "outcome": "changed"})
    assert (done.status_code, done.json()["state"], done.json()["answered_by"]) == (200, "answered", "ann")
    assert (await ann.post(answer, {"text": "Again.", "outcome": "upheld"})).status_code == 409
    await house.deliver()
    assert steps(receiver) == ["loop.contest_received", "loop.contest_answered"]
    assert (await ann.get("/v1/contests")).json()["contests"] == []
    assert (await house.loop_of(item_id))["state"] == "acknowledged"
    later = await house.client.post(path)
    assert later.json() != first.json()


async def test_many_clicks_at_once_are_one_contest(house: House, receiver: Receiver, ann: Caller) -> None:
    loop_id = (await house.loop_of(await house.item()))["id"]
    path = f"{house.link(loop_id)}:contest"
    answers = await asyncio.gather(*(house.client.post(path) for _ in range(4)))
    assert {a.status_code for a in answers} == {202}
    assert len((await ann.get("/v1/contests")).json()["contests"]) == 1
    await house.deliver()
    assert len(receiver.received) == 1


async def test_a_contest_through_a_bad_link_is_a_problem(house: House, ann: Caller) -> None:
    assert (await house.client.post("/v1/loops/x.y:contest")).status_code == 404
    assert (await house.client.post(f"{house.link('lp_none')}:contest")).status_code == 404
    unknown = await ann.post("/v1/contests/ct_none:answer", {"text": "a", "outcome": "upheld"})
    assert unknown.status_code == 404


async def promised(house: House, ann: Caller, item_id: str, hours: float) -> str:
    body = {"what": "a credit note", "due_at": (house.clock.now() + timedelta(hours=hours)).isoformat()}
    tag = (await ann.get(f"/v1/items/{item_id}")).headers["ETag"]
    made = await ann.post(f"/v1/items/{item_id}/promises", body, If_Match=tag)
    assert made.status_code == 200, made.text
    (promise,) = (await ann.get(f"/v1/items/{item_id}")).json()["promises"]
    return str(promise["id"])


async def look(house: House) -> None:
    while await house.core.timekeeper.look():
        pass


async def notices(ann: Caller, item_id: str, *states: str) -> list[dict[str, Any]]:
    asked = {"item": item_id, **({"state": states[0]} if states else {})}
    return list((await ann.get("/v1/reviews", **asked)).json()["reviews"])


async def test_before_a_promise_is_missed_the_customer_learns_it_once_after_the_owners_window(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    item_id = await house.item()
    await promised(house, ann, item_id, hours=5)
    house.clock.forward(hours=3, minutes=50)
    await look(house)
    assert await notices(ann, item_id) == []
    house.clock.forward(minutes=11)
    await look(house)
    await look(house)
    (notice,) = await notices(ann, item_id)
    assert (notice["state"], notice["step"], notice["author"]) == ("sending", "delayed", "router")
    assert await house.deliver() == 0
    house.clock.forward(minutes=31)
    await look(house)
    assert await house.deliver() == 1
    assert steps(receiver) == ["loop.delayed"]
    late = await ann.post(f"/v1/reviews/{notice['id']}:reject", {"reason": "too late"})
    assert late.status_code == 409
    house.clock.forward(hours=30)
    await look(house)
    assert await house.deliver() == 0
    loop = await house.loop_of(item_id)
    assert loop["state"] == "acknowledged"
    assert [d["step"] for d in loop["decisions"]] == ["delayed"]


async def test_the_owner_edits_a_notice_and_it_goes_out_once_in_those_words(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    item_id = await house.item()
    await promised(house, ann, item_id, hours=5)
    house.clock.forward(hours=4, minutes=1)
    await look(house)
    (notice,) = await notices(ann, item_id)
    edit = {"text": "It takes until Friday; you get a credit for it.", "version": 1}
    edited = await ann.post(f"/v1/reviews/{notice['id']}:edit", edit)
    assert (edited.status_code, edited.json()["version"]) == (200, 2)
    house.clock.forward(minutes=31)
    assert await house.deliver() == 1
    assert steps(receiver) == ["loop.delayed"]
    assert (await house.loop_of(item_id))["state"] == "acknowledged"


@pytest.mark.parametrize("how", ["stop", "keep", "resolve"])
async def test_a_notice_that_is_stopped_or_no_longer_true_never_goes_out(
    house: House, receiver: Receiver, ann: Caller, how: str
) -> None:
    item_id = await house.item()
    promise_id = await promised(house, ann, item_id, hours=5)
    house.clock.forward(hours=4, minutes=1)
    await look(house)
    (notice,) = await notices(ann, item_id)
    tag = (await ann.get(f"/v1/items/{item_id}")).headers["ETag"]
    if how == "stop":
        stopped = await ann.post(f"/v1/reviews/{notice['id']}:reject", {"reason": "we make it"})
        assert stopped.json()["state"] == "rejected"
    elif how == "keep":
        kept = await ann.post(f"/v1/items/{item_id}/promises/{promise_id}:keep", If_Match=tag)
        assert kept.status_code == 200
    else:
        await house.resolve(item_id, ann)
    assert await notices(ann, item_id) == []
    house.clock.forward(minutes=31)
    await house.deliver()
    assert "loop.delayed" not in steps(receiver)


async def test_a_cue_that_calls_for_a_person_never_gets_a_notice_that_only_machines_made(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    feedback = scored(7, reading=score(cues=("wants_to_leave",)), accepted_at=house.clock.now())
    await house.core.route([incoming(feedback)])
    item_id = await house.item_of(feedback)
    await promised(house, ann, item_id, hours=5)
    house.clock.forward(hours=4, minutes=1)
    await look(house)
    (notice,) = await notices(ann, item_id)
    assert notice["state"] == "waiting"
    assert "wants_to_leave calls for a person" in notice["because"]
    house.clock.forward(minutes=31)
    assert await house.deliver() == 0
    release = {"version": 1}
    assert (await ann.post(f"/v1/reviews/{notice['id']}:approve", release)).status_code == 200
    assert await house.deliver() == 1


async def test_a_plan_with_a_time_is_a_promise(house: House, ann: Caller) -> None:
    item_id = await house.item()
    tag = (await ann.get(f"/v1/items/{item_id}")).headers["ETag"]
    due = (house.clock.now() + timedelta(hours=5)).isoformat()
    bad = await ann.post(f"/v1/items/{item_id}:start", {"due_at": due}, If_Match=tag)
    assert bad.status_code == 422
    body = {"plan": {"text": "We correct the invoice."}, "due_at": due}
    assert (await ann.post(f"/v1/items/{item_id}:start", body, If_Match=tag)).status_code == 200
    (promise,) = (await ann.get(f"/v1/items/{item_id}")).json()["promises"]
    assert (promise["what"], promise["to"]) == ("We correct the invoice.", "c-1")
    loop = await house.loop_of(item_id)
    assert [step["state"] for step in loop["history"]] == ["acknowledged", "planned"]
