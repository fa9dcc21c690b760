"""READ FIRST. The scoring process: settings, adapters, the stream stage and the HTTP door, start and stop.

feedback.accepted → ScoreEvents → feedback.scored; an offset is committed after the scores are acknowledged.
"""

import asyncio
from functools import partial

import structlog
import uvloop
from fastapi import FastAPI

from heardback_scoring.adapters.models import OpenedModel, open_model
from heardback_scoring.adapters.policy_files import load_policies
from heardback_scoring.adapters.py3langid_guesser import Py3langidGuesser
from heardback_scoring.app.score_events import ScoreEvents
from heardback_scoring.app.understanding import Understanding, understanding_of
from heardback_scoring.http.api import add_routes
from heardback_scoring.settings import ScoringSettings
from heardback_shared.access.store import ApiKeys
from heardback_shared.checks import broker_check, database_check
from heardback_shared.clock import SystemClock
from heardback_shared.contracts.topics import ACCEPTED
from heardback_shared.db.database import Database
from heardback_shared.health import Readiness
from heardback_shared.http.app import create_app
from heardback_shared.http.auth import Guard, KeyVerifier
from heardback_shared.http.rate_limit import RateLimiter
from heardback_shared.keyring import Keyring
from heardback_shared.lifecycle import Service, serve
from heardback_shared.logs import configure_logs
from heardback_shared.metrics import Metrics
from heardback_shared.settings import DatabaseSettings, KafkaSettings, ServiceSettings
from heardback_shared.stream.kafka import KafkaSink, KafkaSource
from heardback_shared.stream.runner import Stage, StagePolicy

GROUP = "heardback-scoring"

_log = structlog.get_logger(__name__)


def run() -> None:
    """Runs until told to stop. Settings come from the environment."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(ServiceSettings(), ScoringSettings(), KafkaSettings(), DatabaseSettings()))


async def _run(
    service: ServiceSettings,
    settings: ScoringSettings,
    kafka: KafkaSettings,
    database_settings: DatabaseSettings,
) -> None:
    configure_logs("scoring", service.log_level)
    clock, metrics = SystemClock(), Metrics()
    opened = await asyncio.to_thread(
        open_model,
        settings.model,
        threads=settings.threads,
        cache_texts=settings.cache_texts,
        on_turn=partial(_measure_turn, metrics),
    )
    understanding = await asyncio.to_thread(understand, opened, settings)
    _announce(opened, metrics)
    database = Database(database_settings)  # for API keys only: scoring has no tables
    readiness = Readiness(
        {
            "database": partial(database_check, database),
            "broker": partial(broker_check, kafka.bootstrap_servers),
        }
    )
    keys = ApiKeys(database, Keyring(service.master_key), clock)
    sink = KafkaSink(kafka)
    await sink.start()
    stage = Stage(
        "scoring",
        KafkaSource(kafka, [ACCEPTED.name], GROUP, drain_seconds=service.drain_seconds),
        sink,
        ScoreEvents(understanding, clock, metrics),
        service="scoring",
        clock=clock,
        metrics=metrics,
        policy=StagePolicy(max_records=settings.batch_records),
    )
    app = http_app(understanding, keys, clock, metrics, readiness, service, settings)
    try:
        await serve(Service("scoring", app, settings.port, readiness, intake={"scoring": stage.run}), service)
    finally:
        await sink.stop()
        await opened.reader.close()
        await database.close()


def understand(opened: OpenedModel, settings: ScoringSettings) -> Understanding:
    """Policies, patterns and the embedded taxonomy around a model. Blocking."""
    return understanding_of(
        load_policies(settings.policies),
        Py3langidGuesser(),
        opened.reader,
        opened.fallback,
        opened.why_degraded,
        opened.satisfaction,
        settings.explain,
    )


def http_app(
    understanding: Understanding,
    keys: KeyVerifier,
    clock: SystemClock,
    metrics: Metrics,
    readiness: Readiness,
    service: ServiceSettings,
    settings: ScoringSettings,
) -> FastAPI:
    app = create_app(
        "heardback scoring",
        "How bad is it, and what is it about? Sentiment, cues, root cause, severity, handover, with reasons.",
        metrics=metrics,
        readiness=readiness,
        max_body_bytes=settings.max_body_bytes,
    )
    add_routes(app, understanding, Guard(keys, RateLimiter(service.rate_limit_per_minute)), clock, metrics)
    return app


def _announce(opened: OpenedModel, metrics: Metrics) -> None:
    scorer = opened.reader.scorer
    metrics.model_degraded.set(1 if scorer.degraded else 0)
    _log.info(
        "scoring.model", name=scorer.model.name, revision=scorer.model.revision, degraded=scorer.degraded
    )
    if opened.why_degraded:
        _log.warning("scoring.degraded", because=opened.why_degraded)


def _measure_turn(metrics: Metrics, texts: int, seconds: float) -> None:
    metrics.inference_texts.inc(texts)
    metrics.inference_seconds.observe(seconds)


if __name__ == "__main__":
    run()
