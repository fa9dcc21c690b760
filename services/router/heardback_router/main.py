"""READ FIRST. The router process: settings, adapters, use cases and doors, start and stop.

feedback.scored → RouteFeedback → items, links, log and outbox in one transaction → feedback.routed and
backlog.changed by the relay. People work the backlog over HTTP; resolving opens loops, which the dispatcher
delivers by webhook.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import uvloop

from heardback_router.assignment.app import Assignment, AssignWaiting
from heardback_router.assignment.http import Teams, team_routes
from heardback_router.assignment.store import PostgresPeople, PostgresQueues
from heardback_router.backlog.app import Backlog
from heardback_router.backlog.counters_http import counter_routes
from heardback_router.backlog.duty_http import duty_routes
from heardback_router.backlog.http import backlog_routes
from heardback_router.backlog.reader import PostgresBacklog
from heardback_router.backlog.store import PostgresItems
from heardback_router.backlog.tables import outbox as outbox_table
from heardback_router.backlog.views_http import view_routes
from heardback_router.campaigns.app import Campaigns
from heardback_router.campaigns.evidence import PostgresEvidence
from heardback_router.campaigns.feeder import Feeder
from heardback_router.campaigns.guarding import ContentGuard
from heardback_router.campaigns.http import campaign_routes
from heardback_router.campaigns.preview import Previews
from heardback_router.closing import Closing, Surroundings
from heardback_router.configuration.announce import PolicyPages
from heardback_router.configuration.owners import ScoringClient
from heardback_router.configuration.source import load_deployment
from heardback_router.configuration.store import PostgresVersions
from heardback_router.configuration.stored import StoredPolicies
from heardback_router.context.http import context_routes
from heardback_router.corrections.app import Corrections
from heardback_router.corrections.causes import AskScoring
from heardback_router.corrections.http import correction_routes
from heardback_router.corrections.overlay import Overlay
from heardback_router.corrections.quality import TellQuality
from heardback_router.corrections.quality_http import quality_routes
from heardback_router.corrections.store import PostgresCorrections
from heardback_router.corrections.teaching import CorrectionPages, Teaching
from heardback_router.deliveries.settings import WebhookSettings
from heardback_router.forms.http import forms_routes
from heardback_router.grouping.app import Regroup
from heardback_router.grouping.cases import PostgresCases
from heardback_router.grouping.http import grouping_routes
from heardback_router.grouping.neighbours import PostgresNeighbours
from heardback_router.grouping.reader import PostgresGroups
from heardback_router.grouping.store import PostgresGrouping
from heardback_router.loops.settings import LoopSettings
from heardback_router.loops.watches import DelayWatch, SilenceWatch
from heardback_router.mail.settings import MailSettings
from heardback_router.messages.http import message_routes
from heardback_router.options.http import option_routes
from heardback_router.outreach.compose import message_queue
from heardback_router.outreach.discomfort import Discomfort
from heardback_router.outreach.settings import OutreachSettings
from heardback_router.page.domain import KEEP_CODES
from heardback_router.page.store import PostgresCodes
from heardback_router.promises.http import promise_routes
from heardback_router.promises.watch import PromiseWatch
from heardback_router.routing.app import RouteFeedback
from heardback_router.routing.forgetting import KEEP_EVENTS, ForgetOld
from heardback_router.routing.handover_http import handover_routes
from heardback_router.routing.ladder_watch import LadderWatch
from heardback_router.routing.store import LookAgain, PostgresFeedback, PostgresInbox
from heardback_router.routing.tries import RoutingTries
from heardback_router.routing.tries_http import tries_routes
from heardback_router.settings import RouterSettings
from heardback_router.shadow.app import KeepReadings, TellDisagreement
from heardback_router.shadow.http import shadow_routes
from heardback_router.shadow.store import PostgresShadow
from heardback_router.sla.app import Clocks, Repin
from heardback_router.sla.http import sla_routes
from heardback_router.sla.store import PostgresTimers
from heardback_router.sla.telling import SlaWatch
from heardback_router.sla.timekeeper import Pace, Timekeeper
from heardback_router.standing.app import AnnounceStandings
from heardback_router.standing.store import PostgresStandings
from heardback_router.steps.http import step_routes
from heardback_router.steps.watch import StepsWatch
from heardback_router.whatif.compose import Changing
from heardback_router.whatif.held import HeldByPeople
from heardback_shared.access.store import ApiKeys
from heardback_shared.checks import broker_check, database_check
from heardback_shared.clock import Clock, SystemClock
from heardback_shared.contact.holds import PostgresHolds
from heardback_shared.contact.store import PostgresContacts
from heardback_shared.contracts.topics import JUDGEMENT, SCORED, SHADOWED
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox, OutboxRelay
from heardback_shared.health import Readiness
from heardback_shared.http.app import create_app, serve_routes
from heardback_shared.http.auth import Guard
from heardback_shared.http.rate_limit import RateLimiter
from heardback_shared.keyring import Keyring
from heardback_shared.lifecycle import Service, serve
from heardback_shared.logs import configure_logs
from heardback_shared.metrics import Metrics
from heardback_shared.settings import DatabaseSettings, KafkaSettings, ServiceSettings
from heardback_shared.stream.kafka import KafkaSink, KafkaSource, topic_end
from heardback_shared.stream.runner import Stage, StagePolicy

GROUP = "heardback-router"
KEEP_RUNS = timedelta(days=90)
"""What-if runs that no version was activated by; the others are kept with their version."""
SHADOW_GROUP = "heardback-router-shadow"


def run() -> None:
    """Runs until told to stop. Settings come from the environment."""
    settings = Settings(
        ServiceSettings(), RouterSettings(), LoopSettings(), WebhookSettings(), MailSettings()
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(settings, KafkaSettings(), DatabaseSettings()))


@dataclass(frozen=True)
class Settings:
    service: ServiceSettings
    router: RouterSettings
    loops: LoopSettings
    webhooks: WebhookSettings
    mail: MailSettings = field(default_factory=MailSettings)
    messages: OutreachSettings = field(default_factory=OutreachSettings)


class Core:
    """The use cases and the HTTP app around one database; everything but the log and the process."""

    def __init__(
        self, database: Database, clock: Clock, metrics: Metrics, readiness: Readiness, settings: Settings
    ) -> None:
        source = StoredPolicies(load_deployment(settings.router.policies))
        keyring = Keyring(settings.service.master_key)
        keys = ApiKeys(database, keyring, clock)
        self.guard = guard = Guard(keys, RateLimiter(settings.service.rate_limit_per_minute))
        self.outbox = Outbox(outbox_table)
        self.closing = Closing(
            Surroundings(database, self.outbox, keyring, clock, metrics, guard, source),
            settings.loops,
            settings.webhooks,
            settings.mail,
            settings.messages,
        )
        items, inbox, told = PostgresItems(), PostgresInbox(), self.closing.loops
        people, queues = PostgresPeople(), PostgresQueues()
        assignment = Assignment(items, people, queues)
        self.assign_waiting = AssignWaiting(database, assignment, people, source, self.outbox, clock)
        cases, grouping = PostgresCases(), PostgresGrouping()
        self.backlog = Backlog(
            database,
            items,
            told,
            self.outbox,
            source,
            clock,
            assignment,
            cases,
            wording=ContentGuard(PostgresEvidence()),
        )
        regroup = Regroup(database, items, grouping, cases, told, self.outbox, source, clock)
        said = PostgresCorrections()
        self.route = RouteFeedback(
            database,
            inbox,
            items,
            told,
            self.outbox,
            source,
            clock,
            metrics,
            assignment=assignment,
            neighbours=PostgresNeighbours(),
            corrections=Overlay(said),
            discomfort=Discomfort(PostgresHolds()),
        )
        timers = PostgresTimers()
        clocks = Clocks(timers, source, clock)
        self.repin = Repin(database, items, timers, self.outbox, source, clock)
        self.timekeeper = Timekeeper(
            database,
            items,
            timers,
            told,
            self.outbox,
            source,
            [SlaWatch(), LadderWatch(), PromiseWatch(), DelayWatch(), StepsWatch(), SilenceWatch()],
            clock=clock,
            metrics=metrics,
            pace=Pace(share=settings.router.timers_share),
        )
        scoring = ScoringClient(settings.router.scoring_url)
        self.changing = Changing(
            database,
            source,
            scoring,
            settings.router.ingest_url,
            self.outbox,
            clock,
            apply={"sla": self.repin.all, "ladder": LookAgain(database, clock).all},
            corrections=HeldByPeople(said),
        )
        messages = message_queue(metrics)
        campaigns = Campaigns(database, PostgresContacts(keyring), messages, source, clock)
        self.feeder = Feeder(database, messages, clock)
        self.standings = AnnounceStandings(database, PostgresStandings(), self.outbox, clock)
        self.corrections = Corrections(database, items, said, self.outbox, source, clock)
        self.teaching = Teaching(
            database, self.outbox, [CorrectionPages(said), PolicyPages(PostgresVersions())]
        )
        shadow = PostgresShadow()
        self.keep_readings = KeepReadings(database, shadow, clock)
        shadow_days = settings.router.shadow_days
        self.forget = ForgetOld(
            database,
            [
                (inbox.forget, KEEP_EVENTS),
                (shadow.forget, timedelta(days=shadow_days)),
                (self.changing.runs.forget, KEEP_RUNS),
                (PostgresCodes().forget, KEEP_CODES),
            ],
            clock,
        )
        self.http = create_app(
            "heardback router",
            "Whose is it, what was done, who was told? The backlog, its items, loops and webhook endpoints.",
            metrics=metrics,
            readiness=readiness,
            max_body_bytes=settings.router.max_body_bytes,
            again="GET what you acted on to see whether it took effect; an old If-Match has none",
        )
        serve_routes(
            self.http,
            view_routes(database, PostgresBacklog(), clock, guard),
            duty_routes(self.backlog, guard),
            counter_routes(database, timers, clock, guard),
            forms_routes(database, source, clock, guard),
            message_routes(database, source, clock, guard),
            promise_routes(database, self.backlog, PostgresBacklog(), guard),
            context_routes(database, PostgresBacklog(), guard),
            option_routes(database, source, clock, guard),
            step_routes(database, self.backlog, timers, source, clock, guard),
            sla_routes(database, self.backlog, timers, source, clock, guard),
            *self.changing.routers(guard),
            team_routes(Teams(database, assignment, people, queues, source, self.outbox, clock), guard),
            tries_routes(RoutingTries(database, PostgresFeedback(), assignment, source, clock), guard),
            handover_routes(database, PostgresBacklog(), PostgresFeedback(), guard),
            grouping_routes(database, regroup, PostgresGroups(), grouping, cases, source, guard),
            correction_routes(self.corrections, AskScoring(scoring, clock), guard),
            quality_routes(TellQuality(database, clock), guard),
            campaign_routes(campaigns, Previews(campaigns, clock), guard),
            shadow_routes(TellDisagreement(database, shadow, clock), shadow_days, guard),
            *self.closing.routers(self.backlog),
            # Last: an item's own address takes whatever follows /v1/items/.
            backlog_routes(database, self.backlog, PostgresBacklog(), told, clocks, source, guard),
        )


async def _run(settings: Settings, kafka: KafkaSettings, database_settings: DatabaseSettings) -> None:
    service = settings.service
    configure_logs("router", service.log_level)
    clock, metrics = SystemClock(), Metrics()
    database = Database(database_settings)
    readiness = Readiness(
        {
            "database": partial(database_check, database),
            "broker": partial(broker_check, kafka.bootstrap_servers),
        }
    )
    core = Core(database, clock, metrics, readiness, settings)
    sink = KafkaSink(kafka)
    stage = Stage(
        "router",
        KafkaSource(kafka, [SCORED.name], GROUP, drain_seconds=service.drain_seconds),
        sink,
        core.route,
        service="router",
        clock=clock,
        metrics=metrics,
        policy=StagePolicy(max_records=settings.router.batch_records),
    )
    readings = Stage(
        "shadow",
        KafkaSource(kafka, [SHADOWED.name], SHADOW_GROUP, drain_seconds=service.drain_seconds, urgent=False),
        sink,
        core.keep_readings,
        service="router",
        clock=clock,
        metrics=metrics,
        policy=StagePolicy(max_records=settings.router.batch_records),
    )
    relay = OutboxRelay(database, core.outbox, sink, metrics)
    running = Service(
        "router",
        core.http,
        settings.router.port,
        readiness,
        intake={"router": stage.run, "shadow": readings.run},
        background={
            "relay": relay.run,
            "deliveries": core.closing.deliver,
            "messages": core.closing.messages.sending.run,
            "mail": core.closing.messages.mailing.run,
            "campaigns": core.feeder.run,
            "timekeeper": core.timekeeper.run,
            "standing": core.standings.run,
            "forgetting": core.forget.run,
            "what-ifs": core.changing.runner.run,
            "applying": core.changing.applying.run,
            "assigning": core.assign_waiting.run,
            "teaching": partial(core.teaching.run, partial(topic_end, kafka, JUDGEMENT)),
        },
    )
    await sink.start()
    try:
        await serve(running, service)
    finally:
        await sink.stop()
        await database.close()


if __name__ == "__main__":
    run()
