"""What people complain of elsewhere about being told what became of their feedback.

github.com/getfider/fider/issues/1004, /878, pull/879; gitlab.com/gitlab-org/gitlab/-/issues/334920, /329366;
github.com/OCA/helpdesk/issues/215.
"""

from collections.abc import AsyncIterator
from datetime import datetime

import pytest
from tests.integration.router_campaigns.stage import TELL, Stage
from tests.support.clock import NOON
from tests.support.town import PUBLIC_URL, Town, town

from heardback_shared.db.database import Database

NOTE = "Ask Meier in accounts, he broke the ledger job in March and keeps quiet about it"


@pytest.fixture
async def here(database: Database) -> AsyncIterator[Town]:
    async with town(database, NOON, failing=0.0) as opened:
        await opened.endpoint()
        yield opened


@pytest.fixture
async def stage(here: Town) -> Stage:
    """The same deeds, in a town where messages arrive."""
    return Stage(here.core, here.clock, here.database, await here.caller("ana"), await here.caller("bo"))


def told(here: Town, since: int = 0) -> list[str]:
    return sorted(one.customer_id for one in here.arrivals[since:] if one.accepted)


async def test_complaint_people_who_raised_it_are_not_told(stage: Stage, here: Town) -> None:
    """Not the second id of a mail, not who wrote after the draft was made, not who wrote before a merge."""
    item = await stage.item("c-1", "c-2", resolved=False)
    other = await stage.item("c-3", direction=5, resolved=False)
    merged = await stage.ana.act(item, "merge", {"from": [other], "reason": "the same"})
    assert merged.status_code == 200, merged.text
    late = await stage.item("c-4", resolved=False)
    assert late == item
    await stage.resolve(item)
    campaign = await stage.campaign([item], [await stage.change(item)])
    await stage.do(campaign, "submit")
    await stage.do(campaign, "approve", stage.bo)
    await here.step()
    assert told(here) == ["c-1", "c-2", "c-3", "c-4"]


async def test_complaint_mail_that_nobody_asked_for(stage: Stage, here: Town) -> None:
    """Only who raised it, once for all matters, not who left, and nothing a second time."""
    await here.customer("c-1", email="c1@example.com", channels=["email"])
    await here.customer("c-2", email="c2@example.com", channels=["email"])
    first, second = await stage.item("c-1", "c-2"), await stage.item("c-1", direction=5)
    await stage.item("c-9", direction=7)
    await here.opt_out("c-2")
    changes = [await stage.change(first), await stage.change(second, tell="Exports open again.")]
    for _ in range(2):
        campaign = await stage.campaign([first, second], changes)
        await stage.do(campaign, "submit")
        await stage.do(campaign, "approve", stage.bo)
        await here.step()
    assert here.mailbox.recipients == ["c1@example.com"]
    assert TELL in here.arrivals[0].text
    assert "Exports open again." in here.arrivals[0].text
    assert here.receiver.received == []


async def test_complaint_no_word_when_it_is_closed_or_declined(stage: Stage, here: Town) -> None:
    """Whoever wants to know how it ended hears it, also when nothing is changed, and without fine words."""
    item = await stage.item("c-1")
    done = await stage.ana.act(item, "close", {"reason": "It works as the contract says."})
    assert done.status_code == 200, done.text
    change = await stage.change(
        item, result="declined", tell="The price per seat stays: it pays for support."
    )
    campaign = await stage.campaign([item], [change])
    assert (await stage.do(campaign, "submit")).status_code == 200
    assert (await stage.do(campaign, "approve", stage.bo)).status_code == 200
    await here.step()
    assert told(here) == ["c-1"]
    assert "We are not changing this, and here is why" in here.arrivals[0].text
    assert "it pays for support" in here.arrivals[0].text
    shown = await here.client.get(here.arrivals[0].link.removeprefix(PUBLIC_URL))
    assert shown.json()["message"] == "The price per seat stays: it pays for support."
    assert await here.scalar("SELECT result FROM router.loop WHERE state = 'told'") == "declined"


async def test_complaint_an_internal_comment_is_mailed_to_a_customer(stage: Stage, here: Town) -> None:
    item = await stage.item("c-1", resolved=False)
    await stage.ana.post(f"/v1/items/{item}:comment", {"text": NOTE})
    await stage.resolve(item)
    leaking = await stage.change(item, tell=f"It is done. {NOTE}.")
    refused = await stage.do(await stage.campaign([item], [leaking]), "submit")
    assert (refused.status_code, refused.json()["errors"][0]["detail"][:5]) == (409, "leak:")
    campaign = await stage.campaign([item], [await stage.change(item)])
    await stage.do(campaign, "submit")
    await stage.do(campaign, "approve", stage.bo)
    await here.step()
    (arrival,) = here.arrivals
    sent = arrival.text + "".join(one.body.decode() for one in here.receiver.received)
    for word in ("Meier", "ledger", "patched", "counted closed seats"):
        assert word not in sent


async def test_complaint_a_customer_gets_the_mail_about_who_was_assigned(stage: Stage, here: Town) -> None:
    item = await stage.item("c-1", resolved=False)
    for deed, body in (
        ("claim", {"assignee": "bo"}),
        ("start", {}),
        ("comment", {"text": NOTE}),
        ("reassign", {"team": "operations", "reason": "They know invoices."}),
        ("claim", {"assignee": "cy"}),
    ):
        answer = await stage.ana.act(item, deed, body)
        assert answer.status_code == 200, answer.text
    here.clock.at = datetime.fromisoformat("2026-11-23T12:00:00+00:00")
    await here.step()
    assert here.arrivals == []
    assert await here.scalar("SELECT count(*) FROM router.message") == 0
