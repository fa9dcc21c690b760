"""What a second person reads before customers do, and what its owner may still stop."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from tests.integration.router_loops.house import Caller, House
from tests.integration.router_loops.receiver import Receiver
from tests.support.scored import incoming, score, scored

ANN = {"X_Heardback_Actor": "ann"}
BO = {"X_Heardback_Actor": "bo"}


async def delicate(house: House, by: Caller, number: int = 1, cue: str = "legal_or_press_threat") -> str:
    """The item of a customer who speaks of lawyers, resolved by ann."""
    at, reading = house.clock.now(), score(cues=(cue,))
    feedback = scored(number, customer=f"c-{number}", reading=reading, accepted_at=at)
    await house.core.route([incoming(feedback)])
    item_id = await house.item_of(feedback)
    await house.resolve(item_id, by)
    return item_id


async def review_of(by: Caller, item_id: str, **asked: str) -> dict[str, Any]:
    (review,) = (await by.get("/v1/reviews", item=item_id, **asked)).json()["reviews"]
    return dict(review)


async def test_high_stakes_wait_for_a_second_person(house: House, receiver: Receiver) -> None:
    await house.endpoint()
    ann = await house.caller()
    item_id = await delicate(house, ann)
    assert await house.deliver() == 0
    review = await review_of(ann, item_id)
    assert (review["state"], review["author"], review["people"]) == ("waiting", "ann", 1)
    assert "law" in review["because"]
    own = await ann.post(f"/v1/reviews/{review['id']}:approve", {"version": 1}, **ANN)
    assert (own.status_code, own.json()["type"].rsplit("/", 1)[-1]) == (403, "four-eyes")
    assert await house.deliver() == 0
    done = await ann.post(f"/v1/reviews/{review['id']}:approve", {"version": 1}, **BO)
    assert (done.status_code, done.json()["decided_by"]) == (200, "bo")
    assert await house.deliver() == 1
    loop = await house.loop_of(item_id)
    assert loop["state"] == "told"
    (decision,) = loop["decisions"]
    assert (decision["way"], decision["rule"], decision["review_id"]) == (
        "review",
        "law-or-safety",
        review["id"],
    )
    again = await ann.post(f"/v1/reviews/{review['id']}:approve", {"version": 1}, **BO)
    assert again.status_code == 409
    assert await house.deliver() == 0


async def test_the_table_itself_refuses_an_author_who_releases(house: House) -> None:
    ann = await house.caller()
    review = await review_of(ann, await delicate(house, ann))
    with pytest.raises(IntegrityError, match="four_eyes"):
        async with house.database.tenant("default") as connection:
            await connection.execute(
                text("UPDATE router.review SET state = 'approved', decided_by = author WHERE id = :id"),
                {"id": review["id"]},
            )


async def test_an_edit_is_read_anew_and_the_editor_cannot_release_it(
    house: House, receiver: Receiver
) -> None:
    await house.endpoint()
    ann = await house.caller()
    item_id = await delicate(house, ann)
    review = await review_of(ann, item_id)
    path = f"/v1/reviews/{review['id']}"
    german = {"de": "Das tut uns leid. Es ist nun richtig."}
    words = {"text": "We are sorry. It is put right.", "translations": german, "version": 1}
    edited = await ann.post(f"{path}:edit", words, **BO)
    assert edited.json()["translations"] == german
    assert (edited.status_code, edited.json()["version"], edited.json()["author"]) == (200, 2, "bo")
    stale = await ann.post(f"{path}:approve", {"version": 1}, **ANN)
    assert (stale.status_code, "version 2" in stale.json()["detail"]) == (409, True)
    assert (await ann.post(f"{path}:approve", {"version": 2}, **BO)).status_code == 403
    unfilled = await ann.post(f"{path}:edit", {"text": "Dear {name}", "version": 2}, **BO)
    assert (unfilled.status_code, unfilled.json()["errors"][0]["pointer"]) == (422, "/text")
    assert (await ann.post(f"{path}:approve", {"version": 2}, **ANN)).status_code == 200
    assert await house.deliver() == 1
    loop = await house.loop_of(item_id)
    assert loop["message"] == "We are sorry. It is put right."
    detail = (await ann.get(path)).json()
    assert [(v["version"], v["author"]) for v in detail["versions"]] == [(1, "ann"), (2, "bo")]
    async with house.database.tenant("default") as connection:
        rows = await connection.execute(
            text("SELECT tell, translations ->> 'de', recorded_by, reviewed_by FROM router.change")
        )
        claims = {tuple(row) for row in rows}
    assert ("We are sorry. It is put right.", german["de"], "bo", "ann") in claims


async def test_what_is_rejected_is_not_told_and_the_reason_stays_inside(
    house: House, receiver: Receiver
) -> None:
    await house.endpoint()
    ann = await house.caller()
    item_id = await delicate(house, ann)
    review = await review_of(ann, item_id)
    answer = await ann.post(f"/v1/reviews/{review['id']}:reject", {"reason": "INTERNAL-WHY"}, **BO)
    assert answer.json()["state"] == "rejected"
    loop = await house.loop_of(item_id)
    assert (loop["state"], loop["code"]) == ("not_told", "review_rejected")
    assert "INTERNAL" not in str([c.model_dump() for c in await house.announced()])
    assert await house.deliver() == 0


async def test_reopening_takes_back_what_waits_and_the_next_round_is_decided_anew(
    house: House, receiver: Receiver
) -> None:
    await house.endpoint()
    ann = await house.caller()
    item_id = await delicate(house, ann)
    first = await review_of(ann, item_id)
    tag = (await ann.get(f"/v1/items/{item_id}")).headers["ETag"]
    reopened = await ann.post(f"/v1/items/{item_id}:reopen", {"reason": "not yet"}, If_Match=tag)
    assert reopened.status_code == 200
    assert (await house.loop_of(item_id))["round"] == 2
    late = await ann.post(f"/v1/reviews/{first['id']}:approve", {"version": 1}, **BO)
    assert (late.status_code, "withdrawn" in late.json()["detail"]) == (409, True)
    await house.resolve(item_id, ann, "Now it is corrected.")
    second = await review_of(ann, item_id)
    assert second["id"] != first["id"]
    assert (await ann.post(f"/v1/reviews/{second['id']}:approve", {"version": 1}, **BO)).status_code == 200
    assert await house.deliver() == 1
    assert len(receiver.received) == 1


async def test_of_two_who_decide_at_once_one_counts(house: House, receiver: Receiver) -> None:
    await house.endpoint()
    ann = await house.caller()
    review = await review_of(ann, await delicate(house, ann))
    path = f"/v1/reviews/{review['id']}"
    answers = await asyncio.gather(
        ann.post(f"{path}:approve", {"version": 1}, **BO),
        ann.post(f"{path}:reject", {"reason": "no"}, X_Heardback_Actor="cy"),
    )
    assert sorted(a.status_code for a in answers) == [200, 409]
    assert await house.deliver() == int(answers[0].status_code == 200)


async def test_unknown_and_bad_reviews_are_problems(house: House) -> None:
    ann = await house.caller()
    assert (await ann.post("/v1/reviews/rv_none:approve", {"version": 1})).status_code == 404
    assert (await ann.get("/v1/reviews/rv_none")).status_code == 404
    assert (await ann.get("/v1/reviews", after="rv_none")).status_code == 422
    review = await review_of(ann, await delicate(house, ann))
    bad: tuple[tuple[str, dict[str, int]], ...] = (
        ("approve", {}),
        ("approve", {"version": 0}),
        ("reject", {}),
        ("edit", {"version": 1}),
    )
    for command, body in bad:
        assert (await ann.post(f"/v1/reviews/{review['id']}:{command}", body, **BO)).status_code == 422
    other = await house.caller("other")
    assert (await other.get(f"/v1/reviews/{review['id']}")).status_code == 404
    reader = await house.caller(scopes=("items:read",))
    assert (await reader.post(f"/v1/reviews/{review['id']}:approve", {"version": 1})).status_code == 403


async def test_pages_of_reviews(house: House) -> None:
    ann = await house.caller()
    for number in range(1, 4):
        await delicate(house, ann, number)
        house.clock.forward(minutes=1)
    first = (await ann.get("/v1/reviews", limit="2")).json()
    rest = (await ann.get("/v1/reviews", limit="2", after=first["next_after"])).json()
    assert (len(first["reviews"]), len(rest["reviews"]), rest["next_after"]) == (2, 1, None)
    assert len({r["id"] for r in (*first["reviews"], *rest["reviews"])}) == 3
