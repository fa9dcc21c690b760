"""One message that cannot be prepared keeps nobody else waiting, and is not forgotten."""

from typing import Any

import pytest
from sqlalchemy import text
from tests.integration.router_loops.receiver import Receiver
from tests.support.outreach import Station, draft

from heardback_router.messages import rendering
from heardback_router.outreach.codec import VERSION


async def test_a_draft_of_a_newer_release_waits_for_one_that_can_read_it(
    station: Station, receiver: Receiver
) -> None:
    await station.enqueue(*(draft(n, customer_id=f"c-{n}") for n in range(1, 4)))
    change = "draft || jsonb_build_object('version', CAST(:v AS int))"
    newer = text(f"UPDATE router.message SET draft = {change} WHERE id = :id")
    async with station.database.tenant("default") as c:
        await c.execute(newer, {"v": VERSION + 1, "id": "me_2_told"})
    await station.send()
    assert await station.states() == {"me_1_told": "sent", "me_2_told": "waiting", "me_3_told": "sent"}
    assert [e["code"] for e in await station.log("me_2_told")] == [None, "not_prepared"]
    station.clock.forward(minutes=10)
    await station.send()
    assert len(await station.log("me_2_told")) == 2
    async with station.database.tenant("default") as c:
        await c.execute(newer, {"v": VERSION, "id": "me_2_told"})
    station.clock.forward(minutes=10)
    await station.send()
    assert (await station.standing("me_2_told")).state == "sent"


async def test_a_text_that_cannot_be_made_holds_up_no_other_of_the_person(
    station: Station, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = rendering.render

    def failing(*args: Any) -> Any:
        if args[4].changes[0].change_id == "ch_1":
            raise LookupError("no such template")
        return real(*args)

    monkeypatch.setattr("heardback_router.outreach.writing.render", failing)
    await station.enqueue(draft(1), draft(2))
    await station.send()
    assert await station.states() == {"me_1_told": "waiting", "me_2_told": "sent"}
    assert (await station.standing("me_1_told")).code == "not_written"
    assert len(await station.touches()) == 1
    monkeypatch.undo()
    station.clock.forward(minutes=10)
    await station.send()
    assert (await station.standing("me_1_told")).state == "sent"
