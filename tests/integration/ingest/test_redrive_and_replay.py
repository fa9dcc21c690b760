"""What does not settle is sent again, later each time, and in the end is dead until someone replays it."""

import base64

import httpx
import orjson
import pytest
from sqlalchemy import text
from tests.integration.ingest.conftest import Key
from tests.support.clock import FakeClock
from tests.support.feedback import incoming, routed, survey

from heardback_ingest.main import Ingest
from heardback_ingest.settings import IngestSettings
from heardback_shared.contracts.events import FEEDBACK_DEAD
from heardback_shared.db.database import Database


@pytest.fixture
def settings() -> IngestSettings:
    return IngestSettings(
        redrive_after_seconds=30, redrive_limit=2, redrive_outbox_limit=3, rescore_after_seconds=100
    )


async def relayed(database: Database) -> list[tuple[str, int, int]]:
    """Empties the outbox, as the relay does: (event id, revision, pass) of each accepted event."""
    async with database.worker() as c:
        rows = (await c.execute(text("SELECT event_id, data, topic FROM ingest.outbox ORDER BY id"))).all()
        await c.execute(text("DELETE FROM ingest.outbox"))
    events = [(r.event_id, orjson.loads(r.data)) for r in rows if r.topic == "feedback.accepted"]
    return [(event_id, data["revision"], data["pass_number"]) for event_id, data in events]


async def post(http: httpx.AsyncClient, headers: dict[str, str], number: int = 1, revision: int = 1) -> str:
    body = survey(number, revision=revision)
    return str((await http.post("/v1/surveys", json=body, headers=headers)).json()["id"])


async def ledger(http: httpx.AsyncClient, headers: dict[str, str]) -> dict[str, int]:
    found: dict[str, int] = (await http.get("/v1/ledger", headers=headers)).json()
    assert found.pop("balanced") is True
    return found


async def test_the_same_event_goes_out_again_later_each_time_and_then_the_feedback_is_dead(
    http: httpx.AsyncClient, key: Key, ingest: Ingest, database: Database, clock: FakeClock
) -> None:
    headers = await key()
    posted = await post(http, headers)
    (first,) = await relayed(database)
    clock.forward(seconds=29)
    assert await ingest.redrive() == 0
    clock.forward(seconds=1)
    assert await ingest.redrive() == 1
    assert await relayed(database) == [first]
    clock.forward(seconds=59)
    assert await ingest.redrive() == 0
    clock.forward(seconds=1)
    assert await ingest.redrive() == 1
    assert await relayed(database) == [first]
    clock.forward(seconds=120)
    assert await ingest.redrive() == 1
    assert await relayed(database) == []
    assert await ledger(http, headers) == {
        "accepted": 1,
        "settled": 0,
        "in_flight": 0,
        "dead": 1,
        "rejected": 0,
    }
    shown = (await http.get(f"/v1/feedback/{posted}", headers=headers)).json()
    assert shown["status"] == "dead"
    assert "not settled" in shown["reason"]
    assert [h["stage"] for h in shown["history"]] == ["accepted", "dead"]

    (letter,) = (await http.get("/v1/dead-letters", headers=headers)).json()["dead_letters"]
    assert letter["feedback_id"] == posted
    again = await http.post(f"/v1/dead-letters/{letter['id']}:replay", headers=headers)
    assert again.json()["outcome"] == "in_flight"
    (second,) = await relayed(database)
    assert second[1:] == (1, 2)
    assert second[0] != first[0]
    repeated = await http.post(f"/v1/dead-letters/{letter['id']}:replay", headers=headers)
    assert repeated.json()["outcome"] == "nothing_to_do"
    assert await relayed(database) == []
    await ingest.settle([routed(posted, pass_number=2)])
    assert (await ledger(http, headers))["settled"] == 1


async def test_nothing_is_sent_again_while_the_outbox_is_long(
    http: httpx.AsyncClient, key: Key, ingest: Ingest, database: Database, clock: FakeClock
) -> None:
    headers = await key()
    for number in range(4):
        await post(http, headers, number)
    clock.forward(seconds=60)
    assert await ingest.redrive() == 0
    assert len(await relayed(database)) == 4
    assert await ingest.redrive() == 4


async def test_what_still_queues_in_order_is_left_alone_and_what_was_overtaken_is_not(
    http: httpx.AsyncClient, key: Key, ingest: Ingest, database: Database, clock: FakeClock
) -> None:
    headers = await key()
    lost = await post(http, headers, 1)
    clock.forward(seconds=20)
    settled = await post(http, headers, 2)
    clock.forward(seconds=1)
    queued = await post(http, headers, 3)
    await relayed(database)
    clock.forward(seconds=60)
    await ingest.settle([routed(settled)])
    assert await ingest.redrive() == 1
    assert len(await relayed(database)) == 1
    shown = [(await http.get(f"/v1/feedback/{i}", headers=headers)).json()["status"] for i in (lost, queued)]
    assert shown == ["accepted", "accepted"]
    clock.forward(seconds=31)  # nothing settles any more: everything that is due goes out
    assert await ingest.redrive() == 1


async def test_an_older_revision_that_got_lost_is_not_scored_over_the_newer(
    http: httpx.AsyncClient, key: Key, ingest: Ingest, database: Database, clock: FakeClock
) -> None:
    headers = await key()
    await post(http, headers, revision=1)
    await post(http, headers, revision=2)
    await relayed(database)
    clock.forward(seconds=30)
    await ingest.redrive()
    assert [revision for _, revision, _ in await relayed(database)] == [2]
    assert await ledger(http, headers) == {
        "accepted": 2,
        "settled": 1,
        "in_flight": 1,
        "dead": 0,
        "rejected": 0,
    }


async def test_a_degraded_score_is_asked_for_again_until_it_is_scored(
    http: httpx.AsyncClient, key: Key, ingest: Ingest, database: Database, clock: FakeClock
) -> None:
    headers = await key()
    posted = await post(http, headers)
    await relayed(database)
    await ingest.settle([routed(posted, status="degraded", at=clock.now())])
    assert (await ledger(http, headers))["settled"] == 1
    clock.forward(seconds=99)
    assert await ingest.redrive() == 0
    clock.forward(seconds=1)
    assert await ingest.redrive() == 1
    ((_, _, number),) = await relayed(database)
    assert number == 2
    # the first outcome, announced once more, settles nothing
    await ingest.settle([routed(posted, status="degraded", at=clock.now())])
    assert (await ledger(http, headers))["in_flight"] == 1
    await ingest.settle([routed(posted, pass_number=2, at=clock.now())])
    shown = (await http.get(f"/v1/feedback/{posted}", headers=headers)).json()
    assert shown["score"]["status"] == "scored"
    clock.forward(days=1)
    assert await ingest.redrive() == 0
    assert (await ledger(http, headers))["settled"] == 1


def dead_letter(feedback_id: str, pass_number: int = 1, topic: str = "feedback.scored") -> dict[str, object]:
    accepted = {"feedback_id": feedback_id, "revision": 1, "pass_number": pass_number}
    data = {"accepted": accepted} if topic == "feedback.scored" else accepted
    return {
        "id": f"dl_{feedback_id}_{pass_number}_{topic}",
        "service": "router",
        "version": "1",
        "topic": topic,
        "partition": 2,
        "offset": 77,
        "key": "k",
        "headers": [["ce_id", "ev_1"], ["ce_odd", "\x00"]],
        "value": base64.b64encode(orjson.dumps(data)).decode(),
        "error": "ValueError",
        "reason": "broken\x00",
        "attempts": 3,
        "failed_at": "2026-11-22T12:00:00Z",
        "tenant_id": "default",
        "subject": feedback_id,
    }


@pytest.mark.parametrize("topic", ["feedback.scored", "feedback.accepted"])
async def test_a_dead_letter_of_another_service_settles_the_feedback_as_dead(
    http: httpx.AsyncClient, key: Key, ingest: Ingest, database: Database, topic: str
) -> None:
    headers = await key()
    posted = await post(http, headers)
    event = incoming(FEEDBACK_DEAD, dead_letter(posted, topic=topic), tenant="default")
    await ingest.collect([event, event])
    await ingest.collect([event])
    shown = (await http.get(f"/v1/feedback/{posted}", headers=headers)).json()
    assert shown["status"] == "dead"
    assert shown["reason"].startswith("router: ValueError: broken")
    (letter,) = (await http.get("/v1/dead-letters?service=router", headers=headers)).json()["dead_letters"]
    whole = (await http.get(f"/v1/dead-letters/{letter['id']}", headers=headers)).json()
    assert whole["value"] == dead_letter(posted, topic=topic)["value"]
    assert whole["offset"] == 77
    assert (await http.get("/v1/dead-letters?error=Other", headers=headers)).json()["dead_letters"] == []
    async with database.worker() as c:
        kept = await c.scalar(text("SELECT sealed_value FROM ingest.dead_letter"))
    assert posted.encode() not in kept


async def test_a_dead_letter_of_an_earlier_pass_changes_nothing(
    http: httpx.AsyncClient, key: Key, ingest: Ingest, database: Database, clock: FakeClock
) -> None:
    headers = await key()
    posted = await post(http, headers)
    await ingest.settle([routed(posted, status="degraded", at=clock.now())])
    clock.forward(seconds=100)
    await relayed(database)
    await ingest.redrive()
    await ingest.collect([incoming(FEEDBACK_DEAD, dead_letter(posted, 1))])
    assert (await ledger(http, headers))["dead"] == 0
    await ingest.collect([incoming(FEEDBACK_DEAD, dead_letter(posted, 2))])
    assert (await ledger(http, headers))["dead"] == 1


async def test_pages_of_dead_letters(http: httpx.AsyncClient, key: Key, ingest: Ingest) -> None:
    headers = await key()
    await ingest.collect([incoming(FEEDBACK_DEAD, dead_letter(f"fb_{n}")) for n in range(5)])
    seen, cursor = [], ""
    while True:
        page = (await http.get(f"/v1/dead-letters?limit=2{cursor}", headers=headers)).json()
        seen += [letter["id"] for letter in page["dead_letters"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen)) == 5
    assert (await http.get("/v1/dead-letters?cursor=x", headers=headers)).status_code == 422
    assert (await http.get("/v1/dead-letters/none", headers=headers)).status_code == 404
    assert (await http.post("/v1/dead-letters/none:replay", headers=headers)).status_code == 404
