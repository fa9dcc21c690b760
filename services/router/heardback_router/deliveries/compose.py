"""Puts endpoints, deliveries and the portal together. Read this to see what talks to what."""

import asyncio
import random
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from fastapi import APIRouter

from heardback_router.deliveries.alarms import Alarms
from heardback_router.deliveries.alert_store import PostgresAlertMails
from heardback_router.deliveries.app import Webhooks
from heardback_router.deliveries.breaker import BreakerPolicy
from heardback_router.deliveries.care import CarePolicy, Caretaker
from heardback_router.deliveries.dispatch import Dispatcher, Limits
from heardback_router.deliveries.domain import RetryPolicy
from heardback_router.deliveries.endpoint_store import PostgresEndpoints
from heardback_router.deliveries.http import endpoint_routes
from heardback_router.deliveries.httpcore_sender import HttpcoreSender, SystemResolver
from heardback_router.deliveries.keys import Keys
from heardback_router.deliveries.log import DeliveryLog
from heardback_router.deliveries.log_http import log_routes
from heardback_router.deliveries.portal import Portal
from heardback_router.deliveries.portal_http import portal_routes
from heardback_router.deliveries.ports import Settler
from heardback_router.deliveries.proving import Prover
from heardback_router.deliveries.proxy import read_proxy
from heardback_router.deliveries.recording import Recorder
from heardback_router.deliveries.seal import SecretSeal
from heardback_router.deliveries.settings import WebhookSettings
from heardback_router.deliveries.store import PostgresDeliveryQueue
from heardback_router.mail.ports import Mailer
from heardback_shared import __version__
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox
from heardback_shared.http.auth import Guard
from heardback_shared.http.rate_limit import RateLimiter
from heardback_shared.keyring import Keyring
from heardback_shared.metrics import Metrics


@dataclass(frozen=True)
class LentToWebhooks:
    """What the service has anyway and lends to webhooks. `public_url` is where this service is reached."""

    database: Database
    outbox: Outbox
    keyring: Keyring
    clock: Clock
    metrics: Metrics
    mailer: Mailer
    public_url: str


class Deliveries:
    """Everything about webhooks. `settler` hears of deliveries that ended; `run` is a background task."""

    def __init__(self, lent: LentToWebhooks, settings: WebhookSettings, settler: Settler) -> None:
        self._lent = lent
        endpoints, queue, mails = PostgresEndpoints(), PostgresDeliveryQueue(), PostgresAlertMails()
        seal, breaker, retry = SecretSeal(lent.keyring), BreakerPolicy(), RetryPolicy()
        keys = Keys(endpoints, seal)
        alarms = Alarms(endpoints, queue, mails)
        self.recorder = Recorder(endpoints, queue, alarms, breaker)
        self.sender = HttpcoreSender(
            SystemResolver(),
            settings.url_rules,
            timeout_seconds=settings.timeout_seconds,
            connections=settings.concurrency,
            user_agent=f"heardback/{__version__}",
            proxy=read_proxy(settings.proxy) if settings.proxy else None,
        )
        self.dispatcher = Dispatcher(
            lent.database,
            queue,
            self.recorder,
            self.sender,
            settler,
            lent.outbox,
            seal,
            clock=lent.clock,
            metrics=lent.metrics,
            policy=retry,
            limits=Limits(
                settings.concurrency,
                settings.concurrency_per_endpoint,
                settings.lease_seconds,
                settings.poll_seconds,
            ),
            draw=lambda: random.uniform(-1, 1),  # noqa: S311  (spreads load; nothing secret hangs on it)
        )
        self.webhooks = Webhooks(
            lent.database,
            endpoints,
            keys,
            queue,
            alarms,
            mails,
            settler=settler,
            outbox=lent.outbox,
            waker=self.dispatcher,
            clock=lent.clock,
            rules=settings.url_rules,
            limit=settings.endpoints_per_tenant,
        )
        origin = settings.origin or urlsplit(lent.public_url).hostname or "heardback"
        self.prover = Prover(lent.database, endpoints, keys, self.sender, self.dispatcher, lent.clock, origin)
        self.log = DeliveryLog(
            lent.database,
            endpoints,
            queue,
            settler,
            lent.outbox,
            self.dispatcher,
            lent.clock,
            settings.replay_limit,
        )
        self.portal = Portal(
            lent.database,
            endpoints,
            lent.keyring,
            lent.clock,
            lent.public_url,
            timedelta(hours=settings.portal_hours),
            RateLimiter(settings.portal_per_minute, who="The holder of this link"),
        )
        self.caretaker = Caretaker(
            lent.database,
            endpoints,
            queue,
            mails,
            alarms,
            prover=self.prover,
            mailer=lent.mailer,
            settler=settler,
            outbox=lent.outbox,
            waker=self.dispatcher,
            clock=lent.clock,
            policy=CarePolicy(
                timedelta(hours=settings.hold_hours), settings.care_seconds, breaker, retry.delays_seconds
            ),
        )

    def routers(self, guard: Guard) -> tuple[APIRouter, ...]:
        return (
            endpoint_routes(self.webhooks, self.prover, guard),
            log_routes(self.log, guard),
            portal_routes(self.portal, self.log, guard),
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Delivers and looks after endpoints until told to stop, then drains."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.dispatcher.run(stop))
                group.create_task(self.caretaker.run(stop))
        finally:
            await self.sender.close()
