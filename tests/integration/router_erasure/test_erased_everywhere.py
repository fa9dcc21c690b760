"""After an erasure nothing that was composed about the customer can be read anywhere in the database."""

from tests.integration.router_erasure.conftest import Town
from tests.integration.router_loops.receiver import Reply
from tests.support.marks import places_of

PERSONAL = (
    "ada.mark@example.com",
    "new.mark@example.com",
    "+49 30 901820",
    "Markwell",
    "still-broken-mark",
    "too-urgent-mark",
    "judged-anew-mark",
    "box-ticked-mark",
    "upset-mark",
    "echoed-mark",
)
"""Addresses, the name, what the customer said, what a person wrote to them, proofs, reasons of a hold, and
what a receiver answered."""

MATTER = "invoice-mark"
"""What a team says of a matter: it belongs to the matter, whoever raised it."""


async def lives(town: Town) -> None:
    """All that can be composed about somebody: told by webhook and by mail, disputed, contested, answered."""
    await town.endpoint()
    town.receiver.usual = Reply(body=b'{"you said": "echoed-mark"}')
    profile = {
        "source": "crm",
        "name": "Ada Markwell",
        "email": "ada.mark@example.com",
        "phone": "+49 30 901820",
    }
    assert (await town.staff.put("/v1/customers/c-1", profile)).status_code == 200
    given = {
        "source": "shop",
        "provenance": "stated",
        "purpose": "profiling",
        "given": True,
        "channel": "web",
    }
    proved = given | {"text_version": "1", "proof": "box-ticked-mark", "at": "2026-11-20T10:00:00Z"}
    assert (await town.staff.post("/v1/customers/c-1/consents", proved)).status_code == 201
    ada = town.customer()
    for number, channel in enumerate(("webhook", "email"), 1):
        await ada.send("/preferences", channel_1=channel, digest="none")
        item = await town.writes(number, f"Please call me, ada.mark@example.com, about order {number}.")
        await town.house.resolve(item, town.desk, f"Matter {number}: {MATTER} is corrected.")
        await town.deliver()
        loop = (await town.house.loop_of(item))["id"]
        await ada.send(f"/loops/{loop}/dispute", comment="It is still-broken-mark.")
        await ada.send(f"/loops/{loop}/contest", comment="That is too-urgent-mark.")
        await town.deliver()
    for contest in (await town.desk.get("/v1/contests")).json()["contests"]:
        words = {"text": "We judged-anew-mark what you wrote.", "outcome": "changed"}
        assert (await town.desk.post(f"/v1/contests/{contest['id']}:answer", words)).status_code == 200
    await town.deliver()
    await ada.send("/address", address="new.mark@example.com")
    await ada.send("/erasure")
    await town.staff.put("/v1/customers/c-1/hold", {"because": "She is upset-mark."})
    item = await town.writes(3, "One more thing.")
    await town.house.resolve(item, town.desk, f"Matter 3: {MATTER} too.")
    await town.deliver()


async def test_after_an_erasure_no_mark_of_the_customer_is_left_in_any_table(town: Town) -> None:
    await lives(town)
    before = await places_of(town.house.database, (*PERSONAL, MATTER))
    readable = {mark for mark, places in before.items() if places}
    sealed = {"ada.mark@example.com", "new.mark@example.com", "+49 30 901820", "Markwell", "box-ticked-mark"}
    assert readable | sealed == {*PERSONAL, MATTER}
    assert "router.handover.content" in before[MATTER]
    assert "router.delivery_attempt.response" in before["echoed-mark"]
    assert await town.erase() == 1
    await town.relayed()
    after = await places_of(town.house.database, (*PERSONAL, MATTER))
    assert {mark: after[mark] for mark in PERSONAL} == {mark: set() for mark in PERSONAL}
    assert after[MATTER] <= {
        "router.item.resolution",
        "router.item_event.data",
        "router.change.tell",
        "router.change.what",
    }
