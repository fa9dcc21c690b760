"""Feedback nobody wrote for us goes through the whole stack: every one settled, none dead, none twice."""

import os
from typing import Any

import pytest
from tests.e2e.conftest import StackFactory
from tests.load.texts import DataAbsentError, dialogues, reviews
from tests.support.waiting import until_async

DIALOGUES = int(os.environ.get("HEARDBACK_TEST_DIALOGUES", "40"))
REVIEWS = int(os.environ.get("HEARDBACK_TEST_REVIEWS", "120"))


def rows() -> list[dict[str, Any]]:
    try:
        transcripts, comments = dialogues()[:DIALOGUES], reviews()[:REVIEWS]
    except DataAbsentError as error:
        pytest.skip(f"evaluation data absent: {error}")
    return [
        {
            "type": "transcript", "source": "helpdesk", "external_id": f"d-{n}", "channel": "chat",
            "touchpoint": "support", "customer": {"id": f"d-{n}"}, "turns": turns,
        }
        for n, turns in enumerate(transcripts)
    ] + [
        {"type": "survey", "source": "reviews", "external_id": f"r-{n}", "channel": "app", "comment": comment}
        for n, comment in enumerate(comments)
    ]  # fmt: skip


@pytest.mark.timeout(400)
async def test_public_dialogues_and_reviews_are_all_settled_once(start_stack: StackFactory) -> None:
    sent = rows()
    async with start_stack() as run:
        ids: list[str] = []
        for start in range(0, len(sent), 100):
            answer = await run.ingest.post("/v1/feedback:batch", json=sent[start : start + 100])
            results = answer.json()
            assert [r["status"] for r in results] == ["accepted"] * len(results), results
            ids += [r["id"] for r in results]

        async def settled() -> bool:
            return (await run.ledger())["settled"] == len(sent)

        await until_async(settled, 300)
        ledger = await run.ledger()
        assert (ledger["accepted"], ledger["in_flight"], ledger["dead"]) == (len(sent), 0, 0)
        assert len(set(ids)) == len(sent)
        for id_ in (ids[0], ids[-1]):
            became = (await run.ingest.get(f"/v1/feedback/{id_}")).json()
            assert became["status"] == "routed"
            assert became["item"]["team"]
            assert became["score"]["severity"]["band"] in {"P1", "P2", "P3", "P4"}
