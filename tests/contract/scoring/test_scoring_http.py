"""The HTTP door: the answer is the input with "score", problems name the field, keys and scopes are asked
for.
"""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from tests.support.clock import NOON, FakeClock
from tests.support.scoring import GERMAN, POLICIES, ScriptedScorer, understanding

from heardback_scoring.app.score_rows import ScoreRow, score_rows
from heardback_scoring.app.serving import Serving
from heardback_scoring.http.api import add_routes
from heardback_scoring.inference.thread import InferenceBusy
from heardback_shared.access.keys import Principal
from heardback_shared.contracts.score import ModelRef
from heardback_shared.health import Readiness
from heardback_shared.http.app import create_app
from heardback_shared.http.auth import Guard
from heardback_shared.http.rate_limit import RateLimiter
from heardback_shared.metrics import Metrics

ANGRY = "This is unacceptable, I want to speak to a human."
SCRIPT = {ANGRY: (0.95, 0.04, 0.01)}
SCOPES = {"writer": {"score:write"}, "reader": {"items:read"}, "boss": {"admin"}}


class FakeKeys:
    async def verify(self, token: str) -> Principal | None:
        scopes = SCOPES.get(token)
        return Principal("t1", token, token, frozenset(scopes)) if scopes else None


def client_for(scorer: ScriptedScorer, serving: Serving | None = None) -> httpx.AsyncClient:
    metrics, serving = Metrics(), serving or Serving(understanding(scorer))
    app = create_app("scoring", "", metrics=metrics, readiness=Readiness(running=True), max_body_bytes=10_000)
    add_routes(app, serving, Guard(FakeKeys(), RateLimiter(0)), FakeClock(), metrics)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://scoring",
        headers={"Authorization": "Bearer writer"},
    )


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_for(ScriptedScorer(SCRIPT)) as found:
        yield found


async def test_one_text_is_the_same_answer_as_the_command_line(client: httpx.AsyncClient) -> None:
    body = {"text": ANGRY, "my_own": {"id": 7}, "at": "2026-11-22T10:00:00Z", "customer": {"tier": "key"}}
    response = await client.post("/v1/score", json=body)
    assert response.status_code == 200
    [expected] = await score_rows(
        [(body, ScoreRow.model_validate(body))], understanding(ScriptedScorer(SCRIPT)), NOON
    )
    assert response.json() == expected
    assert response.json()["score"]["handover"] == {"now": True, "because": "The customer asks for a person."}


async def test_evidence_is_given_when_it_is_asked_for() -> None:
    text = "The shop is nice. This is unacceptable."
    scorer = ScriptedScorer({text: (0.9, 0.05, 0.05), "This is unacceptable.": (0.95, 0.04, 0.01)})
    async with client_for(scorer) as client:
        plain = await client.post("/v1/score", json={"text": text})
        told = await client.post("/v1/score?explain=true", json={"text": text})
    assert plain.json()["score"]["evidence"] == []
    [first, *_] = told.json()["score"]["evidence"]
    assert first["label"] == "negative"
    assert first["span"][0] >= text.index("This")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"turns": [{"role": "customer", "text": ANGRY}, {"role": "bot", "text": "Sorry"}]}, "scored"),
        ({"text": GERMAN}, "unscored"),
        (
            {
                "source": "typeform",
                "external_id": "r-1",
                "customer": {"id": "c-1"},
                "metric": {"kind": "nps", "value": 2, "min": 0, "max": 10, "direction": "higher_is_better"},
                "answered_at": "2026-11-22T10:00:00Z",
            },
            "scored",
        ),
    ],
)
async def test_everything_that_can_be_posted(
    client: httpx.AsyncClient, body: dict[str, Any], status: str
) -> None:
    response = await client.post("/v1/score", json=body)
    assert response.status_code == 200
    assert response.json()["score"]["status"] == status
    assert {k: v for k, v in response.json().items() if k != "score"} == body


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"text": 5}, "/text"),
        ({"turns": [{"role": "boss", "text": "x"}]}, "/turns/0/role"),
        ({"text": "x", "customer": {"tier": "gold"}}, "/customer/tier"),
        ({"metric": {"kind": "ces", "value": 2, "min": 1, "max": 7}}, "/metric/direction"),
    ],
)
async def test_bad_rows_are_told_where(client: httpx.AsyncClient, body: dict[str, Any], pointer: str) -> None:
    response = await client.post("/v1/score", json=body)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["errors"][0]["pointer"] == pointer


async def test_malformed_and_oversized_bodies(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/score", content=b"{", headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    assert (await client.post("/v1/score", json=[1])).status_code == 422
    assert (await client.post("/v1/score", json={"text": "x" * 11_000})).status_code == 413


async def test_a_key_with_the_scope_is_needed(client: httpx.AsyncClient) -> None:
    async def status(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return (await client.post("/v1/score", json={"text": "x"}, headers=headers)).status_code

    assert [await status(token) for token in ("boss", "reader", "nobody")] == [200, 403, 401]
    assert (await client.get("/v1/models", headers={"Authorization": "Bearer reader"})).status_code == 403


async def test_models_and_policies_in_use(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/v1/models")).json()
    assert [(m["use"], m["model"]["name"]) for m in answer["models"]] == [
        ("reads", "scripted"),
        ("fallback", "spare"),
    ]
    assert answer["policies"] == list(POLICIES.versions)
    assert answer["languages"] == ["en"]


async def test_what_watches_and_what_was_refused_is_shown() -> None:
    serving = Serving(understanding(ScriptedScorer()))
    serving.watching = ModelRef(name="candidate", revision="2", sha256="c" * 64)
    serving.refused = ModelRef(name="damaged", revision="3", sha256="d" * 64)
    serving.problem = "damaged cannot be used"
    async with client_for(ScriptedScorer(), serving) as client:
        answer = (await client.get("/v1/models")).json()
    shown = {m["use"]: (m["model"]["name"], m["because"]) for m in answer["models"]}
    assert shown["reads"] == ("scripted", None)
    assert shown["watches"] == ("candidate", None)
    assert shown["refused"] == ("damaged", "damaged cannot be used")
    assert answer["problem"] == "damaged cannot be used"


async def test_a_full_model_asks_to_come_back() -> None:
    async with client_for(ScriptedScorer(failing=InferenceBusy("full"))) as client:
        response = await client.post("/v1/score", json={"text": "The parcel is late."})
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0


async def test_the_description_names_the_routes(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert {"/v1/score", "/v1/models"} <= set(paths)
