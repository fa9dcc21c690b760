"""Closing the loop: puts loops, messages and channels together. Read this to see what talks to what."""

import asyncio
from dataclasses import dataclass

from fastapi import APIRouter

from heardback_router.deliveries.compose import Deliveries, Lent
from heardback_router.deliveries.endpoint_store import PostgresEndpoints
from heardback_router.deliveries.settings import WebhookSettings
from heardback_router.deliveries.store import PostgresDeliveryQueue
from heardback_router.loops.answers import Answers
from heardback_router.loops.app import LinkPolicy, Loops
from heardback_router.loops.http import answer_routes
from heardback_router.loops.links import PURPOSE
from heardback_router.loops.ports import Backlog
from heardback_router.loops.settings import LoopSettings
from heardback_router.loops.store import PostgresFeedbackOrigins, PostgresLoops
from heardback_router.mail.settings import MailSettings
from heardback_router.mail.smtp import SmtpMailer
from heardback_shared.clock import Clock
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


class Closing:
    """Everything about telling customers.

    `loops` goes to the backlog, `routers(backlog)` to the HTTP app, `deliver` to the background tasks of
    the service.
    """

    def __init__(
        self, around: Surroundings, loops: LoopSettings, webhooks: WebhookSettings, mail: MailSettings
    ) -> None:
        self._around = around
        self.mailer = SmtpMailer(mail, around.clock)
        self._link_key = around.keyring.key(PURPOSE)
        self.loops = Loops(
            PostgresLoops(),
            PostgresEndpoints(),
            PostgresDeliveryQueue(),
            PostgresFeedbackOrigins(),
            LinkPolicy(self._link_key, loops.public_url, loops.loop_link_days),
            around.metrics,
        )
        lent = Lent(
            around.database,
            around.outbox,
            around.keyring,
            around.clock,
            around.metrics,
            self.mailer,
            loops.public_url,
        )
        self.deliveries = Deliveries(lent, webhooks, self.loops)

    def routers(self, backlog: Backlog) -> tuple[APIRouter, ...]:
        around = self._around
        answers = Answers(around.database, around.outbox, self.loops, backlog, around.clock, self._link_key)
        return *self.deliveries.routers(around.guard), answer_routes(answers)

    async def deliver(self, stop: asyncio.Event) -> None:
        """The background task: delivers until told to stop, then drains."""
        await self.deliveries.run(stop)
