"""Whatever the order and however often things are delivered, the ledger ends in the same state."""

import random

import httpx
import orjson
import pytest
from sqlalchemy import text
from tests.integration.ingest.conftest import Key
from tests.support.feedback import routed, survey

from heardback_ingest.app.accept import Submitted
from heardback_ingest.main import Ingest
from heardback_shared.contracts.feedback import SurveyIn
from heardback_shared.db.database import Database

FEEDBACKS, REVISIONS = 4, 3


@pytest.mark.parametrize("seed", range(6))
async def test_any_permutation_and_duplication_ends_the_same(
    http: httpx.AsyncClient, key: Key, ingest: Ingest, database: Database, seed: int
) -> None:
    dice = random.Random(seed)
    deliveries = [
        Submitted(SurveyIn.model_validate(survey(n, revision=r)))
        for n in range(FEEDBACKS)
        for r in range(1, REVISIONS + 1)
        for _ in range(2)
    ]
    dice.shuffle(deliveries)
    ids = set()
    while deliveries:
        size = dice.randint(1, 7)
        batch, deliveries = deliveries[:size], deliveries[size:]
        ids |= {result.id for result in await ingest.accept("default", "test", batch)}
    assert len(ids) == FEEDBACKS

    async with database.worker() as c:
        events = [
            orjson.loads(d) for d in (await c.execute(text("SELECT data FROM ingest.outbox"))).scalars()
        ]
    sent = [(event["feedback_id"], event["revision"]) for event in events]
    assert len(sent) == len(set(sent))
    outcomes = [routed(fid, revision=revision) for fid, revision in sent] * 2
    dice.shuffle(outcomes)
    while outcomes:
        size = dice.randint(1, 7)
        batch_of_outcomes, outcomes = outcomes[:size], outcomes[size:]
        await ingest.settle(batch_of_outcomes)

    headers = await key()
    ledger = (await http.get("/v1/ledger", headers=headers)).json()
    assert (ledger["accepted"], ledger["settled"]) == (FEEDBACKS * REVISIONS, FEEDBACKS * REVISIONS)
    assert ledger["balanced"]
    for feedback_id in sorted(map(str, ids)):
        shown = (await http.get(f"/v1/feedback/{feedback_id}", headers=headers)).json()
        assert (shown["revision"], shown["status"]) == (REVISIONS, "routed")
