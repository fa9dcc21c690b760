"""From POST to ledger and outbox: once, whatever is repeated, and nothing when it is refused."""

import asyncio
from typing import Any

import httpx
import orjson
from sqlalchemy import text
from tests.integration.ingest.conftest import Key
from tests.support.feedback import routed, score, survey, transcript

from heardback_ingest.main import Ingest
from heardback_shared.contracts.events import FeedbackAccepted
from heardback_shared.db.database import Database


async def rows(database: Database, sql: str) -> list[dict[str, Any]]:
    async with database.worker() as c:
        return [dict(row) for row in (await c.execute(text(sql))).mappings()]


async def sent(database: Database) -> list[FeedbackAccepted]:
    found = await rows(
        database, "SELECT data FROM ingest.outbox WHERE topic = 'feedback.accepted' ORDER BY id"
    )
    return [FeedbackAccepted.model_validate_json(row["data"]) for row in found]


async def test_a_survey_is_accepted_and_its_event_is_stored_with_it(
    http: httpx.AsyncClient, key: Key, database: Database
) -> None:
    answer = await http.post("/v1/surveys", json=survey(), headers=await key("feedback:write"))
    assert answer.status_code == 202
    body = answer.json()
    assert body["status"] == "accepted"
    assert body["id"].startswith("fb_")
    assert answer.headers["location"] == f"/v1/feedback/{body['id']}"
    (event,) = await sent(database)
    assert event.feedback_id == body["id"]
    assert event.content.comment == survey()["comment"]
    assert event.customer is not None
    assert event.customer.id == "c-1"
    (row,) = await rows(database, "SELECT * FROM ingest.outbox")
    assert row["key"] == "default:c-1"
    assert row["traceparent"] == answer.headers["traceparent"]


async def test_a_repeat_has_no_effect_and_says_so(
    http: httpx.AsyncClient, key: Key, database: Database
) -> None:
    headers = await key("feedback:write")
    first = await http.post("/v1/surveys", json=survey(), headers=headers)
    again = await http.post("/v1/surveys", json=survey(), headers=headers)
    other = await http.post("/v1/surveys", json=survey(comment="Changed"), headers=headers)
    assert (first.status_code, again.status_code, other.status_code) == (202, 200, 200)
    assert again.json() == {
        "id": first.json()["id"],
        "status": "accepted",
        "duplicate": True,
        "same_content": True,
    }
    assert other.json()["same_content"] is False
    assert len(await sent(database)) == 1


async def test_a_higher_revision_is_a_new_event_of_the_same_feedback_and_a_late_lower_one_is_superseded(
    http: httpx.AsyncClient, key: Key, database: Database
) -> None:
    headers = await key()
    third = await http.post("/v1/surveys", json=survey(revision=3), headers=headers)
    second = await http.post("/v1/surveys", json=survey(revision=2), headers=headers)
    fourth = await http.post("/v1/surveys", json=survey(revision=4), headers=headers)
    assert third.json()["id"] == second.json()["id"] == fourth.json()["id"]
    assert [e.revision for e in await sent(database)] == [3, 4]
    ledger = await rows(database, "SELECT revision, state, reason FROM ingest.feedback ORDER BY revision")
    assert ledger == [
        {"revision": 2, "state": "settled", "reason": "superseded"},
        {"revision": 3, "state": "in_flight", "reason": None},
        {"revision": 4, "state": "in_flight", "reason": None},
    ]


async def test_many_at_once_are_accepted_together_and_each_once(
    http: httpx.AsyncClient, key: Key, database: Database
) -> None:
    headers = await key("feedback:write")
    posts = [http.post("/v1/surveys", json=survey(n % 20), headers=headers) for n in range(60)]
    answers = await asyncio.gather(*posts)
    assert sorted(a.status_code for a in answers) == [200] * 40 + [202] * 20
    assert len(await sent(database)) == 20


async def test_a_batch_gives_one_result_per_row_and_a_bad_row_fails_alone(
    http: httpx.AsyncClient, key: Key, database: Database
) -> None:
    bad = survey(3)
    del bad["metric"]["direction"]
    body = [survey(1), {"type": "transcript", **transcript(2)}, bad, survey(1), 7, {"type": "poll"}]
    answer = await http.post("/v1/feedback:batch", json=body, headers=await key("feedback:write"))
    assert answer.status_code == 200
    results = answer.json()
    assert [r["status"] for r in results] == [
        "accepted",
        "accepted",
        "rejected",
        "duplicate",
        "rejected",
        "rejected",
    ]
    assert [r["index"] for r in results] == list(range(6))
    assert results[2]["errors"][0]["pointer"] == "/metric/direction"
    assert "higher_is_better" in results[2]["errors"][0]["detail"]
    assert "lower_is_better" in results[2]["errors"][0]["detail"]
    assert [e.content.kind for e in await sent(database)] == ["survey", "transcript"]


async def test_a_batch_of_lines(http: httpx.AsyncClient, key: Key, database: Database) -> None:
    lines = b"\n".join([orjson.dumps(survey(1)), b"{nonsense", b"", orjson.dumps(transcript(2))])
    headers = await key("feedback:write") | {"Content-Type": "application/x-ndjson"}
    answer = await http.post("/v1/feedback:batch", content=lines, headers=headers)
    assert [r["status"] for r in answer.json()] == ["accepted", "rejected", "accepted"]
    assert len(await sent(database)) == 2


async def test_a_large_batch_is_whole(http: httpx.AsyncClient, key: Key, database: Database) -> None:
    body = [survey(n) for n in range(1_000)]
    answer = await http.post("/v1/feedback:batch", json=body, headers=await key("feedback:write"))
    assert {r["status"] for r in answer.json()} == {"accepted"}
    assert len({r["id"] for r in answer.json()}) == 1_000
    assert [e.content.external_id for e in await sent(database)] == [f"r-{n}" for n in range(1_000)]


async def test_settling_shows_score_item_and_history(
    http: httpx.AsyncClient, key: Key, ingest: Ingest
) -> None:
    headers = await key()
    posted = (await http.post("/v1/surveys", json=survey(), headers=headers)).json()["id"]
    before = (await http.get(f"/v1/feedback/{posted}", headers=headers)).json()
    assert before["status"] == "accepted"
    assert before["score"] is None
    await ingest.settle([routed(posted), routed(posted)])
    await ingest.settle([routed(posted)])
    after = (await http.get(f"/v1/feedback/{posted}", headers=headers)).json()
    assert after["status"] == "routed"
    assert after["score"] == score()
    assert after["item"] == {"id": "it_1", "team": "logistics", "state": "open"}
    assert [h["stage"] for h in after["history"]] == ["accepted", "scored", "routed"]
    ledger = (await http.get("/v1/ledger", headers=headers)).json()
    assert ledger == {
        "accepted": 1,
        "settled": 1,
        "in_flight": 0,
        "dead": 0,
        "rejected": 0,
        "balanced": True,
    }
