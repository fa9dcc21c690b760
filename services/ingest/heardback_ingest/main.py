"""READ FIRST: settings → adapters → use cases → doors; what runs, and in which order it stops."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import uvloop
from fastapi import FastAPI

from heardback_ingest.adapters import tables
from heardback_ingest.adapters.postgres_asking import PostgresAsking
from heardback_ingest.adapters.postgres_customers import PostgresCustomers
from heardback_ingest.adapters.postgres_dead_letters import PostgresDeadLetters
from heardback_ingest.adapters.postgres_experiments import PostgresExperiments
from heardback_ingest.adapters.postgres_idempotency import PostgresIdempotencyKeys
from heardback_ingest.adapters.postgres_invitations import PostgresInvitations
from heardback_ingest.adapters.postgres_ledger import PostgresLedger
from heardback_ingest.adapters.postgres_sampling import PostgresChoices, PostgresPlans
from heardback_ingest.adapters.postgres_survey_log import PostgresSurveyLog
from heardback_ingest.adapters.postgres_survey_stops import PostgresStops
from heardback_ingest.adapters.postgres_sweep import PostgresSweep
from heardback_ingest.adapters.postgres_tenants import PostgresTenants
from heardback_ingest.adapters.postgres_vault import PostgresVault
from heardback_ingest.adapters.router_drafts import RouterDrafts
from heardback_ingest.app.accept import Accept
from heardback_ingest.app.gather import Gatherer, GatherPolicy
from heardback_ingest.app.idempotency import Idempotent
from heardback_ingest.app.kafka_door import KafkaDoor
from heardback_ingest.app.policies import policies_in_force
from heardback_ingest.app.preferences import KeepPreferences
from heardback_ingest.app.redrive import GaugeLedger, Redrive, repeat
from heardback_ingest.app.replay import Replay
from heardback_ingest.app.sampling.arms import Arms, KeepExperiments
from heardback_ingest.app.sampling.budgets import Budgets
from heardback_ingest.app.sampling.choosing import CompetingSurveys
from heardback_ingest.app.sampling.fatigue import Fatigue
from heardback_ingest.app.sampling.plans import SamplingPlans
from heardback_ingest.app.settle import CollectDeadLetters, FollowBacklog, Settle
from heardback_ingest.app.show import Show
from heardback_ingest.app.standing import FollowStandings
from heardback_ingest.app.surveys.ask import Ask
from heardback_ingest.app.surveys.explain import Explain
from heardback_ingest.app.surveys.follow import Follow, Lapse
from heardback_ingest.app.surveys.gather import Gather
from heardback_ingest.app.surveys.stops import Halt
from heardback_ingest.customer_master import CustomerMaster, build_master
from heardback_ingest.domain.ledger import RedrivePolicy
from heardback_ingest.domain.limits import Limits
from heardback_ingest.http.api import UseCases, build_app
from heardback_ingest.http.sampling import Sampling
from heardback_ingest.http.surveys import Surveys
from heardback_ingest.settings import IngestSettings
from heardback_shared.access.store import ApiKeys
from heardback_shared.checks import broker_check, database_check
from heardback_shared.clock import Clock, SystemClock
from heardback_shared.contact.holds import PostgresHolds
from heardback_shared.contact.store import PostgresContacts
from heardback_shared.contact.wish_store import PostgresWishes
from heardback_shared.contracts.events import ITEM_CHANGED, LOOP_CHANGED
from heardback_shared.contracts.topics import BACKLOG, DEAD, ROUTED, STANDING, SUBMITTED, UPDATED, Topic
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox, OutboxRelay
from heardback_shared.health import Readiness
from heardback_shared.http.auth import Guard
from heardback_shared.http.rate_limit import RateLimiter
from heardback_shared.keyring import Keyring
from heardback_shared.lifecycle import Service, Task, serve
from heardback_shared.logs import configure_logs
from heardback_shared.metrics import Metrics
from heardback_shared.policies.in_force import PoliciesInForce
from heardback_shared.settings import DatabaseSettings, KafkaSettings, ServiceSettings
from heardback_shared.stream.kafka import KafkaSink, KafkaSource
from heardback_shared.stream.runner import Handler, RejectedHandler, Stage

NAME = "ingest"
FORGET_SECONDS = 600.0
CLASSES_SECONDS = 10.0
"""How soon customers are gone over after other rules came in force."""


@dataclass(frozen=True)
class Ingest:
    """Every part, wired; `build` makes it, `run` and the tests use it."""

    database: Database
    accept: Accept
    kafka_door: KafkaDoor
    settle: Settle
    follow: FollowBacklog
    standings: FollowStandings
    customers: CustomerMaster
    collect: CollectDeadLetters
    redrive: Redrive
    gauge: GaugeLedger
    outbox: Outbox
    keys: PostgresIdempotencyKeys
    policies: PoliciesInForce
    surveys: Surveys
    lapse: Lapse
    http: FastAPI
    readiness: Readiness
    metrics: Metrics
    clock: Clock


def build(
    settings: IngestSettings,
    service: ServiceSettings,
    database: Database,
    clock: Clock,
    metrics: Metrics,
    readiness: Readiness,
) -> Ingest:
    keyring = Keyring(service.master_key)
    policy = RedrivePolicy(
        first_seconds=settings.redrive_after_seconds,
        limit=settings.redrive_limit,
        rescore_seconds=settings.rescore_after_seconds,
        rescore_limit=settings.rescore_limit,
    )
    ledger, customers, vault = PostgresLedger(), PostgresCustomers(), PostgresVault(keyring)
    letters, outbox, idempotency = (
        PostgresDeadLetters(keyring),
        Outbox(tables.outbox),
        PostgresIdempotencyKeys(),
    )
    policies = policies_in_force(settings.policies)
    invitations, survey_log, contacts = PostgresInvitations(), PostgresSurveyLog(), PostgresContacts(keyring)
    surveys = _surveys(database, invitations, survey_log, contacts, policies, clock)
    accept = Accept(
        database,
        ledger,
        customers,
        vault,
        outbox,
        keyring,
        clock,
        metrics,
        policies=policies,
        invitations=invitations,
        limits=Limits(
            settings.max_text_chars,
            settings.max_turns,
            settings.max_context_entries,
            settings.max_context_value_chars,
        ),
        policy=policy,
        max_event_bytes=settings.max_event_bytes,
    )
    master = build_master(
        database,
        keyring,
        vault,
        contacts,
        survey_log,
        policies=policies,
        tenants=PostgresTenants(database),
        letters=letters,
        clock=clock,
        metrics=metrics,
        default_tenant=settings.kafka_door_tenant,
    )
    use = UseCases(
        accept=accept,
        gatherer=Gatherer(
            lambda tenant_id, batch: accept(tenant_id, "http", batch),
            GatherPolicy(
                settings.gather_seconds,
                settings.gather_rows,
                settings.gather_waiting,
                settings.gather_batches,
            ),
        ),
        idempotent=Idempotent(
            database,
            idempotency,
            keyring,
            clock,
            lease_seconds=settings.idempotency_lease_seconds,
            hours=settings.idempotency_hours,
        ),
        show=Show(database, ledger),
        customers=master,
        preferences=KeepPreferences(
            database, contacts, PostgresWishes(keyring), PostgresHolds(), policies, clock
        ),
        replay=Replay(database, ledger, letters, outbox, clock, policy),
        surveys=surveys,
        sampling=_sampling(database, policies, settings.router_url, clock),
        database=database,
        policies=policies,
    )
    guard = Guard(ApiKeys(database, keyring, clock), RateLimiter(service.rate_limit_per_minute))
    return Ingest(
        database=database,
        accept=accept,
        kafka_door=KafkaDoor(
            accept,
            PostgresTenants(database),
            database,
            letters,
            outbox,
            clock,
            metrics,
            default_tenant=settings.kafka_door_tenant,
        ),
        settle=Settle(database, ledger, clock, policy),
        follow=FollowBacklog(database, ledger),
        standings=FollowStandings(database, customers, master.classes, clock),
        customers=master,
        collect=CollectDeadLetters(database, ledger, letters, clock, settings.kafka_door_tenant),
        redrive=Redrive(
            database,
            PostgresSweep(),
            letters,
            outbox,
            clock,
            metrics,
            policy,
            outbox_limit=settings.redrive_outbox_limit,
        ),
        gauge=GaugeLedger(database, ledger, metrics),
        outbox=outbox,
        keys=idempotency,
        policies=policies,
        surveys=surveys,
        lapse=Lapse(database, invitations, survey_log, contacts, clock, keep_days=settings.survey_log_days),
        http=build_app(use, guard, settings, metrics, readiness),
        readiness=readiness,
        metrics=metrics,
        clock=clock,
    )


def _surveys(
    database: Database,
    invitations: PostgresInvitations,
    log: PostgresSurveyLog,
    contacts: PostgresContacts,
    policies: PoliciesInForce,
    clock: Clock,
) -> Surveys:
    stops, arms = PostgresStops(), Arms(PostgresExperiments(), clock)
    gather = Gather(invitations, contacts, arms, Budgets(PostgresPlans(), PostgresAsking()))
    return Surveys(
        Ask(database, invitations, log, stops, gather, contacts, policies, clock),
        Follow(database, invitations, contacts, clock),
        Explain(database, log, policies),
        Halt(database, stops, clock),
    )


def _sampling(
    database: Database, policies: PoliciesInForce, router_url: str | None, clock: Clock
) -> Sampling:
    plans, asking, experiments = PostgresPlans(), PostgresAsking(), PostgresExperiments()
    drafts = RouterDrafts(router_url)
    return Sampling(
        SamplingPlans(database, plans, asking, clock),
        CompetingSurveys(database, plans, PostgresChoices(), asking, clock),
        KeepExperiments(database, experiments, policies, clock),
        Fatigue(database, asking, experiments, policies, drafts, clock),
        clock,
    )


async def main() -> None:
    service, settings, kafka = ServiceSettings(), IngestSettings(), KafkaSettings()
    configure_logs(NAME, service.log_level)
    database = Database(DatabaseSettings())
    sink = KafkaSink(kafka)
    readiness = Readiness(
        {
            "database": partial(database_check, database, "SELECT 1 FROM ingest.feedback LIMIT 1"),
            "broker": partial(broker_check, kafka.bootstrap_servers),
        }
    )
    ingest = build(settings, service, database, SystemClock(), Metrics(), readiness)
    await sink.start()
    try:
        await serve(
            Service(
                NAME,
                ingest.http,
                settings.port,
                readiness,
                intake=stages(ingest, kafka, settings, sink),
                background=background(ingest, settings, sink),
            ),
            service,
        )
    finally:
        await sink.stop()
        await database.close()


def stages(
    ingest: Ingest, kafka: KafkaSettings, settings: IngestSettings, sink: KafkaSink
) -> dict[str, Task]:
    """What is read from the log, each under its own group so that one never holds up another."""

    def stage(
        name: str,
        topic: Topic,
        handler: Handler,
        rejected: RejectedHandler | None = None,
        only: tuple[str, ...] | None = None,
    ) -> Task:
        source = KafkaSource(kafka, [topic.name], f"{settings.kafka_group}.{name}", urgent=False)
        return Stage(
            name,
            source,
            sink,
            handler,
            service=NAME,
            clock=ingest.clock,
            metrics=ingest.metrics,
            on_rejected=rejected,
            only=only,
        ).run

    return {
        "submitted": stage("submitted", SUBMITTED, ingest.kafka_door, ingest.kafka_door.reject_record),
        "routed": stage("routed", ROUTED, ingest.settle),
        "backlog": stage("backlog", BACKLOG, ingest.follow, only=(ITEM_CHANGED, LOOP_CHANGED)),
        "standing": stage("standing", STANDING, ingest.standings),
        "customers": stage("customers", UPDATED, ingest.customers.door, ingest.customers.door.reject_record),
        "dead": stage("dead", DEAD, ingest.collect),
    }


def background(ingest: Ingest, settings: IngestSettings, sink: KafkaSink) -> dict[str, Task]:
    """What goes on until the doors are shut."""

    async def forget() -> None:
        async with ingest.database.worker() as connection:
            await ingest.keys.forget_expired(connection, ingest.clock.now())
        await ingest.customers.sources.forget_events()

    def every(seconds: float, action: Callable[[], Awaitable[object]], name: str) -> Task:
        return partial(repeat, seconds=seconds, action=action, name=name)

    return {
        "relay": OutboxRelay(ingest.database, ingest.outbox, sink, ingest.metrics).run,
        "redrive": partial(ingest.redrive.run, every_seconds=settings.sweep_seconds),
        "gauge": every(settings.gauge_seconds, ingest.gauge, "gauge"),
        "surveys": every(settings.survey_sweep_seconds, ingest.lapse, "surveys"),
        "forget": every(FORGET_SECONDS, forget, "forget"),
        "classes": every(CLASSES_SECONDS, ingest.customers.classes.keep_going, "classes"),
    }


def run() -> None:
    uvloop.run(main())


if __name__ == "__main__":
    run()
