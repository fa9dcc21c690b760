"""What people complain about elsewhere, and does not happen here."""

from dataclasses import fields
from typing import Any, get_type_hints

from sqlalchemy import text
from tests.integration.router_loops.house import House
from tests.integration.router_loops.receiver import Receiver

from heardback_router.messages.domain import ChangeFacts, MessageFacts, Rendered
from heardback_router.outreach.domain import Draft
from heardback_router.wording import CustomerText, InternalText

SECRET = "INTERNAL-7F3"


def texts_in(shape: type) -> set[Any]:
    """The types of all that may hold a sentence."""
    plain = {"id", "customer_id", "about", "change_id", "reference", "language", "template", "campaign_id"}
    hints = get_type_hints(shape)
    return {hints[f.name] for f in fields(shape) if f.name not in plain}


def test_complaint_internal_comments_reach_customers_cannot_be_written_down() -> None:
    """A message is made of types that cannot hold what was written for colleagues."""
    assert not issubclass(InternalText, CustomerText)
    assert not issubclass(CustomerText, InternalText)
    for shape in (Draft, MessageFacts, ChangeFacts, Rendered):
        assert InternalText not in texts_in(shape)
        assert str not in texts_in(shape), shape


async def test_complaint_an_internal_comment_or_assignment_mailed_to_the_customer(
    house: House, receiver: Receiver
) -> None:
    """Every word for colleagues, in every field that takes one, over a whole life of an item."""
    await house.endpoint()
    ann = await house.caller()
    item_id = await house.item()

    async def act(command: str, body: dict[str, Any]) -> None:
        tag = (await ann.get(f"/v1/items/{item_id}")).headers["ETag"]
        answer = await ann.post(f"/v1/items/{item_id}:{command}", body, If_Match=tag)
        assert answer.status_code == 200, answer.text

    tell = {"tell_customer": {"text": "The invoice is corrected."}}
    await act("comment", {"text": SECRET})
    await act("claim", {"assignee": f"{SECRET}-person"})
    await act("reassign", {"team": "product", "reason": SECRET})
    await act("start", {"plan": {"text": "We correct it."}})
    await act("comment", {"text": SECRET})
    await act("resolve", {"root_cause": SECRET, "action": SECRET, **tell})
    await act("reopen", {"reason": SECRET})
    await act("resolve", {"root_cause": SECRET, "action": SECRET, **tell})
    await house.deliver()
    (got,) = receiver.received
    page = got.json["data"]["links"]["page"].partition(".com")[2]
    path = house.link((await house.loop_of(item_id))["id"])
    seen = [got.body.decode(), (await house.client.get(path)).text, (await house.client.get(page)).text]
    seen.append((await house.client.post(f"{path}:contest", json={"comment": "why?"})).text)
    seen.append((await house.client.post(f"{path}:dispute", json={"comment": "no"})).text)
    await house.deliver()
    seen += [more.body.decode() for more in receiver.received]
    async with house.database.tenant("default") as connection:
        kept = await connection.execute(text("SELECT draft::text FROM router.message"))
        seen += list(kept.scalars())
    # What goes out on the topic may be passed on to customers by others.
    seen += [changed.model_dump_json() for changed in await house.announced()]
    assert len(seen) > 8
    assert not [one for one in seen if SECRET in one]
    assert SECRET in (await ann.get(f"/v1/items/{item_id}")).text
    assert len(receiver.received) == 2


async def test_complaint_told_although_nobody_was_to_be_told(house: House, receiver: Receiver) -> None:
    """Resolving a matter with nothing to tell sends nothing, to nobody, and the reason stays inside."""
    await house.endpoint()
    ann = await house.caller()
    item_id = await house.item()
    await house.resolve(item_id, ann, tell=None)
    assert await house.deliver() == 0
    assert receiver.received == []
    loop = await house.loop_of(item_id)
    assert (loop["state"], loop["code"]) == ("not_told", "told_nothing")
