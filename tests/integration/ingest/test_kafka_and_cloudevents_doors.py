"""CloudEvents over HTTP and over Kafka end in the same ledger; what is wrong is kept, bytes untouched."""

import base64
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import text
from tests.integration.ingest.conftest import Key
from tests.support.feedback import incoming, survey, transcript

from heardback_ingest.main import Ingest
from heardback_shared.contracts.envelope import EnvelopeError
from heardback_shared.contracts.events import SURVEY_SUBMITTED, TRANSCRIPT_SUBMITTED, FeedbackRejected
from heardback_shared.db.database import Database
from heardback_shared.stream.ports import Record

STRUCTURED = {"Content-Type": "application/cloudevents+json"}
BATCHED = {"Content-Type": "application/cloudevents-batch+json"}
TOPIC = "feedback.submitted"


def event(data: dict[str, Any], kind: str = SURVEY_SUBMITTED, **more: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": "e1", "source": "/shop", "type": kind, "data": data} | more


async def topics(database: Database) -> list[str]:
    async with database.worker() as c:
        return list((await c.execute(text("SELECT topic FROM ingest.outbox ORDER BY id"))).scalars())


async def test_the_three_modes_of_the_http_binding(
    http: httpx.AsyncClient, key: Key, database: Database
) -> None:
    headers = await key("feedback:write")
    binary = await http.post(
        "/v1/events",
        json=survey(1),
        headers=headers
        | {"ce-specversion": "1.0", "ce-id": "e1", "ce-source": "/shop", "ce-type": SURVEY_SUBMITTED},
    )
    structured = await http.post(
        "/v1/events",
        content=orjson.dumps(event(transcript(2), TRANSCRIPT_SUBMITTED)),
        headers=headers | STRUCTURED,
    )
    batched = await http.post(
        "/v1/events",
        content=orjson.dumps([event(survey(3)), event({"source": "x"}), 7, event(survey(1))]),
        headers=headers | BATCHED,
    )
    assert (binary.status_code, structured.status_code, batched.status_code) == (202, 202, 200)
    assert [r["status"] for r in batched.json()] == ["accepted", "rejected", "rejected", "duplicate"]
    assert batched.json()[1]["errors"][0]["pointer"] == "/data/external_id"
    assert await topics(database) == ["feedback.accepted"] * 3


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"{", 400, "not a CloudEvents"),
        (b"[]", 400, "not a CloudEvents"),
        (orjson.dumps(event(survey(), "other.type")), 422, "cannot be accepted"),
        (orjson.dumps({"type": SURVEY_SUBMITTED, "data": survey()}), 400, "not a CloudEvents"),
        (orjson.dumps(event(survey(), specversion="0.3")), 400, "not a CloudEvents"),
        (orjson.dumps(event(survey(), datacontenttype="text/xml")), 400, "not a CloudEvents"),
        (orjson.dumps(event({"source": "x"})), 422, "cannot be accepted"),
        (b'{"specversion":"1.0","id":"e","source":"/s","type":"t","data":"\\ud800"}', 422, ""),
    ],
)
async def test_what_is_no_event_or_no_feedback(
    http: httpx.AsyncClient, key: Key, database: Database, body: bytes, status: int, said: str
) -> None:
    answer = await http.post("/v1/events", content=body, headers=await key("feedback:write") | STRUCTURED)
    assert answer.status_code in {status, 400}
    assert said in answer.json()["title"] or status == 422
    assert await topics(database) == []


async def test_records_are_accepted_under_their_tenant(ingest: Ingest, key: Key, database: Database) -> None:
    await key(tenant="acme")
    batch = [
        incoming(SURVEY_SUBMITTED, survey(1), tenant=None),
        incoming(SURVEY_SUBMITTED, survey(1), tenant="acme"),
        incoming(TRANSCRIPT_SUBMITTED, transcript(2), tenant="acme"),
    ]
    await ingest.kafka_door(batch)
    await ingest.kafka_door(batch)
    async with database.worker() as c:
        found = await c.execute(text("SELECT tenant_id FROM ingest.feedback ORDER BY tenant_id"))
        assert list(found.scalars()) == ["acme", "acme", "default"]
    assert await topics(database) == ["feedback.accepted"] * 3


async def test_a_bad_record_is_kept_and_announced_and_its_neighbours_accepted(
    ingest: Ingest, key: Key, http: httpx.AsyncClient, database: Database
) -> None:
    headers = await key()
    bad = survey(2)
    del bad["metric"]["direction"]
    batch = [
        incoming(SURVEY_SUBMITTED, survey(1), topic=TOPIC, offset=1, event_id="e1"),
        incoming(SURVEY_SUBMITTED, bad, topic=TOPIC, offset=2, event_id="e2"),
        incoming("other.v1", survey(3), topic=TOPIC, offset=3, event_id="e3"),
        incoming(SURVEY_SUBMITTED, survey(4), tenant="no\x00body", topic=TOPIC, offset=4, event_id="e4"),
        incoming(SURVEY_SUBMITTED, survey(5, comment="x" * 30_000), topic=TOPIC, offset=5, event_id="e5"),
    ]
    batch[1] = replace(batch[1], event=replace(batch[1].event, traceparent="\x00", id="\x00"))
    await ingest.kafka_door(batch)
    assert sorted(await topics(database)) == ["feedback.accepted"] + ["feedback.rejected"] * 4
    ledger = (await http.get("/v1/ledger", headers=headers)).json()
    assert (ledger["accepted"], ledger["rejected"]) == (1, 4)
    letters = (await http.get("/v1/dead-letters", headers=headers)).json()["dead_letters"]
    by_offset = {letter["offset"]: letter for letter in letters}
    assert "/data/metric/direction is required" in by_offset[2]["reason"]
    assert "/data/comment" in by_offset[5]["reason"]
    whole = (await http.get(f"/v1/dead-letters/{by_offset[2]['id']}", headers=headers)).json()
    assert base64.b64decode(whole["value"]) == batch[1].record.value
    async with database.worker() as c:
        row = (
            await c.execute(
                text("SELECT data FROM ingest.outbox WHERE topic = 'feedback.rejected' ORDER BY id")
            )
        ).first()
    assert row is not None
    announced = FeedbackRejected.model_validate_json(row.data)
    assert announced.offset == 2
    assert announced.errors[0]["pointer"] == "/data/metric/direction"


async def test_a_record_that_is_no_event_is_kept_with_its_bytes_and_cannot_be_replayed(
    ingest: Ingest, key: Key, http: httpx.AsyncClient
) -> None:
    headers = await key()
    raw = b"\xff\x00 not json"
    record = Record(TOPIC, 1, 9, b"\xfe", raw, (("n\x00", b"\x00\xff"),))
    for _ in range(2):
        await ingest.kafka_door.reject_record(record, EnvelopeError("no id"))
    (letter,) = (await http.get("/v1/dead-letters", headers=headers)).json()["dead_letters"]
    whole = (await http.get(f"/v1/dead-letters/{letter['id']}", headers=headers)).json()
    assert base64.b64decode(whole["value"]) == raw
    again = await http.post(f"/v1/dead-letters/{letter['id']}:replay", headers=headers)
    assert again.status_code == 409
    assert again.json()["type"].endswith("not-replayable")


async def test_an_event_that_was_refused_goes_back_to_its_topic_untouched(
    ingest: Ingest, key: Key, http: httpx.AsyncClient, database: Database
) -> None:
    headers = await key()
    raw = orjson.dumps(survey(1, surprise=1))
    names = (
        ("ce_specversion", b"1.0"),
        ("ce_id", b"e1"),
        ("ce_source", b"/s"),
        ("ce_type", SURVEY_SUBMITTED.encode()),
        ("content-type", b"application/json"),
    )
    bad = incoming(SURVEY_SUBMITTED, raw, tenant=None, topic=TOPIC)
    await ingest.kafka_door([replace(bad, record=Record(TOPIC, 0, 1, b"k", raw, names))])
    (letter,) = (await http.get("/v1/dead-letters", headers=headers)).json()["dead_letters"]
    again = await http.post(f"/v1/dead-letters/{letter['id']}:replay", headers=headers)
    assert again.json()["outcome"] == "sent"
    async with database.worker() as c:
        query = text("SELECT topic, event_id, data FROM ingest.outbox WHERE topic = :topic")
        row = (await c.execute(query, {"topic": TOPIC})).one()
    assert (row.event_id, row.data) == ("e1", raw)
