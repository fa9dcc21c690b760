"""Addresses of customers' pages, for messages to them."""

from datetime import datetime

from heardback_router.loops.links import PAGE_PURPOSE, PageClaim, sign_page
from heardback_shared.contact.domain import Purpose
from heardback_shared.keyring import Keyring


class PageAddresses:
    def __init__(self, keyring: Keyring, public_url: str) -> None:
        self._key = keyring.key(PAGE_PURPOSE)
        self._public_url = public_url

    def page(self, tenant_id: str, customer_id: str, expires_at: datetime) -> str:
        token = sign_page(self._key, PageClaim(tenant_id, customer_id, expires_at))
        return f"{self._public_url}/c/{token}"

    def unsubscribe(self, tenant_id: str, customer_id: str, purpose: Purpose, expires_at: datetime) -> str:
        """For `List-Unsubscribe`: a POST without more stops it, a GET shows a button that does."""
        return f"{self.page(tenant_id, customer_id, expires_at)}/unsubscribe/{purpose}"
