"""Every error a caller can cause says what is wrong, where, and what to send instead."""

import re
from collections.abc import AsyncIterator
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import DBAPIError

from heardback_shared.access.keys import Principal
from heardback_shared.contracts.feedback import SurveyIn
from heardback_shared.errors import ProblemError
from heardback_shared.health import Readiness
from heardback_shared.http.app import create_app
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import field_errors
from heardback_shared.http.rate_limit import RateLimiter
from heardback_shared.metrics import Metrics

TOKEN = "hb_a_b"


class OneKey:
    async def verify(self, token: str) -> Principal | None:
        return Principal("default", "a", "test", frozenset({"feedback:write"})) if token == TOKEN else None


@pytest.fixture
def app() -> FastAPI:
    readiness = Readiness()
    app = create_app("t", "d", metrics=Metrics(), readiness=readiness, max_body_bytes=2_000)
    app.state.readiness = readiness
    guard = Guard(OneKey(), RateLimiter(0))

    @app.post("/v1/surveys")
    async def post(
        survey: SurveyIn, who: Annotated[Principal, Depends(guard.needs("feedback:write"))]
    ) -> dict[str, str]:
        return {"tenant": who.tenant_id}

    @app.get("/v1/secret")
    async def secret(who: Annotated[Principal, Depends(guard.needs("admin"))]) -> dict[str, str]:
        return {}

    @app.get("/v1/broken")
    async def broken() -> None:
        raise RuntimeError("secret detail")

    @app.get("/v1/away")
    async def away(state: str) -> None:
        if state == "refused":
            raise ConnectionRefusedError("secret detail")
        fault = ValueError("secret detail")
        fault.sqlstate = state  # type: ignore[attr-defined]
        raise DBAPIError("SELECT secret", None, fault)

    @app.get("/v1/gone")
    async def gone() -> None:
        raise ProblemError(410, "gone", "Gone", "It was here.", (("/a~1b", "x"),), {"X-Why": "because"})

    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://t", headers=headers) as opened:
        yield opened


METRIC: dict[str, object] = {"kind": "nps", "value": 2, "min": 0, "max": 10, "direction": "higher_is_better"}
SURVEY: dict[str, object] = {"source": "typeform", "external_id": "r-1", "metric": METRIC}


def without(body: dict[str, object], name: str) -> dict[str, object]:
    return {k: v for k, v in body.items() if k != name}


@pytest.mark.parametrize(
    ("body", "pointer", "said"),
    [
        ({**SURVEY, "metric": without(METRIC, "direction")}, "/metric/direction", "lower_is_better"),
        (without(SURVEY, "external_id"), "/external_id", "required"),
        ({**SURVEY, "metric": {**METRIC, "value": 11}}, "/metric", "between"),
        ({**SURVEY, "commment": "x"}, "/commment", "not a known field"),
        ({"source": "s", "external_id": "e"}, "", "needs a metric, a comment"),
    ],
)
async def test_a_wrong_field_is_named_with_its_mend(
    client: httpx.AsyncClient, body: dict[str, object], pointer: str, said: str
) -> None:
    answer = await client.post("/v1/surveys", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert [e["pointer"] for e in problem["errors"]] == [pointer]
    assert said in problem["errors"][0]["detail"]
    assert problem["status"] == 422
    assert problem["instance"] == "/v1/surveys"
    assert len(problem["trace_id"]) == 32


async def test_what_is_not_json_is_400(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/surveys", content=b"{", headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["type"].rsplit("/")[-1]) == (400, "malformed-json")


@pytest.mark.parametrize(
    ("method", "path", "token", "status", "slug"),
    [
        ("GET", "/v1/secret", "", 401, "unauthorized"),
        ("GET", "/v1/secret", "hb_x_y", 401, "unauthorized"),
        ("GET", "/v1/secret", TOKEN, 403, "forbidden"),
        ("GET", "/v1/nowhere", TOKEN, 404, "not-found"),
        ("DELETE", "/v1/surveys", TOKEN, 405, "method-not-allowed"),
        ("GET", "/v1/gone", TOKEN, 410, "gone"),
        ("GET", "/v1/broken", TOKEN, 500, "internal"),
    ],
)
async def test_each_failure_has_its_own_problem(
    client: httpx.AsyncClient, method: str, path: str, token: str, status: int, slug: str
) -> None:
    answer = await client.request(method, path, headers={"Authorization": f"Bearer {token}"})
    problem = answer.json()
    assert (answer.status_code, problem["type"].rsplit("/")[-1], problem["status"]) == (status, slug, status)
    assert "secret detail" not in answer.text


async def test_too_much_is_413_whether_announced_or_streamed(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"x" * 100

    announced = await client.post("/v1/surveys", content=b"x" * 3_000)
    streamed = await client.post("/v1/surveys", content=chunks())
    assert (announced.status_code, streamed.status_code) == (413, 413)


async def test_a_trace_is_carried_on_or_begun(client: httpx.AsyncClient) -> None:
    given = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    assert (await client.get("/healthz", headers={"traceparent": given})).headers["traceparent"] == given
    assert (await client.get("/healthz", headers={"traceparent": "junk"})).headers["traceparent"] != "junk"


async def test_readiness_says_what_is_missing(app: FastAPI, client: httpx.AsyncClient) -> None:
    readiness: Readiness = app.state.readiness
    assert (await client.get("/readyz")).json()["problems"] == {"service": "starting"}
    readiness.running = True
    assert (await client.get("/readyz")).status_code == 200

    async def away() -> str:
        return "no answer"

    readiness.checks = {"database": away}
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["problems"]) == (503, {"database": "no answer"})


async def test_requests_are_counted_by_route_template(client: httpx.AsyncClient) -> None:
    await client.get("/healthz")
    page = (await client.get("/metrics")).text
    assert 'heardback_http_requests_total{method="GET",route="/healthz",status="200"} 1.0' in page


async def test_what_does_not_stop_a_service_is_noted(app: FastAPI, client: httpx.AsyncClient) -> None:
    readiness: Readiness = app.state.readiness
    readiness.running = True
    assert "notes" not in (await client.get("/readyz")).json()

    async def refused() -> str:
        return "the model was changed"

    readiness.notes = {"model": refused}
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["notes"]) == (200, {"model": "the model was changed"})


@pytest.mark.parametrize(
    ("state", "status"), [("refused", 503), ("40P01", 503), ("57P01", 503), ("23505", 500)]
)
async def test_a_database_that_cannot_be_asked_is_told_from_a_fault_of_ours(
    client: httpx.AsyncClient, state: str, status: int
) -> None:
    answer = await client.get("/v1/away", params={"state": state})
    assert (answer.status_code, "Retry-After" in answer.headers) == (status, status == 503)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text


def test_a_field_is_named_once_and_by_its_own_name() -> None:
    class Asked(BaseModel):
        survey: str
        context: dict[str, str | int | float | bool | None]

    with pytest.raises(ValidationError) as raised:
        Asked.model_validate({"context": {"a": [1]}})
    assert field_errors(raised.value) == (
        ("/survey", "is required"),
        ("/context/a", "must be a text, a number, or true or false"),
    )


async def test_the_reference_page_needs_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.status_code == 200
    loaded = re.findall(r"(?:src|href)=\"([^\"]+)\"", page.text)
    assert len(loaded) >= 2
    for place in loaded:
        assert place.startswith("/"), place
        part = await client.get(place)
        assert part.status_code == 200, place
        assert len(part.content) > 1_000
    assert (await client.get("/docs-assets/nothing.js")).status_code == 404
