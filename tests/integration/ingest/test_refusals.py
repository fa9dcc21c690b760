"""Bad input gets a problem that says what is wrong and what to send instead, and nothing is stored."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from tests.integration.ingest.conftest import Key
from tests.support.feedback import survey, transcript

from heardback_ingest.settings import IngestSettings
from heardback_shared.db.database import Database

PATH = "/v1/surveys"


@pytest.fixture
def settings() -> IngestSettings:
    return IngestSettings(max_text_chars=200, max_turns=3, max_batch_rows=5, max_batch_bytes=20_000)


async def stored(database: Database) -> int:
    async with database.worker() as c:
        tables = ("feedback", "outbox", "original", "dead_letter")
        sums = [await c.scalar(text(f"SELECT count(*) FROM ingest.{t}")) for t in tables]
    return sum(sums)


def without(*path: str) -> dict[str, Any]:
    body = survey()
    part: Any = body
    for name in path[:-1]:
        part = part[name]
    del part[path[-1]]
    return body


def metric(**fields: Any) -> dict[str, Any]:
    return survey(metric={**survey()["metric"], **fields})


@pytest.mark.parametrize(
    ("body", "pointer", "said"),
    [
        (without("metric", "direction"), "/metric/direction", "higher_is_better"),
        (without("external_id"), "/external_id", "required"),
        (survey(surprise=1), "/surprise", "not a known field"),
        (metric(value=11), "/metric", "between min (0) and max (10)"),
        (metric(max=5), "/metric", "nps runs from 0 to 10"),
        (survey(metric=None, comment=" "), "", "a metric, a comment, or both"),
        (survey(revision=0), "/revision", "greater than or equal to 1"),
        (survey(answered_at="2026-11-22T10:00:00"), "/answered_at", "timezone"),
        (survey(external_id="a\x00b"), "/external_id", "U+0000"),
        (survey(context={"a": {"b": 1}}), "/context/a", ""),
    ],
)
async def test_a_wrong_field_is_pointed_at(
    http: httpx.AsyncClient,
    key: Key,
    database: Database,
    body: dict[str, Any],
    pointer: str,
    said: str,
) -> None:
    answer = await http.post(PATH, json=body, headers=await key("feedback:write"))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == 422
    found = [e for e in problem["errors"] if e["pointer"].startswith(pointer)]
    assert found
    assert said in found[0]["detail"]
    assert problem["trace_id"]
    assert await stored(database) == 0


@pytest.mark.parametrize(
    ("path", "change", "status"),
    [
        (PATH, lambda r: r | {"content": b"{nonsense"}, 400),
        (PATH, lambda r: r | {"content": b""}, 400),
        (PATH, lambda r: r | {"content": b'{"a": "\xff"}'}, 400),
        ("/v1/feedback:batch", lambda r: r | {"content": b"[1,"}, 400),
        ("/v1/feedback:batch", lambda r: r | {"content": b"{}"}, 422),
        ("/v1/feedback:batch", lambda r: r | {"json": [survey(n) for n in range(6)]}, 413),
        ("/v1/feedback:batch", lambda r: r | {"content": b" " * 20_001}, 413),
        (PATH, lambda r: r | {"json": survey(comment="x" * 201)}, 413),
        ("/v1/transcripts", lambda r: r | {"json": transcript(turns=transcript()["turns"] * 2)}, 413),
        (PATH, lambda r: r | {"content": b"x", "headers": r["headers"] | {"Content-Type": "text/xml"}}, 415),
        ("/v1/events", lambda r: r | {"json": survey()}, 415),
        ("/v1/nowhere", lambda r: r | {"json": survey()}, 404),
        ("/v1/ledger", lambda r: r | {"json": survey()}, 405),
        (PATH, lambda r: r | {"json": survey(), "headers": {}}, 401),
        (PATH, lambda r: r | {"json": survey(), "headers": {"Authorization": "Bearer hb_a_b"}}, 401),
    ],
)
async def test_refused_whole(
    http: httpx.AsyncClient,
    key: Key,
    database: Database,
    path: str,
    change: Callable[[dict[str, Any]], dict[str, Any]],
    status: int,
) -> None:
    headers = await key("feedback:write") | {"Content-Type": "application/json"}
    answer = await http.post(path, **change({"headers": headers}))
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert await stored(database) == 0


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", PATH, "feedback:read"),
        ("POST", "/v1/transcripts", "feedback:read"),
        ("POST", "/v1/feedback:batch", "customers:write"),
        ("POST", "/v1/events", "feedback:read"),
        ("GET", "/v1/feedback/fb_x", "feedback:write"),
        ("GET", "/v1/ledger", "feedback:write"),
        ("PUT", "/v1/customers/c", "customers:read"),
        ("GET", "/v1/customers/c", "customers:write"),
        ("DELETE", "/v1/customers/c/personal-data", "customers:write"),
        ("GET", "/v1/dead-letters", "feedback:read"),
        ("GET", "/v1/dead-letters/dl_x", "feedback:read"),
        ("POST", "/v1/dead-letters/dl_x:replay", "feedback:write"),
    ],
)
async def test_each_route_needs_its_scope(
    http: httpx.AsyncClient, key: Key, method: str, path: str, scope: str
) -> None:
    answer = await http.request(method, path, headers=await key(scope))
    assert answer.status_code == 403
    assert (await http.request(method, path)).status_code == 401


@pytest.mark.parametrize(
    "path",
    ["/v1/feedback/a%00", "/v1/customers/a%00", "/v1/dead-letters/a%00", "/v1/dead-letters?error=a%00"],
)
async def test_names_that_cannot_exist(http: httpx.AsyncClient, key: Key, path: str) -> None:
    assert (await http.get(path, headers=await key())).status_code in {404, 422}


async def test_an_unavailable_database_is_said_so(
    http: httpx.AsyncClient, key: Key, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = await key("feedback:write")
    await http.post(PATH, json=survey(), headers=headers)

    def refuse(*_: object, **__: object) -> None:
        raise ConnectionRefusedError("no")

    monkeypatch.setattr(database, "tenant", refuse)
    answer = await http.post(PATH, json=survey(2), headers=headers)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert answer.json()["title"] == "Not now"


async def test_the_page_of_the_api_is_complete(http: httpx.AsyncClient) -> None:
    page = (await http.get("/openapi.json")).json()
    body = page["paths"]["/v1/surveys"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/SurveyIn"}
    assert {"SurveyIn", "TranscriptIn", "CustomerIn", "CloudEventIn", "FeedbackView", "Metric"} <= set(
        page["components"]["schemas"]
    )
    assert page["paths"]["/v1/surveys"]["post"]["security"] == [{"key": []}]
