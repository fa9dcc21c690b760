"""Puts the customer's page together, and makes the links to it."""

from datetime import datetime

from fastapi import APIRouter

from heardback_router.campaigns.change_store import PostgresChanges
from heardback_router.configuration.source import PolicySource
from heardback_router.loops.links import PAGE_PURPOSE, PURPOSE, PageClaim, sign_page
from heardback_router.mail.ports import Mailer
from heardback_router.page.app import CustomerPage, Keys
from heardback_router.page.erasures import PostgresErasures
from heardback_router.page.erasures_http import erasure_routes
from heardback_router.page.http import page_routes
from heardback_router.page.mailing import MailCodes
from heardback_router.page.ports import Answering, Contesting
from heardback_router.page.rendering import Pages
from heardback_router.page.store import PostgresCodes, PostgresMatters
from heardback_shared.clock import Clock
from heardback_shared.contact.domain import Purpose
from heardback_shared.contact.store import PostgresContacts
from heardback_shared.contact.wish_store import PostgresWishes
from heardback_shared.db.database import Database
from heardback_shared.http.auth import Guard
from heardback_shared.keyring import Keyring


class PageAddresses:
    """Addresses of customers' pages, for messages to them."""

    def __init__(self, keyring: Keyring, public_url: str) -> None:
        self._key = keyring.key(PAGE_PURPOSE)
        self._public_url = public_url

    def page(self, tenant_id: str, customer_id: str, expires_at: datetime) -> str:
        token = sign_page(self._key, PageClaim(tenant_id, customer_id, expires_at))
        return f"{self._public_url}/c/{token}"

    def unsubscribe(self, tenant_id: str, customer_id: str, purpose: Purpose, expires_at: datetime) -> str:
        """For `List-Unsubscribe`: a POST without more stops it, a GET shows a button that does."""
        return f"{self.page(tenant_id, customer_id, expires_at)}/unsubscribe/{purpose}"


def page_parts(
    database: Database,
    keyring: Keyring,
    answering: Answering,
    mailer: Mailer,
    policies: PolicySource,
    clock: Clock,
    guard: Guard,
    public_url: str,
    *,
    contesting: Contesting | None = None,
) -> tuple[APIRouter, APIRouter]:
    """The page itself, and what people see of requests to be erased."""
    erasures = PostgresErasures()
    page = CustomerPage(
        database,
        matters=PostgresMatters(PostgresChanges()),
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
        contesting=contesting,
    )
    return page_routes(page, Pages(), public_url), erasure_routes(database, erasures, clock, guard)
