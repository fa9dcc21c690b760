"""Puts the customer's page together."""

from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter

from heardback_router.configuration.source import PolicySource
from heardback_router.loops.links import PAGE_PURPOSE, PURPOSE
from heardback_router.mail.ports import Mailer
from heardback_router.page.app import CustomerPage, Keys
from heardback_router.page.erasures import PostgresErasures
from heardback_router.page.erasures_http import erasure_routes
from heardback_router.page.http import page_routes
from heardback_router.page.mailing import MailCodes
from heardback_router.page.ports import Answering
from heardback_router.page.rendering import Pages
from heardback_router.page.store import PostgresCodes, PostgresMatters
from heardback_shared.clock import Clock
from heardback_shared.contact.store import PostgresContacts
from heardback_shared.contact.wish_store import PostgresWishes
from heardback_shared.db.database import Database
from heardback_shared.http.auth import Guard
from heardback_shared.http.rate_limit import RateLimiter
from heardback_shared.keyring import Keyring


@dataclass(frozen=True, slots=True)
class PageLinks:
    """Where the page is reached, how long a link to it is good, and how often it may be used."""

    public_url: str
    last: timedelta
    per_minute: int


def page_parts(
    database: Database,
    keyring: Keyring,
    answering: Answering,
    mailer: Mailer,
    policies: PolicySource,
    clock: Clock,
    guard: Guard,
    links: PageLinks,
) -> tuple[APIRouter, APIRouter]:
    """The page itself, and what people see of requests to be erased."""
    erasures = PostgresErasures()
    page = CustomerPage(
        database,
        matters=PostgresMatters(),
        contacts=PostgresContacts(keyring),
        wishes=PostgresWishes(keyring),
        codes=PostgresCodes(),
        erasures=erasures,
        sender=MailCodes(mailer),
        answering=answering,
        keyring=keyring,
        keys=Keys(page=keyring.key(PAGE_PURPOSE), loops=keyring.key(PURPOSE)),
        policies=policies,
        clock=clock,
        links_last=links.last,
    )
    limiter = RateLimiter(links.per_minute, who="The holder of this link")
    requests = erasure_routes(database, erasures, clock, guard)
    return page_routes(page, Pages(), links.public_url, limiter), requests
