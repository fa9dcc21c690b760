"""The scoring process on a real broker and database: events through, HTTP answered, a clean stop."""

import asyncio
import base64
import itertools
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import httpx
from tests.support.broker import Broker, free_port
from tests.support.clock import NOON
from tests.support.judgement import activated
from tests.support.registry import second_model
from tests.support.scoring import GERMAN, nps, survey, transcript
from tests.support.waiting import until_async
from typer.testing import CliRunner

from heardback_local.commands import models
from heardback_scoring.models.store import read_manifest
from heardback_shared.access.store import ApiKeys
from heardback_shared.clock import SystemClock
from heardback_shared.contracts.envelope import Envelope, from_record, to_bytes
from heardback_shared.contracts.events import (
    FEEDBACK_ACCEPTED,
    DeadLetter,
    FeedbackAccepted,
    FeedbackScored,
    FeedbackShadowed,
)
from heardback_shared.contracts.topics import ACCEPTED, DEAD, JUDGEMENT, SCORED, SHADOWED
from heardback_shared.db.database import Database
from heardback_shared.keyring import Keyring
from heardback_shared.settings import DatabaseSettings
from heardback_shared.stream.kafka import KafkaSink, KafkaSource
from heardback_shared.stream.ports import Outgoing, Record

SECRET = base64.b64encode(b"a test secret of at least 32 byt").decode()


@asynccontextmanager
async def scoring_process(
    broker: Broker, database: DatabaseSettings, port: int, **settings: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "heardback_scoring.main",
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
            "HEARDBACK_SECRET_KEY": SECRET,
            "HEARDBACK_DATABASE_URL": database.url,
            "HEARDBACK_KAFKA_BOOTSTRAP_SERVERS": broker.settings.bootstrap_servers,
            "HEARDBACK_KAFKA_FETCH_MAX_WAIT_MS": "10",
            "HEARDBACK_SCORING_PORT": str(port),
            "HEARDBACK_SCORING_MODEL": "constant",
            **settings,
        },
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def accepted(number: int, feedback: FeedbackAccepted | None) -> Outgoing:
    data = b'{"no": "feedback"}' if feedback is None else to_bytes(feedback)
    event = Envelope(
        id=f"ev_{number}",
        source="/heardback/ingest",
        type=FEEDBACK_ACCEPTED,
        data=data,
        subject=f"fb_{number}",
        tenant_id="default",
        key=f"c{number % 3}",
    )
    return Outgoing(ACCEPTED.name, event)


async def read_all(broker: Broker, topic: str, count: int) -> list[Record]:
    source = KafkaSource(broker.settings, [topic], f"reader-{topic}")
    await source.start()
    found: list[Record] = []

    async def enough() -> bool:
        found.extend(await source.poll(100, 0.2))
        return len(found) >= count

    await until_async(enough, seconds=60)
    await source.stop()
    return found


async def test_events_through_http_answered_and_a_clean_stop(
    broker: Broker, database: Database, database_settings: DatabaseSettings
) -> None:
    port = free_port()
    keys = ApiKeys(database, Keyring(base64.b64decode(SECRET)), SystemClock())
    _, key = await keys.create("default", "chatbot", ["score:write"])
    feedbacks = [
        survey("The invoice is wrong.", metric=nps(2)),
        survey(GERMAN),
        None,
        transcript(("customer", "I want to speak to a human."), ("agent", "Sure.")),
        survey(metric=nps(9)),
    ]
    sink = KafkaSink(broker.settings)
    await sink.start()
    await sink.send([accepted(i, f) for i, f in enumerate(feedbacks)])
    async with scoring_process(broker, database_settings, port) as process:
        records = await read_all(broker, SCORED.name, 4)
        [dead] = await read_all(broker, DEAD.name, 1)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            assert (await client.get("/readyz")).status_code == 200
            assert (await client.post("/v1/score", json={"text": "Hi"})).status_code == 401
            headers = {"Authorization": f"Bearer {key}"}
            answer = await client.post("/v1/score", json={"text": "A human, please."}, headers=headers)
            assert "heardback_feedback_scored_total" in (await client.get("/metrics")).text
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 90) == 0
    await sink.stop()

    assert answer.json()["score"]["handover"]["now"]
    events = {e.subject: e for e in (from_record(r.key, r.headers, r.value) for r in records)}
    said = {name: FeedbackScored.model_validate_json(e.data) for name, e in events.items()}
    assert {name: s.score.status for name, s in said.items()} == {
        "fb_0": "scored",
        "fb_1": "unscored",
        "fb_3": "scored",
        "fb_4": "scored",
    }
    assert all(events[f"fb_{i}"].key == f"c{i % 3}" for i in (0, 1, 3, 4))
    letter = DeadLetter.model_validate_json(from_record(dead.key, dead.headers, dead.value).data)
    assert (letter.service, letter.event_id) == ("scoring", "ev_2")
    assert base64.b64decode(letter.value) == b'{"no": "feedback"}'


async def test_models_change_and_watch_while_events_flow(
    broker: Broker, database: Database, database_settings: DatabaseSettings, tmp_path: Path
) -> None:
    """`constant` reads, the lexicon watches, is promoted, and is rolled back; a bad manifest is refused."""
    port = free_port()
    keys = ApiKeys(database, Keyring(base64.b64decode(SECRET)), SystemClock())
    _, key = await keys.create("default", "ops", ["score:write"])
    headers = {"Authorization": f"Bearer {key}"}
    sink = KafkaSink(broker.settings)
    await sink.start()
    settings = {
        "HEARDBACK_SCORING_REGISTRY": str(tmp_path / "models"),
        "HEARDBACK_SCORING_REGISTRY_SECONDS": "0.1",
    }

    def decide(*words: str) -> None:
        given = [*words, "--registry", settings["HEARDBACK_SCORING_REGISTRY"], "--model-setting", "constant"]
        outcome = CliRunner().invoke(models.app, given)
        assert outcome.exit_code == 0, outcome.output

    async with (
        scoring_process(broker, database_settings, port, **settings) as process,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers) as client,
    ):

        async def shows(use: str, name: str) -> bool:
            shown = (await client.get("/v1/models")).json()["models"]
            return any((m["use"], m["model"]["name"]) == (use, name) for m in shown)

        async def watches_nothing() -> bool:
            return not await shows("watches", "lexicon-en")

        await until_async(lambda: shows("reads", "constant"), seconds=60)
        decide("shadow", "lexicon")
        await until_async(lambda: shows("watches", "lexicon-en"))
        await sink.send([accepted(1, survey("The invoice is wrong."))])
        [read] = await read_all(broker, SHADOWED.name, 1)
        who = ("--by", "ana", "--because", "a test")
        decide("promote", "lexicon", "--override", *who)
        await until_async(lambda: shows("reads", "lexicon-en"))
        await until_async(watches_nothing)
        decide("rollback", *who)
        await until_async(lambda: shows("reads", "constant"))
        manifest = second_model(tmp_path / "second")
        decide("promote", str(manifest), "--override", *who)
        await until_async(lambda: shows("reads", "second"))
        (manifest.parent / read_manifest(manifest).folder / "model.onnx").write_bytes(b"damaged")
        decide("promote", "lexicon", "--override", *who)
        await until_async(lambda: shows("reads", "lexicon-en"))
        decide("rollback", *who)
        await until_async(lambda: shows("refused", "second"))
        ready = await client.get("/readyz")
        assert await shows("reads", "lexicon-en")
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 90) == 0
    await sink.stop()

    assert ready.status_code == 200
    assert "sha256" in ready.json()["notes"]["model"]
    told = FeedbackShadowed.model_validate_json(from_record(read.key, read.headers, read.value).data)
    assert (told.active.model.name, told.candidate.model.name) == ("constant", "lexicon-en")


async def test_what_a_tenant_taught_before_the_start_judges_its_first_feedback(
    broker: Broker, database_settings: DatabaseSettings
) -> None:
    """And what it teaches later judges within seconds, without a restart; other tenants are left alone."""
    text = files("heardback_scoring.policies").joinpath("severity.yaml").read_text("utf-8")
    text = re.sub(r"(?m)^policy: .*$", "policy: acme@7", text)
    sink = KafkaSink(broker.settings)
    await sink.start()
    await sink.send([Outgoing(JUDGEMENT.name, activated("severity", text, "default"))])
    await sink.send([accepted(1, survey("The invoice is wrong."))])
    source = KafkaSource(broker.settings, [SCORED.name], "reader")
    await source.start()

    async def policies(number: int) -> str:
        found: list[Record] = []

        async def read() -> bool:
            found.extend(await source.poll(1, 0.2))
            return bool(found)

        await until_async(read, seconds=60)
        event = from_record(found[0].key, found[0].headers, found[0].value)
        assert event.subject == f"fb_{number}"
        return FeedbackScored.model_validate_json(event.data).score.severity.policy

    async with scoring_process(broker, database_settings, free_port()):
        assert await policies(1) == "acme@7"
        later = activated("severity", text.replace("acme@7", "acme@8"), "default", NOON + timedelta(hours=1))
        await sink.send([Outgoing(JUDGEMENT.name, later)])
        numbers = itertools.count(2)

        async def learnt() -> bool:
            number = next(numbers)
            await sink.send([accepted(number, survey("The invoice is wrong."))])
            return await policies(number) == "acme@8"

        await until_async(learnt, seconds=20)
    await source.stop()
    await sink.stop()
