"""One customer's matter over several channels: items of their own, one owner, one message at the end."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text
from tests.support.clock import NOON
from tests.support.grouped import saying
from tests.support.router_http import Caller, RouterApp, router_app
from tests.support.scored import incoming
from tests.support.waiting import until_async

from heardback_router.backlog.domain import Item
from heardback_router.backlog.fold import fold
from heardback_shared.contracts.events import FeedbackScored
from heardback_shared.db.database import Database


@pytest.fixture
async def app(database: Database) -> AsyncIterator[RouterApp]:
    async with router_app(database) as opened:
        yield opened


@pytest.fixture
async def ana(app: RouterApp) -> Caller:
    return await app.caller()


def contact(number: int, channel: str, hours: int = 0, **more: Any) -> FeedbackScored:
    at = NOON + timedelta(hours=hours)
    return saying(number, None, customer="c-1", channel=channel, at=at, **more)


async def receive(app: RouterApp, *feedback: FeedbackScored) -> list[Item]:
    for one in feedback:
        await app.router.receive(incoming(one))
    items = await app.router.items()
    for item in items:
        assert item == fold(await app.router.log(item.id))
    return items


def solved(words: str | None) -> dict[str, Any]:
    told = {"tell_customer": {"text": words}} if words else {"not_telling_because": "nothing to say"}
    return {"root_cause": "a", "action": "b", **told}


async def loops(ana: Caller, item: Item) -> list[tuple[str, str | None, list[str]]]:
    found = (await ana.get(f"/v1/items/{item.id}")).json()["loops"]
    return [(loop["state"], loop["reason"], loop["feedback_ids"]) for loop in found]


async def messages(app: RouterApp) -> list[tuple[str, set[str], int]]:
    """(text, items, number of loops) of each message that is to be sent."""
    async with app.database.tenant("default") as connection:
        drafts = (await connection.execute(text("SELECT draft FROM router.message"))).scalars().all()
    return [(d["facts"]["changes"][0]["text"], set(d["item_ids"]), len(set(d["loop_ids"]))) for d in drafts]


async def test_a_repeat_over_the_same_channel_joins_and_over_another_is_linked(app: RouterApp) -> None:
    mail, chat = await receive(
        app, contact(1, "email"), contact(2, "chat", 1), contact(3, "email", 2), contact(4, "chat", 3)
    )
    assert (mail.feedback_count, chat.feedback_count) == (2, 2)
    assert mail.case_id == chat.case_id is not None
    for item, other in ((mail, chat), (chat, mail)):
        (linked,) = [e for e in await app.router.log(item.id) if e.kind == "case_linked"]
        assert (linked.data["with"], linked.data["case_id"]) == (other.id, item.case_id)
        assert not item.touched


async def test_another_order_or_another_cause_or_long_after_is_no_case(app: RouterApp) -> None:
    items = await receive(
        app,
        contact(1, "email", context={"order": "A-1"}),
        contact(2, "chat", 1, context={"order": "A-2"}),
        contact(3, "chat", 2, cause="operations/billing", context={"order": "A-1"}),
        contact(4, "phone", 24 * 15, context={"order": "A-1"}),
    )
    assert [item.case_id for item in items] == [None] * 4


async def test_the_owner_of_a_case_is_one(app: RouterApp, ana: Caller) -> None:
    (mail,) = await receive(app, contact(1, "email"))
    await ana.act(mail.id, "reassign", {"team": "operations", "reason": "theirs"})
    await ana.act(mail.id, "claim", {"assignee": "bo"})
    mail, chat = await receive(app, contact(2, "chat", 1))
    assert (chat.team, chat.assignee, chat.assigned_by) == ("operations", "bo", "machine")
    await ana.act(chat.id, "claim", {"assignee": "cy"})
    await ana.act(chat.id, "reassign", {"team": "product", "reason": "theirs after all"})
    mail, chat = await receive(app)
    assert [(item.team, item.assignee) for item in (mail, chat)] == [("product", None)] * 2
    case = (await ana.get(f"/v1/cases/{mail.case_id}")).json()
    assert (case["team"], case["assignee"], case["resolved"]) == ("product", None, False)
    assert (await ana.get("/v1/cases/cs_none")).status_code == 404


async def test_the_customer_hears_once_when_the_last_item_is_resolved(app: RouterApp, ana: Caller) -> None:
    mail, chat = await receive(app, contact(1, "email"), contact(2, "chat", 1))
    await ana.act(mail.id, "resolve", solved("The mail part is done."))
    ((state, reason, _),) = await loops(ana, mail)
    assert state == "not_told"
    assert reason == f"case {mail.case_id} of this customer is not resolved as a whole yet: {chat.id}"
    app.clock.forward(minutes=5)
    await ana.act(chat.id, "resolve", solved("All of it is done."))
    ((state, reason, feedback),) = await loops(ana, chat)
    assert (state, reason, feedback) == ("changed", None, [contact(2, "").accepted.feedback_id])
    # One message, which closes both loops.
    ((state, _, _),) = await loops(ana, mail)
    assert state == "changed"
    assert await messages(app) == [("All of it is done.", {mail.id, chat.id}, 2)]
    assert (await ana.get(f"/v1/cases/{mail.case_id}")).json()["resolved"]


async def test_words_kept_back_are_told_when_the_last_item_has_none(app: RouterApp, ana: Caller) -> None:
    mail, chat = await receive(app, contact(1, "email"), contact(2, "chat", 1))
    await ana.act(mail.id, "resolve", solved("The mail part is done."))
    app.clock.forward(minutes=5)
    await ana.act(chat.id, "resolve", solved(None))
    assert await messages(app) == [("The mail part is done.", {mail.id, chat.id}, 2)]


async def test_a_merge_takes_the_case_along_and_never_tears_one_apart(app: RouterApp, ana: Caller) -> None:
    mail, chat = await receive(app, contact(1, "email"), contact(2, "chat", 1))
    other = saying(10, None, customer="c-9", channel="email", cause="operations/billing")
    other_chat = saying(11, None, customer="c-9", channel="chat", cause="operations/billing")
    alone = saying(12, None, customer="c-8", cause="operations/billing")
    items = {item.customers[0] + item.id: item for item in await receive(app, other, other_chat, alone)}
    theirs = [item for item in items.values() if item.customers == ("c-9",)]
    (free,) = [item for item in items.values() if item.customers == ("c-8",)]
    refused = await ana.act(theirs[0].id, "merge", {"from": [mail.id], "reason": "r"})
    assert refused.status_code == 409
    assert f"resolve {chat.id} first, or merge them too" in refused.json()["detail"]
    taken = await ana.act(free.id, "merge", {"from": [mail.id], "reason": "r"})
    assert taken.status_code == 200
    items = {item.id: item for item in await receive(app)}
    assert items[free.id].case_id == mail.case_id == items[chat.id].case_id
    both = await ana.act(theirs[0].id, "merge", {"from": [free.id, chat.id], "reason": "r"})
    assert both.status_code == 200, both.text


async def waits_for_a_lock(app: RouterApp) -> bool:
    """Whoever waits longer is the one that finds the deadlock and is ended."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'")
    async with app.database.engine.connect() as connection:
        return bool(await connection.scalar(waiting))


async def test_a_deed_that_meets_another_halfway_is_asked_to_come_again(app: RouterApp, ana: Caller) -> None:
    mail, chat = await receive(app, contact(1, "email"), contact(2, "chat", 1))
    lock = text("SELECT 1 FROM router.item WHERE tenant_id = 'default' AND id = :id FOR UPDATE")
    async with app.database.tenant("default") as connection:
        # A claim locks the item, then the rest of its case; this transaction goes the other way.
        await connection.execute(lock, {"id": chat.id})
        claim = asyncio.create_task(ana.act(mail.id, "claim", {}))
        await until_async(partial(waits_for_a_lock, app))
        await connection.execute(lock, {"id": mail.id})
        answer = await claim
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "GET what you acted on" in answer.json()["detail"]
    assert {item.assignee for item in await app.router.items()} == {None}
    assert (await ana.act(mail.id, "claim", {})).status_code == 200
    assert {item.assignee for item in await app.router.items()} == {"ana"}
