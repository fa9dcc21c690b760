"""Puts the parts of outreach together."""

from dataclasses import dataclass

from fastapi import APIRouter

from heardback_router.configuration.source import PolicySource
from heardback_router.deliveries.ports import DeliveryQueue, Endpoints, Waker
from heardback_router.loops.ports import FeedbackOrigins
from heardback_router.mail.ports import Mailer
from heardback_router.outreach.channels import Channels
from heardback_router.outreach.details import Details
from heardback_router.outreach.ending import Ending
from heardback_router.outreach.http import outreach_routes
from heardback_router.outreach.letters import PostgresLetters
from heardback_router.outreach.links import MessageAddresses
from heardback_router.outreach.mailing import Mailing
from heardback_router.outreach.ports import Listener
from heardback_router.outreach.queue import MessageQueue
from heardback_router.outreach.reader import PostgresMessageReader
from heardback_router.outreach.sending import Sending
from heardback_router.outreach.settings import OutreachSettings
from heardback_router.outreach.store import PostgresMessages
from heardback_shared.clock import Clock
from heardback_shared.contact.ports import Contacts
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox
from heardback_shared.http.auth import Guard
from heardback_shared.http.rate_limit import RateLimiter
from heardback_shared.keyring import Keyring
from heardback_shared.metrics import Metrics


@dataclass(frozen=True)
class Lent:
    """What outreach is lent by what is around it."""

    database: Database
    outbox: Outbox
    keyring: Keyring
    clock: Clock
    metrics: Metrics
    guard: Guard
    policies: PolicySource
    contacts: Contacts
    mailer: Mailer
    endpoints: Endpoints
    deliveries: DeliveryQueue
    origins: FeedbackOrigins
    addresses: MessageAddresses


class Messages:
    """Made before the dispatcher and the loops, which both need a part of it: `ending` settles deliveries."""

    def __init__(self, lent: Lent, settings: OutreachSettings, listener: Listener, deliveries: Waker) -> None:
        store = PostgresMessages()
        self.ending = Ending(store, lent.deliveries, lent.contacts, lent.policies, listener, lent.metrics)
        self.mailing = Mailing(
            lent.database,
            PostgresLetters(),
            lent.mailer,
            lent.contacts,
            self.ending,
            lent.outbox,
            clock=lent.clock,
            metrics=lent.metrics,
            settings=settings,
        )
        channels = Channels(
            lent.endpoints,
            lent.deliveries,
            lent.origins,
            lent.mailer,
            lent.addresses,
            (deliveries, self.mailing),
        )
        self.sending = Sending(
            lent.database,
            store,
            lent.contacts,
            lent.policies,
            channels,
            self.ending,
            lent.addresses,
            lent.outbox,
            clock=lent.clock,
            metrics=lent.metrics,
            settings=settings,
        )
        self._lent = lent
        self._limit = settings.details_per_minute

    def routes(self) -> APIRouter:
        lent = self._lent
        reader = PostgresMessageReader()
        limiter = RateLimiter(self._limit)
        details = Details(lent.database, reader, lent.addresses, lent.keyring, limiter, lent.clock)
        return outreach_routes(lent.database, reader, details, lent.guard)


def message_queue(metrics: Metrics) -> MessageQueue:
    return MessageQueue(PostgresMessages(), metrics)
