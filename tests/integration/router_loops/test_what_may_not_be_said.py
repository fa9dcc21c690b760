"""Smuggling notes, others' words, addresses and disguises into what customers read, at every door."""

import json
import re
from typing import Any

import pytest
from sqlalchemy import text
from tests.integration.router_loops.house import Caller, House
from tests.integration.router_loops.receiver import Receiver
from tests.integration.router_loops.test_rounds import group
from tests.support.scored import incoming, score, scored

NOTE = "the ledger job counted closed seats twice since March"
BO = {"X_Heardback_Actor": "bo"}
SMUGGLED = {
    "a note": f"We found that {NOTE}.",
    "a note in disguise": "We found: thе lеdger j\u200cob cоunted clоsed seаts twice.",
    "another customer's words": "Somebody wrote: the invoice is wrong again and nobody answers me.",
    "an e-mail address": "Please write to other.customer@example.org about it.",
    "an e-mail address in full width": "Please write to ｂｏｂ＠example.org about it.",
    "a link": "See https://evil.example/login for more.",
    "a telephone number": "Please call +49 30 1234567 about it.",
    "a bank account": "We paid it to DE89 3704 0044 0532 0130 00 today.",
    "text that runs backwards": "The invoice is \u202ethgir\u202c now.",
    "what is not seen": "The invoice\u200b is right.",
    "a bell": "The invoice is right.\x07",
    "half a character": "The invoice is right.\ud800",
    "a place of a template": "Dear {{ customer.name }}, the invoice is right.",
    "too much": "right " * 400,
}


@pytest.fixture
async def ann(house: House) -> Caller:
    await house.endpoint()
    return await house.caller()


async def send(house: House, by: Caller, path: str, body: Any, **headers: str) -> Any:
    """As it comes over the wire, also what no JSON library of ours would write."""
    return await house.client.post(
        path,
        content=json.dumps(body).encode(),
        headers={
            **by._headers,
            "Content-Type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
    )


async def noted(house: House, ann: Caller, item_id: str) -> str:
    """The item's tag once a colleague has left a note on it."""
    done = await ann.post(f"/v1/items/{item_id}:comment", {"text": f"Between us: {NOTE}, tell nobody."})
    assert done.status_code == 200, done.text
    return str((await ann.get(f"/v1/items/{item_id}")).headers["ETag"])


def refused(answer: Any, smuggled: str) -> None:
    assert answer.status_code == 422, (smuggled, answer.text)
    assert answer.json()["errors"], smuggled
    for secret in ("ledger", "nobody answers me"):
        assert secret not in answer.text, "a refusal does not quote what must not be seen"


async def test_nothing_is_smuggled_into_what_a_resolution_or_a_plan_says(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    item_id = await group(house, "c-1", "c-2")
    tag = await noted(house, ann, item_id)
    for name, said in SMUGGLED.items():
        told = {"root_cause": "a", "action": "b", "tell_customer": {"text": said}}
        refused(await send(house, ann, f"/v1/items/{item_id}:resolve", told, If_Match=tag), name)
        plan = {"plan": {"text": said}}
        refused(await send(house, ann, f"/v1/items/{item_id}:start", plan, If_Match=tag), name)
    own = {"root_cause": NOTE, "action": "b", "tell_customer": {"text": f"It was so: {NOTE}."}}
    refused(await ann.post(f"/v1/items/{item_id}:resolve", own, If_Match=tag), "the cause itself")
    assert await house.deliver() == 0
    assert (await ann.get(f"/v1/items/{item_id}")).json()["state"] == "open"


async def test_nothing_is_smuggled_in_by_who_edits_a_review_or_answers_a_contest(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    at, about = house.clock.now(), {"incident": "I"}
    first = scored(1, reading=score(cues=("safety",)), accepted_at=at, context=about)
    second = scored(2, customer="c-2", accepted_at=at, context=about)
    await house.core.route([incoming(first), incoming(second)])
    item_id = await house.item_of(first)
    await noted(house, ann, item_id)
    await house.resolve(item_id, ann)
    (review,) = (await ann.get("/v1/reviews", item=item_id)).json()["reviews"]
    async with house.database.tenant("default") as connection:
        loops = await house.core.closing.loops.of_item(connection, "default", item_id)
    await house.client.post(f"{house.link(loops[0]['id'])}:contest")
    (contest,) = (await ann.get("/v1/contests")).json()["contests"]
    for name, said in SMUGGLED.items():
        if name == "another customer's words":
            continue  # one customer reads either of the two, and both wrote these words
        edit = {"text": said, "version": 1}
        refused(await send(house, ann, f"/v1/reviews/{review['id']}:edit", edit, **BO), name)
        answer = {"text": said, "outcome": "upheld"}
        refused(await send(house, ann, f"/v1/contests/{contest['id']}:answer", answer), name)


async def test_what_a_customer_wrote_is_never_a_template_and_never_another_customers(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    hostile = "{{ 7 * 7 }} {% for x in changes %}boo{% endfor %}\r\nBcc: victim@example.org"
    feedback = scored(1, comment=hostile, accepted_at=house.clock.now())
    await house.core.route([incoming(feedback)])
    item_id = await house.item_of(feedback)
    await house.resolve(item_id, ann, "You wrote 7 x 7; the invoice is corrected.")
    await house.deliver()
    async with house.database.tenant("default") as connection:
        rows = await connection.execute(text("SELECT content FROM router.handover"))
        ((part,),) = [content["parts"] for content in rows.scalars()]
    assert "You wrote 7 x 7" in part["text"]
    assert not re.search(r"\b(49|boo|victim|Bcc)\b", part["text"].replace(part["links"]["page"], ""))


async def test_a_single_customer_may_read_their_own_words_again(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    item_id = await house.item()
    own = "You wrote that the invoice is wrong again and nobody answers me. We do now."
    await house.resolve(item_id, ann, own)
    assert await house.deliver() == 1


async def test_lines_and_marks_of_other_languages_pass(house: House, receiver: Receiver, ann: Caller) -> None:
    item_id = await house.item()
    await house.resolve(item_id, ann, "החשבונית תוקנה\u200f.\r\nفاتورة صحيحة، می\u200cخواهم 👩\u200d💻\tok")
    loop = await house.loop_of(item_id)
    assert loop["message"] == "החשבונית תוקנה\u200f.\nفاتورة صحيحة، می\u200cخواهم 👩\u200d💻\tok"


async def test_a_promise_that_is_not_on_record_waits_for_a_second_person(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    item_id = await house.item()
    await house.resolve(item_id, ann, "The invoice is right. We will send you a credit note by Friday.")
    assert await house.deliver() == 0
    (review,) = (await ann.get("/v1/reviews", item=item_id)).json()["reviews"]
    assert review["because"] == "it promises something that is not on record"
    own = await ann.post(f"/v1/reviews/{review['id']}:approve", {"version": 1})
    assert own.status_code == 403
    other = await ann.post(f"/v1/reviews/{review['id']}:approve", {"version": 1}, **BO)
    assert other.status_code == 200
    assert await house.deliver() == 1
