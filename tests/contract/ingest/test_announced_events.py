"""What ingest writes to topics is what the contracts declare, and nothing more."""

import httpx
import orjson
import pytest
from pydantic import BaseModel
from sqlalchemy import text
from tests.integration.ingest.conftest import Key
from tests.support.feedback import incoming, survey, transcript

from heardback_ingest.main import Ingest
from heardback_shared.contracts import topics
from heardback_shared.contracts.envelope import Envelope, from_record, to_kafka
from heardback_shared.db.database import Database

MODELS: dict[tuple[str, str], type[BaseModel]] = {
    (topic.name, type_): model for topic in topics.ALL for type_, model in topic.types
}


async def announced(database: Database) -> list[tuple[str, Envelope]]:
    async with database.worker() as c:
        rows = (await c.execute(text("SELECT * FROM ingest.outbox ORDER BY id"))).mappings().all()
    return [
        (
            row["topic"],
            Envelope(
                id=row["event_id"],
                source=row["source"],
                type=row["type"],
                data=row["data"],
                time=row["time"],
                subject=row["subject"],
                tenant_id=row["tenant_id"],
                key=row["key"],
                traceparent=row["traceparent"],
                causation_id=row["causation_id"],
            ),
        )
        for row in rows
    ]


def undeclared(data: dict[str, object], model: type[BaseModel]) -> set[str]:
    return set(data) - set(model.model_fields)


async def test_every_event_has_its_declared_type_and_shape(
    http: httpx.AsyncClient, key: Key, ingest: Ingest, database: Database
) -> None:
    headers = await key()
    await http.put("/v1/customers/c-1", json={"source": "crm", "tier": "key", "name": "A"}, headers=headers)
    bodies = [survey(1, comment="mail a@b.example"), transcript(2), survey(3, customer=None, metric=None)]
    await http.post("/v1/feedback:batch", json=bodies, headers=headers)
    await ingest.kafka_door([incoming("bad.v1", b"{}", topic="feedback.submitted")])
    found = await announced(database)
    assert [topic for topic, _ in found] == ["feedback.accepted"] * 3 + ["feedback.rejected"]
    for topic, event in found:
        model = MODELS[topic, event.type]
        data = orjson.loads(event.data)
        model.model_validate_json(event.data)
        assert undeclared(data, model) == set()
        for name, inner in model.model_fields.items():
            if isinstance(inner.annotation, type) and issubclass(inner.annotation, BaseModel):
                assert undeclared(data[name], inner.annotation) == set()
        record_key, record_headers, value = to_kafka(event)
        assert from_record(record_key, record_headers, value) == event
        assert event.tenant_id == "default"
        assert event.key
        assert event.subject


@pytest.mark.parametrize("kind", ["survey", "transcript"])
async def test_accepted_content_reads_back_as_it_was_posted(
    http: httpx.AsyncClient, key: Key, database: Database, kind: str
) -> None:
    body = survey() if kind == "survey" else transcript()
    path = f"/v1/{kind}s"
    assert (await http.post(path, json=body, headers=await key())).status_code == 202
    ((_, event),) = await announced(database)
    content = orjson.loads(event.data)["content"]
    assert content["kind"] == kind
    for name in ("source", "external_id", "channel", "metric", "comment", "resolution"):
        if name in body:
            expected = body[name]
            assert content[name] == expected
