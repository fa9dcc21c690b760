"""People merge, split and move: both logs tell, what depends on it follows, refusals say what to do."""

import random
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from tests.support.clock import NOON
from tests.support.grouped import saying
from tests.support.router_http import Caller, RouterApp, router_app
from tests.support.scored import incoming

from heardback_router.backlog.fold import fold
from heardback_shared.contracts.events import FeedbackScored
from heardback_shared.contracts.topics import ROUTED
from heardback_shared.db.database import Database

SOLVED = {"root_cause": "a", "action": "b", "tell_customer": {"text": "It is solved."}}


@pytest.fixture
async def app(database: Database) -> AsyncIterator[RouterApp]:
    async with router_app(database) as opened:
        yield opened


@pytest.fixture
async def ana(app: RouterApp) -> Caller:
    return await app.caller()


async def receive(app: RouterApp, *feedback: FeedbackScored) -> None:
    await app.router.receive(*[incoming(one) for one in feedback])


async def where(app: RouterApp, *feedback: FeedbackScored) -> list[str]:
    links = {link["feedback_id"]: link["item_id"] for link in await app.router.links()}
    return [links[one.accepted.feedback_id] for one in feedback]


async def open_ids(app: RouterApp) -> set[str]:
    async with app.router.database.tenant("default") as connection:
        rows = await connection.execute(text("SELECT feedback_id FROM router.open_feedback"))
        held = set(rows.scalars())
        rows = await connection.execute(text("SELECT DISTINCT feedback_id FROM router.open_fingerprint"))
        assert set(rows.scalars()) <= held
    return held


def ids(*feedback: FeedbackScored) -> list[str]:
    return [one.accepted.feedback_id for one in feedback]


async def agrees(app: RouterApp) -> None:
    """Items equal the fold of their logs, hold what their links say, and open feedback is of open items."""
    links = await app.router.links()
    held = set()
    for item in await app.router.items():
        assert item == fold(await app.router.log(item.id))
        mine = [link for link in links if link["item_id"] == item.id]
        assert item.feedback_count == len(mine)
        assert set(item.customers) == {link["customer_id"] for link in mine if link["customer_id"]}
        assert item.worst.score == max((link["severity"] for link in mine), default=0.0)
        held |= {link["feedback_id"] for link in mine if item.accepts_feedback}
    assert await open_ids(app) == held


async def test_a_merge_is_in_both_logs_and_everything_follows(app: RouterApp, ana: Caller) -> None:
    one, other, third = saying(1, 3, severity=40), saying(2, 7, severity=90), saying(3, 7, 5)
    await receive(app, one, other, third)
    target, source = await where(app, one, other)
    answer = await ana.act(target, "merge", {"from": [source], "reason": "One fault"})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["feedback_count"], body["severity"]["band"]) == (3, "P1")
    assert sorted(body["customers"]) == ["c-1", "c-2", "c-3"]
    (came,) = [e for e in await app.router.log(target) if e.kind == "feedback_came"]
    kinds = [e.kind for e in await app.router.log(source)]
    assert kinds[-2:] == ["feedback_left", "merged"]
    assert (came.actor, came.reason, came.data["item"]) == ("ana", "One fault", source)
    assert set(came.data["feedback"]) == set(ids(other, third))
    await agrees(app)
    gone = (await ana.get(f"/v1/items/{source}")).json()
    assert (gone["state"], gone["feedback_count"]) == ("merged", 0)
    announced = [r for r in await app.router.sent(ROUTED.name) if r["item"]["id"] == target]
    assert {r["feedback_id"] for r in announced} == set(ids(one, other, third))


async def test_a_split_opens_an_item_with_the_owner_its_feedback_asks_for(
    app: RouterApp, ana: Caller
) -> None:
    stays = saying(1, None, cause="product/defect", customer="c-1", context={"incident": "I-1"})
    leaves = saying(2, None, cause="operations/billing", customer="c-2", context={"incident": "I-1"})
    await receive(app, stays, leaves)
    (item_id,) = set(await where(app, stays, leaves))
    answer = await ana.act(item_id, "split", {"feedback": ids(leaves), "reason": "Money, not the product"})
    assert answer.status_code == 201
    new = answer.json()
    assert (new["team"], new["domain"], new["customers"]) == ("operations", "operations", ["c-2"])
    assert answer.headers["ETag"] == f'"{new["version"]}"'
    await agrees(app)
    assert await where(app, stays, leaves) == [item_id, new["id"]]


@pytest.mark.parametrize(
    ("command", "body", "status", "pointer"),
    [
        ("merge", {"from": ["it_unknown"], "reason": "r"}, 422, "/from/0"),
        ("merge", {"from": [], "reason": "r"}, 422, "/from"),
        ("merge", {"from": ["it_unknown"]}, 422, "/reason"),
        ("split", {"feedback": ["fb_unknown"], "reason": "r"}, 422, "/feedback/0"),
        ("split", {"feedback": ["fb_unknown"], "reason": " "}, 422, "/reason"),
    ],
)
async def test_what_a_caller_gets_wrong_is_named(
    app: RouterApp, ana: Caller, command: str, body: Any, status: int, pointer: str
) -> None:
    one, other = saying(1, 3), saying(2, 3)
    await receive(app, one, other)
    (item_id,) = set(await where(app, one, other))
    answer = await ana.act(item_id, command, body)
    assert answer.status_code == status
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    await agrees(app)


async def test_a_stale_or_missing_etag_is_refused(app: RouterApp, ana: Caller) -> None:
    one, other = saying(1, 3), saying(2, 7)
    await receive(app, one, other)
    target, source = await where(app, one, other)
    body = {"from": [source], "reason": "r"}
    assert (await ana.post(f"/v1/items/{target}:merge", body)).status_code == 428
    assert (await ana.post(f"/v1/items/{target}:merge", body, If_Match='"77"')).status_code == 412
    move = {"item": target, "reason": "r"}
    path = f"/v1/feedback/{ids(other)[0]}:move"
    assert (await ana.post(path, move, If_Match='"77"')).status_code == 412
    assert (await ana.post("/v1/feedback/fb_none:move", move, If_Match="*")).status_code == 404
    no_item = await ana.post(path, {"item": "it_none", "reason": "r"}, If_Match="*")
    assert no_item.json()["errors"][0]["pointer"] == "/item"


async def test_what_cannot_be_regrouped_now_says_what_to_do(app: RouterApp, ana: Caller) -> None:
    one, other, alone = saying(1, 3), saying(2, 7), saying(3, 9)
    await receive(app, one, other, alone)
    first, second, third = await where(app, one, other, alone)
    same = await ana.act(first, "merge", {"from": [first], "reason": "r"})
    assert (same.status_code, "into itself" in same.json()["detail"]) == (409, True)
    whole = await ana.act(third, "split", {"feedback": ids(alone), "reason": "r"})
    assert (whole.status_code, "merge it into that" in whole.json()["detail"]) == (409, True)
    await ana.act(second, "resolve", SOLVED)
    told = await ana.act(first, "merge", {"from": [second], "reason": "r"})
    assert (told.status_code, "reopen it, then merge it" in told.json()["detail"]) == (409, True)
    await ana.act(second, "reopen", {"reason": "r"})
    assert (await ana.act(first, "merge", {"from": [second], "reason": "r"})).status_code == 200
    again = await ana.act(first, "merge", {"from": [second], "reason": "r"})
    assert (again.status_code, f"merged into {first}" in again.json()["detail"]) == (409, True)
    moved = await ana.post(f"/v1/feedback/{ids(one)[0]}:move", {"item": first, "reason": "r"}, If_Match="*")
    assert (moved.status_code, "already" in moved.json()["detail"]) == (409, True)


async def test_parents_and_children_are_regrouped_through_the_parent(app: RouterApp, ana: Caller) -> None:
    one, other = saying(1, 3), saying(2, 7)
    await receive(app, one, other)
    parent, item = await where(app, one, other)
    async with app.router.database.tenant("default") as connection:
        child = text("UPDATE router.item SET parent_id = :parent WHERE id = :item")
        await connection.execute(child, {"parent": parent, "item": item})
    refused = await ana.act(parent, "merge", {"from": [item], "reason": "r"})
    assert refused.status_code == 409
    assert f"one domain's share of {parent}" in refused.json()["detail"]
    third = saying(3, 9)
    await receive(app, third)
    (target,) = await where(app, third)
    refused = await ana.act(target, "merge", {"from": [parent], "reason": "r"})
    assert (refused.status_code, f"stands over {item}" in refused.json()["detail"]) == (409, True)


async def test_feedback_leaves_the_open_one_with_its_item_and_returns_with_it(
    app: RouterApp, ana: Caller
) -> None:
    one, other = saying(1, 3), saying(2, 3, 5)
    await receive(app, one, other)
    (item_id,) = set(await where(app, one, other))
    await ana.act(item_id, "resolve", {**SOLVED})
    assert await open_ids(app) == set()
    meanwhile = saying(3, 3, 2)
    await receive(app, meanwhile)
    assert await where(app, meanwhile) != [item_id]
    await ana.act(item_id, "reopen", {"reason": "r"})
    await agrees(app)
    back = saying(4, 3, 6)
    await receive(app, back)
    assert await where(app, back) in ([item_id], await where(app, meanwhile))
    await agrees(app)


async def test_a_better_reading_is_found_by_what_it_says_now(app: RouterApp) -> None:
    first = saying(1, 3)
    await receive(app, first, saying(2, 7, revision=1))
    await receive(app, saying(1, 9, revision=2, cause="operations/billing"))
    near_old, near_new = saying(3, 3), saying(4, 9, cause="operations/billing")
    await receive(app, near_old, near_new)
    (item_id,) = await where(app, first)
    assert await where(app, near_new) == [item_id]
    assert await where(app, near_old) != [item_id]
    await agrees(app)


async def test_a_rule_can_be_listed_and_withdrawn_and_then_decides_nothing(
    app: RouterApp, ana: Caller
) -> None:
    one, other = saying(1, 3), saying(2, 7)
    await receive(app, one, other)
    target, source = await where(app, one, other)
    await ana.act(target, "merge", {"from": [source], "reason": "One fault"})
    (rule,) = (await ana.get("/v1/grouping/rules")).json()["rules"]
    assert (rule["kind"], rule["actor"], rule["reason"]) == ("together", "ana", "One fault")
    assert rule["sides"]["right"]["feedback"] == ids(other)
    await ana.act(target, "resolve", {**SOLVED})
    gone = await ana.delete(f"/v1/grouping/rules/{rule['id']}", reason="It was not one fault")
    assert gone.json()["ended"]["because"] == "It was not one fault"
    assert (await ana.get("/v1/grouping/rules")).json()["rules"] == []
    assert len((await ana.get("/v1/grouping/rules", ended=True)).json()["rules"]) == 1
    first, second = saying(3, 3), saying(4, 7)
    await receive(app, first, second)
    assert len(set(await where(app, first, second))) == 2
    assert (await ana.delete("/v1/grouping/rules/gr_none", reason="r")).status_code == 404


async def test_the_latest_word_wins_where_people_disagree(app: RouterApp, ana: Caller) -> None:
    one, other = saying(1, 3), saying(2, 3, 20)
    await receive(app, one, other)
    (item_id,) = set(await where(app, one, other))
    new = (await ana.act(item_id, "split", {"feedback": ids(other), "reason": "Two"})).json()["id"]
    app.clock.forward(minutes=1)
    await ana.act(item_id, "merge", {"from": [new], "reason": "One after all"})
    rules = (await ana.get("/v1/grouping/rules", ended=True)).json()["rules"]
    assert [(rule["kind"], rule["ended"] is None) for rule in rules] == [("together", True), ("apart", False)]
    assert "says otherwise, and came later" in rules[1]["ended"]["because"]
    near = saying(103, 3, 21)
    await receive(app, near)
    assert await where(app, near) == [item_id]


async def test_a_dispute_of_a_merged_item_reaches_the_one_it_is_part_of(app: RouterApp, ana: Caller) -> None:
    one, other = saying(1, 3), saying(2, 7)
    await receive(app, one, other)
    target, source = await where(app, one, other)
    await ana.act(target, "merge", {"from": [source], "reason": "r"})
    async with app.router.database.tenant("default") as connection:
        await app.core.backlog.reopen_on_dispute(
            connection, "default", source, loop_id="lp_1", comment="Still broken", at=NOON
        )
    assert (await app.router.log(target))[-1].data["comment"] == "Still broken"


@pytest.mark.parametrize("seed", range(3))
async def test_no_sequence_of_arrivals_undoes_what_people_decided(
    app: RouterApp, ana: Caller, seed: int
) -> None:
    chance = random.Random(seed)
    first = [saying(n, chance.choice((1, 2)), chance.uniform(0, 10)) for n in range(12)]
    await receive(app, *first)
    places = dict(zip(ids(*first), await where(app, *first), strict=True))
    big = max(set(places.values()), key=list(places.values()).count)
    inside = [f for f, item in places.items() if item == big]
    decided: dict[str, str] = {}
    leaving = chance.sample(inside, 2)
    new = (await ana.act(big, "split", {"feedback": leaving, "reason": "r"})).json()["id"]
    decided |= dict.fromkeys(leaving, new)
    others = set(places.values()) - {big}
    if others:
        other = min(others)
        await ana.act(new, "merge", {"from": [other], "reason": "r"})
        decided |= {f: new for f, item in places.items() if item == other}
    for number in range(20, 80):
        near = saying(
            number, chance.choice((1, 2)), chance.uniform(0, 15), at=NOON + timedelta(minutes=number)
        )
        again = chance.choice(first)
        better = replace_pass(again, number)
        await receive(app, near, again, better)
    links = {link["feedback_id"]: link["item_id"] for link in await app.router.links()}
    assert {f: links[f] for f in decided} == decided
    await agrees(app)


def replace_pass(feedback: FeedbackScored, number: int) -> FeedbackScored:
    accepted = feedback.accepted.model_copy(update={"pass_number": number})
    return feedback.model_copy(update={"accepted": accepted})


async def test_tenants_never_group_with_each_other(app: RouterApp, ana: Caller) -> None:
    mine = saying(1, 3, context={"incident": "I-1"})
    theirs = saying(2, 3, context={"incident": "I-1"})
    await app.router.receive(incoming(mine), incoming(theirs, tenant="acme"))
    (here,), (there,) = await app.router.items(), await app.router.items("acme")
    assert (here.feedback_count, there.feedback_count) == (1, 1)
    merge = await ana.act(here.id, "merge", {"from": [there.id], "reason": "r"})
    assert merge.json()["errors"][0]["pointer"] == "/from/0"
    assert (await ana.get(f"/v1/items/{there.id}/grouping")).status_code == 404
    refused = await ana.get("/v1/grouping/why", left=ids(mine)[0], right=ids(theirs)[0])
    assert refused.status_code == 422
    move = await ana.post(f"/v1/feedback/{ids(theirs)[0]}:move", {"item": "new", "reason": "r"}, If_Match="*")
    assert move.status_code == 404
