"""Puts the customer's page together."""

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
from heardback_shared.keyring import Keyring


def page_parts(
    database: Database,
    keyring: Keyring,
    answering: Answering,
    mailer: Mailer,
    policies: PolicySource,
    clock: Clock,
    guard: Guard,
    public_url: str,
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
    )
    return page_routes(page, Pages(), public_url), erasure_routes(database, erasures, clock, guard)
