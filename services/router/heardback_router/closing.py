"""Closing the loop: puts loops, messages and channels together. Read this to see what talks to what."""

import asyncio
from dataclasses import dataclass

from fastapi import APIRouter

from heardback_router.campaigns.change_store import PostgresChanges
from heardback_router.campaigns.evidence import PostgresEvidence
from heardback_router.campaigns.guarding import ContentGuard
from heardback_router.configuration.source import PolicySource
from heardback_router.deliveries.compose import Deliveries, LentToWebhooks
from heardback_router.deliveries.dispatch import Dispatcher
from heardback_router.deliveries.endpoint_store import PostgresEndpoints
from heardback_router.deliveries.settings import WebhookSettings
from heardback_router.deliveries.store import PostgresDeliveryQueue
from heardback_router.loops.answers import Answers
from heardback_router.loops.app import Loops
from heardback_router.loops.contest_http import contest_routes
from heardback_router.loops.contests import Contests, PostgresContests
from heardback_router.loops.figures_http import figure_routes
from heardback_router.loops.http import answer_routes
from heardback_router.loops.links import PURPOSE
from heardback_router.loops.ports import Backlog
from heardback_router.loops.review_http import review_routes
from heardback_router.loops.review_store import PostgresReviews
from heardback_router.loops.reviews import Kept, Reviews
from heardback_router.loops.saying import Saying
from heardback_router.loops.settings import LoopSettings
from heardback_router.loops.store import PostgresFeedbackOrigins, PostgresLoops
from heardback_router.loops.telling_store import PostgresTellings
from heardback_router.mail.settings import MailSettings
from heardback_router.mail.smtp import SmtpMailer
from heardback_router.outreach.compose import Lent, Messages, message_queue
from heardback_router.outreach.links import DETAILS, MessageAddresses
from heardback_router.outreach.settings import OutreachSettings
from heardback_router.page.addresses import PageAddresses
from heardback_router.page.compose import page_parts
from heardback_shared.clock import Clock
from heardback_shared.contact.store import PostgresContacts
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox
from heardback_shared.http.auth import Guard
from heardback_shared.keyring import Keyring
from heardback_shared.metrics import Metrics


@dataclass(frozen=True)
class Surroundings:
    """What the service has anyway and lends to loops."""

    database: Database
    outbox: Outbox
    keyring: Keyring
    clock: Clock
    metrics: Metrics
    guard: Guard
    policies: PolicySource


@dataclass
class _Bell:
    """Wakes the dispatcher, which is made after those who have something for it."""

    dispatcher: Dispatcher | None = None

    def wake(self) -> None:
        if self.dispatcher is not None:
            self.dispatcher.wake()


class Closing:
    """Everything about telling customers.

    `loops` goes to the backlog, `routers(backlog)` to the HTTP app, `deliver` to the background tasks of
    the service.
    """

    def __init__(
        self,
        around: Surroundings,
        loops: LoopSettings,
        webhooks: WebhookSettings,
        mail: MailSettings,
        messages: OutreachSettings,
    ) -> None:
        self._around = around
        self.mailer = SmtpMailer(mail, around.clock)
        self._public_url = loops.public_url
        self._link_key = around.keyring.key(PURPOSE)
        endpoints, queue = PostgresEndpoints(), PostgresDeliveryQueue()
        store, tellings, reviews = PostgresLoops(), PostgresTellings(), PostgresReviews()
        changes = PostgresChanges()
        contacts = PostgresContacts(around.keyring)
        outreach = message_queue(around.metrics)
        saying = Saying(store, tellings, reviews, contacts, outreach)
        self.loops = Loops(store, tellings, reviews, saying, outreach, changes, around.metrics)
        self._store, self._saying, self._reviews = store, saying, reviews
        self.reviews = Reviews(
            around.database,
            around.outbox,
            Kept(store, tellings, reviews),
            self.loops,
            outreach,
            changes,
            around.policies,
            around.clock,
            wording=ContentGuard(PostgresEvidence()),
        )
        bell = _Bell()
        addresses = MessageAddresses(
            self._link_key,
            PageAddresses(around.keyring, loops.public_url),
            around.keyring.key(DETAILS),
            loops.public_url,
            loops.loop_link_days,
            messages.details_days,
        )
        lent = Lent(
            around.database,
            around.outbox,
            around.keyring,
            around.clock,
            around.metrics,
            around.guard,
            around.policies,
            contacts,
            self.mailer,
            endpoints,
            queue,
            PostgresFeedbackOrigins(),
            addresses,
        )
        self.messages = Messages(lent, messages, self.loops, bell)
        to_webhooks = LentToWebhooks(
            around.database,
            around.outbox,
            around.keyring,
            around.clock,
            around.metrics,
            self.mailer,
            loops.public_url,
        )
        self.deliveries = Deliveries(to_webhooks, webhooks, self.messages.ending)
        bell.dispatcher = self.deliveries.dispatcher

    def routers(self, backlog: Backlog) -> tuple[APIRouter, ...]:
        around = self._around
        database, outbox, guard, clock = around.database, around.outbox, around.guard, around.clock
        kept = PostgresContests()
        contests = Contests(
            database,
            outbox,
            self._store,
            kept,
            self._saying,
            backlog,
            around.policies,
            clock,
            wording=ContentGuard(PostgresEvidence()),
        )
        answers = Answers(database, outbox, self.loops, backlog, clock, self._link_key, contests)
        page = page_parts(
            database, around.keyring, answers, self.mailer, around.policies, clock, guard, self._public_url
        )
        return (
            *page,
            *self.deliveries.routers(guard),
            self.messages.routes(),
            review_routes(database, self._reviews, self.reviews, guard),
            contest_routes(database, kept, contests, clock, guard),
            figure_routes(database, clock, guard),
            # Last: a link's address takes whatever follows /v1/loops/.
            answer_routes(answers),
        )

    async def deliver(self, stop: asyncio.Event) -> None:
        """The background task: delivers until told to stop, then drains."""
        await self.deliveries.run(stop)
