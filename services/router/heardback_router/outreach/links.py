"""The signed addresses in messages to customers."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from heardback_router.loops.links import LinkClaim, read_link, sign_link
from heardback_router.messages.domain import AnswerLinks, MessageLinks
from heardback_router.outreach.domain import MOST_IDS, Draft
from heardback_router.page.addresses import PageAddresses

DETAILS = "message-details"
"""Purpose of the key that signs details links: a customer's link opens no details and the other way round."""

ANSWERED = frozenset({"told"})
"""The steps that a customer is asked to confirm or dispute."""


@dataclass(frozen=True, slots=True)
class MessageAddresses:
    """`key` signs what customers hold, `details_key` what the tenant's systems fetch texts with."""

    key: bytes
    pages: PageAddresses
    details_key: bytes
    public_url: str
    days: float
    details_days: float

    def links(self, tenant_id: str, draft: Draft, at: datetime) -> MessageLinks:
        """The customer's own page, and what answers the loop of the message, or each of its loops: the first
        ten, and all of them are on the page.

        Whole seconds, so that a link names the instant it expires.
        """
        expires_at = (at + timedelta(days=self.days)).replace(microsecond=0)
        page = self.pages.page(tenant_id, draft.customer_id, expires_at)
        stop = self.pages.unsubscribe(tenant_id, draft.customer_id, draft.purpose, expires_at)
        plain = MessageLinks(page, preferences=f"{page}#purposes", unsubscribe=stop, expires_at=expires_at)
        if draft.step not in ANSWERED:
            return plain
        answers = tuple(self._answer(tenant_id, loop_id, expires_at) for loop_id in draft.loop_ids[:MOST_IDS])
        if len(draft.loop_ids) != 1:
            return replace(plain, answers=answers)
        (only,) = answers
        return replace(plain, confirm=only.confirm, dispute=only.dispute)

    def _answer(self, tenant_id: str, loop_id: str, expires_at: datetime) -> AnswerLinks:
        token = sign_link(self.key, LinkClaim(tenant_id, loop_id, expires_at))
        base = f"{self.public_url}/v1/loops/{token}"
        return AnswerLinks(loop_id, f"{base}:confirm", f"{base}:dispute")

    def details(self, tenant_id: str, handover_id: str, at: datetime) -> tuple[str, datetime]:
        """The address of a hand-over's text, and until when it answers."""
        expires_at = (at + timedelta(days=self.details_days)).replace(microsecond=0)
        token = sign_link(self.details_key, LinkClaim(tenant_id, handover_id, expires_at))
        return f"{self.public_url}/v1/messages/details/{token}", expires_at

    def read_details(self, token: str, now: datetime) -> tuple[str, str]:
        """(tenant, hand-over). Raises TamperedError or ExpiredError."""
        claim = read_link(self.details_key, token, now)
        return claim.tenant_id, claim.loop_id
