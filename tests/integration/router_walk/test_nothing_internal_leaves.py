"""Every text that colleagues write, and every text of one customer, is marked; then everything that leaves is
searched for the marks of others."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from tests.support.grouped import saying
from tests.support.router_http import Caller
from tests.support.scored import incoming
from tests.support.town import PUBLIC_URL, TENANT, Town, town

from heardback_router.deliveries.endpoint import FIELDS
from heardback_shared.db.database import Database

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HERS, HIS = "customer-mark-anna", "customer-mark-boris"
_MARK = re.compile(r"(?:colleague|customer)-mark-[a-z0-9-]+")


@dataclass
class Marks:
    """One for every place a colleague can write to, so that a leak names its place."""

    given: list[str] = field(default_factory=list)

    def __call__(self, place: str) -> str:
        mark = f"colleague-mark-{place}"
        self.given.append(mark)
        return f"Between us: {mark}"


@pytest.fixture
async def place(database: Database) -> Any:
    async with town(database, NOON, failing=0.0) as opened:
        await opened.endpoint(fields=FIELDS)
        await opened.customer("anna", language="en", channels=["webhook"])
        await opened.customer("boris", language="de", channels=["email"], email="boris@example.com")
        yield opened


async def written_in(place: Town) -> str:
    """Two customers raise one problem, each in words of their own."""
    said = [
        saying(n, 0, customer=who, at=place.clock.now(), context={"incident": "INC-77"})
        for n, who in enumerate(("anna", "boris"))
    ]
    marked = []
    for one, mark in zip(said, (HERS, HIS), strict=True):
        content = one.accepted.content.model_copy(
            update={"comment": f"{one.accepted.content.comment} {mark}"}
        )
        accepted = one.accepted.model_copy(update={"content": content})
        marked.append(one.model_copy(update={"accepted": accepted}))
    await place.core.route([incoming(one, tenant=TENANT) for one in marked])
    (row,) = await place.rows("SELECT DISTINCT item_id FROM router.item_feedback")
    return str(row.item_id)


async def worked_on(lead: Caller, item_id: str, marks: Marks) -> None:
    """Whatever a colleague can write to an item."""
    promise = {"what": marks("promise"), "due_at": (NOON + timedelta(days=2)).isoformat()}
    await sent(lead, item_id, "promises", promise)
    deeds: Iterator[tuple[str, Any]] = iter(
        [
            ("comment", {"text": marks("comment")}),
            ("flag", {"flag": "custom", "request": "sso", "reason": marks("flag")}),
            ("set-criterion", {"text": marks("criterion"), "source": "customer"}),
            ("log-time", {"minutes": 5, "note": marks("time")}),
            ("reassign", {"team": "operations", "reason": marks("handover")}),
            ("claim", None),
            ("start", {}),
            ("pause", {"waiting_for": "waiting_for_third_party", "reason": marks("pause")}),
            ("resume", {"reason": marks("resume")}),
            ("respond", {"note": marks("respond")}),
            ("settle-criterion", {"outcome": "met", "because": marks("met")}),
            ("deviate", {"process": "refund", "cost": 20, "reason": marks("deviation")}),
        ]
    )
    for deed, body in deeds:
        done = await lead.act(item_id, deed, body)
        assert done.status_code < 300, (deed, done.text)
    kept = await lead.get(f"/v1/items/{item_id}")
    (promised,) = kept.json()["promises"]
    await sent(lead, item_id, f"promises/{promised['id']}:keep", {"note": marks("kept")})


async def sent(lead: Caller, item_id: str, under: str, body: Any) -> None:
    tag = (await lead.get(f"/v1/items/{item_id}")).headers["ETag"]
    done = await lead.post(f"/v1/items/{item_id}/{under}", body, If_Match=tag)
    assert done.is_success, done.text


async def resolved(lead: Caller, item_id: str, marks: Marks, round_: int) -> None:
    body = {
        "root_cause": marks(f"cause-{round_}"),
        "action": marks(f"action-{round_}"),
        "tell_customer": {"text": f"The bill is right now, in round {round_}."},
    }
    done = await lead.act(item_id, "resolve", body)
    assert done.is_success, done.text


async def test_no_word_meant_for_others_leaves(place: Town) -> None:
    marks = Marks()
    lead, other = await place.caller("lead"), await place.caller("other")
    item_id = await written_in(place)
    await worked_on(lead, item_id, marks)
    await resolved(lead, item_id, marks, 1)
    await place.until_all_ended(timedelta(minutes=5), timedelta(days=1))

    told = {one.customer_id: one for one in place.arrivals}
    assert set(told) == {"anna", "boris"}
    token = place.receiver.received[-1].json["data"]["links"]
    said = f"It happened again. {HERS}"
    assert (await on(place, token["dispute"], {"comment": said})).is_success
    assert (await lead.act(item_id, "comment", {"text": marks("second-round")})).is_success
    again = {"outcome": "waived", "because": marks("waived")}
    assert (await lead.act(item_id, "settle-criterion", again)).is_success
    await resolved(lead, item_id, marks, 2)
    await campaign(lead, other, item_id, marks)
    await place.until_all_ended(timedelta(minutes=5), timedelta(days=3))

    leaving = await everything_that_left(place)
    assert len(leaving) >= 8
    assert any("in round 2" in text for _, _, text in leaving)
    found = [
        (where, mark)
        for who, where, text in leaving
        for mark in _MARK.findall(text)
        if mark != {"anna": HERS, "boris": HIS}.get(who)
    ]
    assert found == []
    # The search itself can find something: the same marks stand where colleagues read.
    inside = (await lead.get(f"/v1/items/{item_id}")).text
    assert set(_MARK.findall(inside)) & set(marks.given)
    assert len(marks.given) >= 16


async def campaign(lead: Caller, other: Caller, item_id: str, marks: Marks) -> None:
    """A change that is told to everybody; whether it is sent or refused, its inner words stay inside."""
    change = {
        "result": "done",
        "what": marks("change"),
        "tell": "Bills are now checked by two people.",
        "on": NOON.date().isoformat(),
        "items": [item_id],
    }
    made = await lead.post("/v1/changes", change)
    assert made.status_code == 201, made.text
    assert (await other.post(f"/v1/changes/{made.json()['id']}:review", {})).is_success


async def everything_that_left(place: Town) -> list[tuple[str, str, str]]:
    """(customer, where, text) of every webhook, mail, details and page."""
    left = []
    pages: dict[str, str] = {}
    for got in place.receiver.received:
        data = got.json["data"]
        left.append((data["customer_id"], "webhook", got.body.decode()))
        details = await on(place, data["details_url"])
        left.append((data["customer_id"], "details", details.text))
        pages[data["customer_id"]] = data["links"]["page"]
        for name in ("confirm", "dispute"):
            if link := data["links"].get(name):
                shown = await on(place, link.rpartition(":")[0])
                left.append((data["customer_id"], f"link {name}", shown.text))
    for mail, to in zip(place.mailbox.mails, place.mailbox.recipients, strict=True):
        customer_id = place.addresses[to]
        left.append((customer_id, "mail", mail.as_string() + mail.get_content()))
        links = re.findall(rf"{re.escape(PUBLIC_URL)}/c/[\w.-]+", mail.get_content())
        pages[customer_id] = links[0]
    assert set(pages) == {"anna", "boris"}
    for customer_id, page in pages.items():
        shown = await on(place, page)
        assert shown.status_code == 200
        left.append((customer_id, "page", shown.text))
    return left


async def on(place: Town, url: str, body: Any = None) -> httpx.Response:
    path = url.removeprefix(PUBLIC_URL)
    return await (place.client.post(path, json=body) if body is not None else place.client.get(path))
