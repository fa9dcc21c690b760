"""Reviews and contests killed between the steps of a transaction: no message is lost, none goes out twice."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.integration.router_loops.house import Caller, House
from tests.integration.router_loops.killing import KilledError, killed_at, rows
from tests.integration.router_loops.receiver import Receiver
from tests.support.scored import incoming, score, scored

from heardback_router.loops.contests import PostgresContests

BO = {"X_Heardback_Actor": "bo"}
TUESDAY = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.fixture
async def ann(house: House) -> Caller:
    house.clock.at = TUESDAY
    await house.endpoint()
    return await house.caller()


def places(house: House) -> dict[str, tuple[Any, str]]:
    """Where deciding about a review, or a contest, writes, by name."""
    loops = house.core.closing.loops
    return {
        "change record": (loops._changes, "record"),
        "review of the change": (loops._changes, "review"),
        "words of loops": (loops._store, "put_message"),
        "steps of loops": (loops._store, "append"),
        "decisions": (loops._saying._tellings, "add"),
        "messages": (loops._saying._outreach, "enqueue"),
        "messages taken back": (loops._saying._outreach, "cancel"),
        "review": (loops._withdrawing._reviews, "put"),
        "contest": (PostgresContests, "put"),
        "log of the item": (house.core.backlog._items, "log"),
        "item": (house.core.backlog._items, "update"),
        "outbox": (house.core.outbox, "add"),
    }


async def kill_everywhere(house: House, by: Any, path: str, body: Any, at: tuple[str, ...]) -> None:
    """Tries the request with a death before and after each of these steps: nothing may be left of it."""
    before = await rows(house)
    for place in at:
        owner, name = places(house)[place]
        for after in (False, True):
            with killed_at(owner, name, after=after), pytest.raises(KilledError):
                await by(path, body)
            assert await rows(house) == before, place


async def waiting_review(house: House, ann: Caller) -> tuple[str, str]:
    """(item, review) of a customer who speaks of lawyers, resolved by ann."""
    reading = score(cues=("legal_or_press_threat",))
    feedback = scored(1, reading=reading, accepted_at=house.clock.now())
    await house.core.route([incoming(feedback)])
    item_id = await house.item_of(feedback)
    await house.resolve(item_id, ann)
    (review,) = (await ann.get("/v1/reviews", item=item_id)).json()["reviews"]
    return item_id, str(review["id"])


async def notice(house: House, ann: Caller) -> tuple[str, str]:
    """(item, review) of a notice that goes out by itself in half an hour."""
    item_id = await house.item()
    due = (house.clock.now() + timedelta(hours=5)).isoformat()
    tag = (await ann.get(f"/v1/items/{item_id}")).headers["ETag"]
    await ann.post(f"/v1/items/{item_id}/promises", {"what": "a credit note", "due_at": due}, If_Match=tag)
    house.clock.forward(hours=4, minutes=1)
    while await house.core.timekeeper.look():
        pass
    (review,) = (await ann.get("/v1/reviews", item=item_id)).json()["reviews"]
    assert review["state"] == "sending"
    return item_id, str(review["id"])


async def test_an_approval_killed_anywhere_is_as_if_it_never_was_and_then_tells_once(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    item_id, review_id = await waiting_review(house, ann)

    async def as_bo(path: str, body: Any) -> Any:
        return await ann.post(path, body, **BO)

    path, body = f"/v1/reviews/{review_id}:approve", {"version": 1}
    steps = ("review of the change", "words of loops", "messages", "review")
    await kill_everywhere(house, as_bo, path, body, steps)
    assert await house.deliver() == 0
    assert (await as_bo(path, body)).status_code == 200
    assert (await as_bo(path, body)).status_code == 409
    assert await house.deliver() == 1
    assert (await house.loop_of(item_id))["state"] == "told"
    assert len(receiver.received) == 1


async def test_an_edit_that_is_then_approved_is_told_once_wherever_either_dies(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    item_id, review_id = await waiting_review(house, ann)

    async def as_bo(path: str, body: Any) -> Any:
        return await ann.post(path, body, **BO)

    edit = {"text": "We are sorry. It is put right.", "version": 1}
    await kill_everywhere(house, as_bo, f"/v1/reviews/{review_id}:edit", edit, ("review",))
    assert (await as_bo(f"/v1/reviews/{review_id}:edit", edit)).json()["version"] == 2
    path, body = f"/v1/reviews/{review_id}:approve", {"version": 2}
    steps = ("change record", "words of loops", "messages", "review")
    await kill_everywhere(house, ann.post, path, body, steps)
    assert (await ann.post(path, body)).status_code == 200
    assert await house.deliver() == 1
    assert (await house.loop_of(item_id))["message"] == "We are sorry. It is put right."
    assert len(receiver.received) == 1


async def test_a_rejection_killed_anywhere_leaves_the_review_waiting(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    item_id, review_id = await waiting_review(house, ann)
    path, body = f"/v1/reviews/{review_id}:reject", {"reason": "not yet"}
    await kill_everywhere(house, ann.post, path, body, ("steps of loops", "review", "outbox"))
    assert (await house.loop_of(item_id))["state"] == "changed"
    assert (await ann.post(path, body)).status_code == 200
    assert (await house.loop_of(item_id))["code"] == "review_rejected"
    assert await house.deliver() == 0


async def test_a_notice_in_other_words_goes_out_once_in_one_wording_wherever_the_edit_dies(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    _, review_id = await notice(house, ann)
    path = f"/v1/reviews/{review_id}:edit"
    body = {"text": "It takes until Friday.", "version": 1}
    steps = ("messages taken back", "decisions", "messages", "review")
    await kill_everywhere(house, ann.post, path, body, steps)
    assert (await ann.post(path, body)).status_code == 200
    house.clock.forward(minutes=31)
    assert await house.deliver() == 1
    assert await house.deliver() == 0
    said = (await ann.get("/v1/messages", state="sent")).json()["messages"]
    assert [one["step"] for one in said] == ["delayed"]


async def test_a_stop_killed_anywhere_has_not_stopped_the_notice(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    _, review_id = await notice(house, ann)
    path, body = f"/v1/reviews/{review_id}:reject", {"reason": "we make it"}
    await kill_everywhere(house, ann.post, path, body, ("messages taken back", "review", "outbox"))
    house.clock.forward(minutes=31)
    assert await house.deliver() == 1


async def test_a_contest_killed_anywhere_is_opened_once_and_received_once(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    path = f"{house.link((await house.loop_of(await house.item()))['id'])}:contest"

    async def click(path: str, body: Any) -> Any:
        return await house.client.post(path, json=body)

    steps = ("log of the item", "item", "contest", "decisions", "messages", "outbox")
    await kill_everywhere(house, click, path, {"comment": "No."}, steps)
    first = await click(path, {"comment": "No."})
    assert (await click(path, {"comment": "No."})).json() == first.json()
    assert await house.deliver() == 1
    assert [got.json["type"] for got in receiver.received] == ["loop.contest_received"]


async def test_an_answer_to_a_contest_killed_anywhere_is_given_once(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    await house.client.post(f"{house.link((await house.loop_of(await house.item()))['id'])}:contest")
    await house.deliver()
    (contest,) = (await ann.get("/v1/contests")).json()["contests"]
    path = f"/v1/contests/{contest['id']}:answer"
    body = {"text": "You are right.", "outcome": "changed"}
    await kill_everywhere(house, ann.post, path, body, ("contest", "decisions", "messages"))
    assert (await ann.get("/v1/contests")).json()["contests"] == [contest]
    assert (await ann.post(path, body)).status_code == 200
    assert (await ann.post(path, body)).status_code == 409
    assert await house.deliver() == 1
    assert [got.json["type"] for got in receiver.received][1:] == ["loop.contest_answered"]
