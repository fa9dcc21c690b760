"""Policies that are not in force: checked, and tried on what was kept of feedback."""

import base64
from collections.abc import AsyncIterator
from importlib.resources import files
from typing import Any

import httpx
import numpy as np
import orjson
import pytest
from tests.support.scoring import GERMAN, POLICIES, ScriptedScorer, nps, survey, transcript, understanding

from heardback_scoring.app.drafts import Drafts
from heardback_scoring.app.judging import embedding_of
from heardback_scoring.app.score_batch import understand_batch
from heardback_scoring.app.serving import Serving
from heardback_scoring.app.taxonomies import Taxonomies
from heardback_scoring.app.understanding import Understanding
from heardback_scoring.http.judging import add_judging
from heardback_shared.access.keys import Principal
from heardback_shared.contracts.customer import CustomerSnapshot
from heardback_shared.contracts.envelope import to_bytes
from heardback_shared.contracts.events import FeedbackAccepted
from heardback_shared.health import Readiness
from heardback_shared.http.app import create_app
from heardback_shared.http.auth import Guard
from heardback_shared.http.rate_limit import RateLimiter
from heardback_shared.metrics import Metrics

WORDS = ("invoice", "parcel", "crash", "price")
SCRIPT = {"The invoice is wrong.": (0.9, 0.08, 0.02), "Never again this parcel.": (0.97, 0.02, 0.01)}
SEVERITY = files("heardback_scoring.policies").joinpath("severity.yaml").read_text("utf-8")
TAXONOMY = files("heardback_scoring.policies").joinpath("taxonomy.yaml").read_text("utf-8")
SMALL = """
policy: acme@1
decision: {unclear_below: 0.1, also_at: 0.9, most: 1, runners_up: 2, keyword_confidence: 0.5}
domains:
  money:
    invoices:
      keywords: [invoice]
      examples: [the invoice is wrong, an invoice too many, my invoice again, invoice not right]
  things:
    parcels:
      keywords: [parcel]
      examples: [the parcel is lost, no parcel came, my parcel is late, parcel broken]
"""
FEEDBACKS = [
    survey("The invoice is wrong.", metric=nps(1), customer=CustomerSnapshot(tier="key")),
    survey(GERMAN),
    survey(metric=nps(2)),
    survey("n/a"),
    transcript(
        ("customer", "Never again this parcel."), ("agent", "Oh."), ("customer", "The crash and the price.")
    ),
]


class FakeKeys:
    async def verify(self, token: str) -> Principal | None:
        scopes = {"drafter": "policies:write", "scorer": "score:write", "reader": "items:read"}
        return Principal("t1", token, token, frozenset({scopes[token]})) if token in scopes else None


def kit() -> Understanding:
    return understanding(ScriptedScorer(SCRIPT, words=WORDS))


async def kept(feedbacks: list[FeedbackAccepted], by: Understanding) -> list[dict[str, Any]]:
    """As the router keeps scored events: JSON of accepted, score and embedding."""
    rows = []
    named = [f.model_copy(update={"feedback_id": f"fb_{i}"}) for i, f in enumerate(feedbacks)]
    for feedback, one in zip(named, await understand_batch(named, by), strict=True):
        embedding = None if one.vector is None else embedding_of(one.vector, by.reader.scorer.model)
        rows.append(
            {
                "accepted": orjson.loads(to_bytes(feedback)),
                "score": orjson.loads(to_bytes(one.score)),
                "embedding": None if embedding is None else orjson.loads(to_bytes(embedding)),
            }
        )
    return rows


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    serving, metrics = Serving(kit()), Metrics()
    app = create_app(
        "scoring", "", metrics=metrics, readiness=Readiness(running=True), max_body_bytes=2_000_000
    )
    add_judging(app, serving, Drafts(serving, Taxonomies()), Guard(FakeKeys(), RateLimiter(0)))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://scoring",
        headers={"Authorization": "Bearer drafter"},
    ) as found:
        yield found


async def test_the_policies_that_judged_first_give_the_same_bytes(client: httpx.AsyncClient) -> None:
    rows = await kept(FEEDBACKS, kit())
    answer = await client.post(
        "/v1/judge", json={"severity": SEVERITY, "taxonomy": TAXONOMY, "feedback": rows}
    )
    assert answer.status_code == 200, answer.text
    judged = answer.json()["judged"]
    assert [one["feedback_id"] for one in judged] == [f"fb_{i}" for i in range(len(rows))]
    for row, one in zip(rows, judged, strict=True):
        for name in ("severity", "root_causes", "runners_up", "taxonomy"):
            assert orjson.dumps(one[name]) == orjson.dumps(row["score"][name]), (one["feedback_id"], name)


async def test_another_policy_changes_only_what_it_judges(client: httpx.AsyncClient) -> None:
    rows = await kept(FEEDBACKS, kit())
    body = {"severity": None, "taxonomy": SMALL, "feedback": rows}
    judged = (await client.post("/v1/judge", json=body)).json()["judged"]
    assert [one["severity"] for one in judged] == [row["score"]["severity"] for row in rows]
    assert {one["taxonomy"] for one in judged} == {"acme@1"}
    paths = [[f"{c['domain']}/{c['category']}" for c in one["root_causes"]] for one in judged]
    assert paths[0] == ["money/invoices"]
    assert paths[1:4] == [[], [], []]
    harsh = SEVERITY.replace(f"policy: {kit().policies.severity.policy}", "policy: acme@7").replace(
        "key: 14", "key: 20"
    )
    body = {"severity": harsh, "taxonomy": None, "feedback": rows}
    judged = (await client.post("/v1/judge", json=body)).json()["judged"]
    assert {one["severity"]["policy"] for one in judged} == {"acme@7"}
    assert judged[0]["severity"]["score"] > rows[0]["score"]["severity"]["score"]
    assert [one["root_causes"] for one in judged] == [row["score"]["root_causes"] for row in rows]


async def test_an_embedding_of_another_model_is_not_compared(client: httpx.AsyncClient) -> None:
    [row] = await kept(FEEDBACKS[:1], kit())
    row["embedding"]["model"] = "older@3"
    body = {"taxonomy": SMALL, "feedback": [row]}
    [one] = (await client.post("/v1/judge", json=body)).json()["judged"]
    assert one["root_causes"] == row["score"]["root_causes"]
    assert one["taxonomy"] == row["score"]["taxonomy"]
    assert "older@3" in one["because"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"feedback": []}, "/feedback"),
        ({"severity": "policy: x@1"}, "/severity/bands"),
        ({"severity": "a: &a [1]\nb: *a"}, "/severity"),
        (
            {"taxonomy": SMALL.replace("unclear_below: 0.1", "unclear_below: 7")},
            "/taxonomy/decision/unclear_below",
        ),
        ({"taxonomy": "- a"}, "/taxonomy"),
        ({"mood": 1}, "/mood"),
    ],
)
async def test_what_cannot_be_judged_is_told_where(
    client: httpx.AsyncClient, change: dict[str, Any], pointer: str
) -> None:
    body = {"feedback": await kept(FEEDBACKS[:1], kit())} | change
    answer = await client.post("/v1/judge", json=body)
    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


@pytest.mark.parametrize("values", ["%%%", base64.b64encode(b"\x00\x7c" * 5).decode(), "AAA=", ""])
async def test_numbers_that_cannot_be_an_embedding_are_refused(
    client: httpx.AsyncClient, values: str
) -> None:
    [row] = await kept(FEEDBACKS[:1], kit())
    row["embedding"]["values"] = values
    answer = await client.post("/v1/judge", json={"taxonomy": SMALL, "feedback": [row]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith("/feedback/0")


async def test_at_most_five_hundred_at_once(client: httpx.AsyncClient) -> None:
    [row] = await kept([survey(metric=nps(2))], kit())
    answer = await client.post("/v1/judge", json={"severity": SEVERITY, "feedback": [row] * 501})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/feedback")
    assert (
        await client.post("/v1/judge", json={"severity": SEVERITY, "feedback": [row] * 500})
    ).status_code == 200


async def test_a_sound_policy_is_named_and_odd_things_are_told(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/policies/severity:check", json={"text": SEVERITY})
    assert answer.json() == {"policy": POLICIES.severity.policy, "warnings": []}
    odd = SEVERITY.replace("  anger:", "  feeling_blue:")
    [warning] = (await client.post("/v1/policies/severity:check", json={"text": odd})).json()["warnings"]
    assert warning.startswith("feeling_blue: no pattern")
    twin = SMALL.replace("no parcel came", "the invoice is wrong")
    answer = await client.post("/v1/policies/taxonomy:check", json={"text": twin})
    assert answer.json()["policy"] == "acme@1"
    assert any("say the same" in warning for warning in answer.json()["warnings"])


@pytest.mark.parametrize(
    ("kind", "text", "pointer"),
    [
        ("severity", "policy: [", "/text"),
        ("severity", SEVERITY.replace("p1: 70", "p1: 10"), "/text/bands"),
        ("taxonomy", SMALL.replace("also_at: 0.9", "also_at: 0.9, mood: 1"), "/text/decision/mood"),
    ],
)
async def test_every_fault_of_a_policy_has_its_place(
    client: httpx.AsyncClient, kind: str, text: str, pointer: str
) -> None:
    answer = await client.post(f"/v1/policies/{kind}:check", json={"text": text})
    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


async def test_the_causes_there_are(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/taxonomy", headers={"Authorization": "Bearer reader"})
    shown = answer.json()
    assert shown["taxonomy"] == POLICIES.taxonomy.policy
    assert [one["path"] for one in shown["categories"]] == list(POLICIES.taxonomy.paths)
    assert (await client.get("/v1/taxonomy", headers={"Authorization": "Bearer nobody"})).status_code == 401


async def test_other_kinds_and_other_keys_are_refused(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/policies/routing:check", json={"text": SMALL})).status_code == 422
    body = {"text": SMALL}
    for token, status in (("scorer", 200), ("reader", 403), ("nobody", 401)):
        headers = {"Authorization": f"Bearer {token}"}
        answer = await client.post("/v1/policies/taxonomy:check", json=body, headers=headers)
        assert answer.status_code == status


async def test_a_kept_vector_is_what_the_causes_were_found_by() -> None:
    """Rounding to what is kept comes before judging, so that nothing is lost by keeping."""
    [one] = await understand_batch(FEEDBACKS[:1], kit())
    assert one.vector is not None
    again = np.frombuffer(embedding_of(one.vector, kit().reader.scorer.model).data, "<f2").astype(np.float32)
    assert again.tobytes() == one.vector.tobytes()
    assert abs(float(np.linalg.norm(again)) - 1) < 1e-3
