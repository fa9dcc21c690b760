"""What happens after routing shows on the feedback."""

from typing import Any

import httpx
import pytest
from tests.integration.ingest.conftest import Key
from tests.support.feedback import incoming, routed, survey

from heardback_ingest.main import Ingest
from heardback_shared.contracts.events import FEEDBACK_ROUTED, ITEM_CHANGED, LOOP_CHANGED
from heardback_shared.errors import PermanentError


def item_change(sequence: int, change: str, state: str, team: str, minute: int) -> dict[str, Any]:
    return {
        "item_id": "it_1",
        "sequence": sequence,
        "change": change,
        "state": state,
        "team": team,
        "band": "P2",
        "severity": 60,
        "title": "Late",
        "actor": "ann",
        "at": f"2026-11-22T12:{minute:02}:00Z",
    }


async def test_item_and_loop_stages_are_shown_in_order(
    http: httpx.AsyncClient, key: Key, ingest: Ingest
) -> None:
    headers = await key()
    posted = (await http.post("/v1/surveys", json=survey(), headers=headers)).json()["id"]
    await ingest.settle([routed(posted)])
    changes = [
        item_change(1, "opened", "open", "logistics", 1),
        item_change(2, "linked", "open", "logistics", 2),
        item_change(3, "started", "in_progress", "logistics", 3),
        item_change(4, "reassigned", "in_progress", "billing", 4),
        item_change(5, "resolved", "resolved", "billing", 5),
    ]
    loop = {"loop_id": "lo_1", "item_id": "it_1", "customer_id": "c-1", "feedback_ids": [posted]}
    events = [incoming(ITEM_CHANGED, change, event_id=f"i{change['sequence']}") for change in changes]
    for minute, state in ((6, "told"), (7, "disputed")):
        data = loop | {"state": state, "reason": "still late", "at": f"2026-11-22T12:{minute:02}:00Z"}
        events.append(incoming(LOOP_CHANGED, data, event_id=f"l{minute}"))
    await ingest.follow(events)
    await ingest.follow(list(reversed(events)))
    shown = (await http.get(f"/v1/feedback/{posted}", headers=headers)).json()
    assert shown["item"] == {"id": "it_1", "team": "billing", "state": "resolved"}
    assert shown["loop"]["state"] == "disputed"
    assert [h["stage"] for h in shown["history"]][3:] == [
        "item.started",
        "item.reassigned",
        "item.resolved",
        "loop.told",
        "loop.disputed",
    ]


async def test_the_loop_may_ride_on_the_outcome(http: httpx.AsyncClient, key: Key, ingest: Ingest) -> None:
    headers = await key()
    posted = (await http.post("/v1/surveys", json=survey(), headers=headers)).json()["id"]
    loop = {"id": "lo_1", "state": "acknowledged", "at": "2026-11-22T12:00:00Z"}
    for _ in range(2):
        await ingest.settle([routed(posted, loop=loop)])
    shown = (await http.get(f"/v1/feedback/{posted}", headers=headers)).json()
    assert shown["loop"]["id"] == "lo_1"
    assert [h["stage"] for h in shown["history"]].count("loop.acknowledged") == 1


async def test_every_step_of_a_loop_is_shown_once_with_its_time(
    http: httpx.AsyncClient, key: Key, ingest: Ingest
) -> None:
    headers = await key()
    posted = (await http.post("/v1/surveys", json=survey(), headers=headers)).json()["id"]
    at = "2026-11-22T12:05:00Z"
    ref = {"id": "lo_1", "state": "acknowledged", "at": "2026-11-22T12:00:00Z"}
    await ingest.settle([routed(posted, loop=ref)])
    loop = {"loop_id": "lo_1", "item_id": "it_1", "customer_id": "c-1", "feedback_ids": [posted]}
    # Both at one instant: what has changed, and that it is not told.
    steps = [("not_told", at), ("changed", at)]
    changes = [
        incoming(LOOP_CHANGED, loop | {"state": state, "at": when}, event_id=f"l{n}")
        for n, (state, when) in enumerate(steps)
    ]
    await ingest.follow(changes)
    # The feedback is read again: what routing answers says where the loop is, which was told already.
    await ingest.settle([routed(posted, loop={"id": "lo_1", "state": "not_told", "at": at})])
    shown = (await http.get(f"/v1/feedback/{posted}", headers=headers)).json()
    assert [h["stage"] for h in shown["history"] if h["stage"].startswith("loop.")] == [
        "loop.acknowledged",
        "loop.changed",
        "loop.not_told",
    ]
    assert shown["loop"]["state"] == "not_told"


async def test_a_revised_answer_shows_its_item_before_it_is_routed_again(
    http: httpx.AsyncClient, key: Key, ingest: Ingest
) -> None:
    headers = await key()
    posted = (await http.post("/v1/surveys", json=survey(), headers=headers)).json()["id"]
    await ingest.settle([routed(posted)])
    await http.post("/v1/surveys", json=survey(revision=2), headers=headers)
    shown = (await http.get(f"/v1/feedback/{posted}", headers=headers)).json()
    assert (shown["revision"], shown["status"], shown["item"]["id"]) == (2, "accepted", "it_1")


@pytest.mark.parametrize("data", [b"{", b"{}", b'{"feedback_id": 7}'])
async def test_a_broken_event_of_ours_is_refused_for_good(ingest: Ingest, data: bytes) -> None:
    with pytest.raises(PermanentError):
        await ingest.settle([incoming(FEEDBACK_ROUTED, data)])


async def test_an_event_without_tenant_is_refused_for_good(ingest: Ingest) -> None:
    with pytest.raises(PermanentError, match="tenant"):
        await ingest.settle([incoming(FEEDBACK_ROUTED, b"{}", tenant=None)])


async def test_types_that_are_not_ours_are_passed_over(ingest: Ingest) -> None:
    assert await ingest.settle([incoming("other.v1", b"{}")]) == ()
    assert await ingest.follow([incoming("other.v1", b"{}")]) == ()
    assert await ingest.collect([incoming("other.v1", b"{}")]) == ()


async def test_what_a_person_corrected_is_shown_and_an_older_answer_does_not_undo_it(
    http: httpx.AsyncClient, key: Key, ingest: Ingest
) -> None:
    headers = await key()
    posted = (await http.post("/v1/surveys", json=survey(), headers=headers)).json()["id"]
    first = routed(posted)
    later = routed(posted, team="billing", routed_at="2026-11-22T12:30:00Z")
    for events in ([first], [later], [first]):
        await ingest.settle(events)
    shown = (await http.get(f"/v1/feedback/{posted}", headers=headers)).json()
    assert (shown["status"], shown["item"]["team"]) == ("routed", "billing")


async def test_feedback_that_a_person_moved_is_shown_where_it_is_now(
    http: httpx.AsyncClient, key: Key, ingest: Ingest
) -> None:
    headers = await key()
    posted = (await http.post("/v1/surveys", json=survey(), headers=headers)).json()["id"]
    for item, minute in (("it_1", 1), ("it_2", 5), ("it_1", 1)):
        at = f"2026-11-22T12:{minute:02}:00Z"
        await ingest.settle([routed(posted, item=item, routed_at=at)])
    shown = (await http.get(f"/v1/feedback/{posted}", headers=headers)).json()
    assert shown["item"]["id"] == "it_2"
    assert shown["status"] == "routed"
