"""Signed, expiring links: who holds one may answer one loop, or open one customer's page; nothing else."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson

PURPOSE = "loop-links"
PAGE_PURPOSE = "page-links"
MAX_TOKEN = 2_000


class TamperedError(ValueError):
    """Not a token of ours, or changed on its way."""


class ExpiredError(ValueError):
    """Once ours, no longer valid."""


@dataclass(frozen=True, slots=True)
class LinkClaim:
    tenant_id: str
    loop_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PageClaim:
    """Opens the page of one customer, and nothing of anybody else."""

    tenant_id: str
    customer_id: str
    expires_at: datetime


def given_out_by(expires_at: datetime, lasts: timedelta, at: datetime | None) -> bool:
    """Whether a link that expires then was given out at `at` or before; links are good for `lasts`."""
    return at is not None and expires_at - lasts <= at


def sign_link(key: bytes, claim: LinkClaim) -> str:
    """`<claim>.<HMAC-SHA256>`, both base64url. Whole seconds: the same claim is always the same token."""
    return _signed(key, claim.tenant_id, claim.loop_id, claim.expires_at)


def read_link(key: bytes, token: str, now: datetime) -> LinkClaim:
    """Raises TamperedError or ExpiredError. The signature is checked before anything is believed."""
    return LinkClaim(*_read(key, token, now))


def sign_page(key: bytes, claim: PageClaim) -> str:
    """As `sign_link`; the key is that of PAGE_PURPOSE, so that neither link is taken for the other."""
    return _signed(key, claim.tenant_id, claim.customer_id, claim.expires_at)


def read_page(key: bytes, token: str, now: datetime) -> PageClaim:
    """Raises TamperedError or ExpiredError."""
    return PageClaim(*_read(key, token, now))


def _signed(key: bytes, tenant_id: str, subject: str, expires_at: datetime) -> str:
    body = _encode(orjson.dumps([tenant_id, subject, int(expires_at.timestamp())]))
    return f"{body}.{_encode(_mac(key, body))}"


def _read(key: bytes, token: str, now: datetime) -> tuple[str, str, datetime]:
    body, dot, mac = token.partition(".")
    if not dot or len(token) > MAX_TOKEN or not token.isascii():
        raise TamperedError("not a token")
    # Compared as text: the spelling of base64 is not unique, and another spelling is another token.
    if not hmac.compare_digest(_encode(_mac(key, body)), mac):
        raise TamperedError("the signature does not fit")
    try:
        tenant_id, subject, expires = orjson.loads(_decode(body))
        claim = str(tenant_id), str(subject), datetime.fromtimestamp(int(expires), UTC)
    except (ValueError, TypeError, binascii.Error) as error:
        raise TamperedError("not a token") from error
    if now >= claim[2]:
        raise ExpiredError("the link has expired")
    return claim


def _mac(key: bytes, body: str) -> bytes:
    return hmac.new(key, body.encode(), hashlib.sha256).digest()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
