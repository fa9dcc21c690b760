"""READ FIRST. The scoring process: settings, adapters, the stream stage and the HTTP door, start and stop.

feedback.accepted → ScoreEvents → feedback.scored; an offset is committed after the scores are acknowledged.
"""

import asyncio
from functools import partial
from typing import Any

import uvloop
from fastapi import FastAPI

from heardback_scoring.adapters.candidate_process import CandidateJob, CandidateProcess
from heardback_scoring.adapters.models import OpenedModel, open_exactly, open_model
from heardback_scoring.adapters.policy_files import load_policies
from heardback_scoring.adapters.py3langid_guesser import Py3langidGuesser
from heardback_scoring.adapters.registry_folder import RegistryFolder
from heardback_scoring.app.drafts import Drafts
from heardback_scoring.app.drift_monitor import DriftMonitor
from heardback_scoring.app.follow_judgement import FollowJudgement
from heardback_scoring.app.follow_registry import FollowRegistry
from heardback_scoring.app.ports import CandidateFailed
from heardback_scoring.app.score_events import ScoreEvents
from heardback_scoring.app.serving import Serving
from heardback_scoring.app.shadow import Shadow
from heardback_scoring.app.taxonomies import Taxonomies
from heardback_scoring.app.understanding import Understanding, understanding_of
from heardback_scoring.domain.drift import DriftPolicy
from heardback_scoring.domain.registry import Candidate, Registered
from heardback_scoring.http.api import add_routes
from heardback_scoring.http.judging import add_judging
from heardback_scoring.settings import ScoringSettings
from heardback_shared.access.store import ApiKeys
from heardback_shared.checks import broker_check, database_check
from heardback_shared.clock import SystemClock
from heardback_shared.contracts.topics import ACCEPTED, JUDGEMENT
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
from heardback_shared.stream.kafka import KafkaSink, KafkaSource, KafkaWhole
from heardback_shared.stream.runner import Stage, StagePolicy

GROUP = "heardback-scoring"


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
    registry = RegistryFolder(settings.registry) if settings.registry is not None else None
    models = FollowRegistry(
        registry,
        partial(_open, settings, registry, metrics),
        partial(understand, settings=settings),
        clock,
        metrics,
        every_seconds=settings.registry_seconds,
    )
    serving = await models.begin()
    taxonomies = Taxonomies()
    judgement = FollowJudgement(KafkaWhole(kafka, JUDGEMENT.name), serving, taxonomies, metrics)
    database = Database(database_settings)  # for API keys only: scoring has no tables
    readiness = Readiness(
        {
            "database": partial(database_check, database),
            "broker": partial(broker_check, kafka.bootstrap_servers),
        },
        notes={
            "model": partial(_model_note, serving),
            "candidate": partial(_candidate_note, serving),
            "judgement": judgement.note,
        },
    )
    keys = ApiKeys(database, Keyring(service.master_key), clock)
    sink = KafkaSink(kafka)
    await sink.start()
    drift = DriftMonitor(
        DriftPolicy(current=settings.drift_current, reference=settings.drift_reference), metrics
    )
    shadow = Shadow(
        lambda: models.state.candidate,
        partial(_open_candidate, registry, serving, service.log_level),
        sink,
        clock,
        metrics,
        queue=settings.shadow_queue,
    )
    stage = Stage(
        "scoring",
        KafkaSource(kafka, [ACCEPTED.name], GROUP, drain_seconds=service.drain_seconds),
        sink,
        ScoreEvents(serving, clock, metrics, drift, shadow),
        service="scoring",
        clock=clock,
        metrics=metrics,
        policy=StagePolicy(max_records=settings.batch_records),
    )
    running = Service(
        "scoring",
        http_app(serving, keys, clock, metrics, readiness, service, settings, taxonomies),
        settings.port,
        readiness,
        intake={"scoring": partial(_read, judgement, stage)},
        background={
            "models": partial(models.run, serving),
            "shadow": partial(shadow.run, serving),
            "judgement": judgement.run,
        },
    )
    try:
        await serve(running, service)
    finally:
        await sink.stop()
        await serving.close()
        await database.close()


async def _read(judgement: FollowJudgement, stage: Stage, stop: asyncio.Event) -> None:
    await judgement.ready(stop)
    await stage.run(stop)


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
    serving: Serving,
    keys: KeyVerifier,
    clock: SystemClock,
    metrics: Metrics,
    readiness: Readiness,
    service: ServiceSettings,
    settings: ScoringSettings,
    taxonomies: Taxonomies | None = None,
) -> FastAPI:
    app = create_app(
        "heardback scoring",
        "How bad is it, and what is it about? Sentiment, cues, root cause, severity, handover, with reasons.",
        metrics=metrics,
        readiness=readiness,
        max_body_bytes=settings.max_body_bytes,
    )
    guard = Guard(keys, RateLimiter(service.rate_limit_per_minute))
    add_routes(app, serving, guard, clock, metrics)
    add_judging(app, serving, Drafts(serving, taxonomies or Taxonomies()), guard)
    return app


def _open(
    settings: ScoringSettings, registry: RegistryFolder | None, metrics: Metrics, wanted: Registered | None
) -> OpenedModel:
    """Exactly the model wanted; for None that of the settings, or the fallback in its place. Blocking."""
    how: dict[str, Any] = {
        "threads": settings.threads,
        "cache_texts": settings.cache_texts,
        "on_turn": partial(_measure_turn, metrics),
    }
    if wanted is None or registry is None:
        return open_model(settings.model, **how)
    return open_exactly(registry.located(wanted.model), wanted.ref.sha256 if wanted.pinned else None, **how)


async def _open_candidate(
    registry: RegistryFolder | None, serving: Serving, log_level: str, candidate: Candidate
) -> CandidateProcess:
    if registry is None:
        raise CandidateFailed("there is no model registry")
    return await CandidateProcess.open(
        CandidateJob(
            candidate.model,
            registry.located(candidate.model.model),
            serving.understanding.policies,
            serving.understanding.taught_by_tenant,
            log_level,
        )
    )


async def _candidate_note(serving: Serving) -> str | None:
    return serving.watching_problem


async def _model_note(serving: Serving) -> str | None:
    return serving.problem


def _measure_turn(metrics: Metrics, texts: int, seconds: float) -> None:
    metrics.inference_texts.inc(texts)
    metrics.inference_seconds.observe(seconds)


if __name__ == "__main__":
    run()
