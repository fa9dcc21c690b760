"""The signed addresses in messages to customers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from heardback_router.loops.links import LinkClaim, read_link, sign_link
from heardback_router.messages.domain import MessageLinks
from heardback_router.outreach.domain import Draft

DETAILS = "message-details"
"""Purpose of the key that signs details links: a customer's link opens no details and the other way round."""

ANSWERED = frozenset({"told"})
"""The steps that a customer is asked to confirm or dispute."""


@dataclass(frozen=True, slots=True)
class MessageAddresses:
    """`key` signs what customers hold, `details_key` what the tenant's systems fetch texts with."""

    key: bytes
    details_key: bytes
    public_url: str
    days: float
    details_days: float

    def links(self, tenant_id: str, draft: Draft, at: datetime) -> MessageLinks:
        """About the first loop of the message, by which the page finds the customer. Whole seconds, so that a
        link names the instant it expires."""
        expires_at = (at + timedelta(days=self.days)).replace(microsecond=0)
        subject = (draft.loop_ids or (draft.id,))[0]
        base = f"{self.public_url}/v1/loops/{sign_link(self.key, LinkClaim(tenant_id, subject, expires_at))}"
        answered = draft.step in ANSWERED and len(draft.loop_ids) == 1
        return MessageLinks(
            page=base,
            confirm=f"{base}:confirm" if answered else None,
            dispute=f"{base}:dispute" if answered else None,
            expires_at=expires_at,
        )

    def details(self, tenant_id: str, handover_id: str, at: datetime) -> tuple[str, datetime]:
        """The address of a hand-over's text, and until when it answers."""
        expires_at = (at + timedelta(days=self.details_days)).replace(microsecond=0)
        token = sign_link(self.details_key, LinkClaim(tenant_id, handover_id, expires_at))
        return f"{self.public_url}/v1/messages/details/{token}", expires_at

    def read_details(self, token: str, now: datetime) -> tuple[str, str]:
        """(tenant, hand-over). Raises TamperedError or ExpiredError."""
        claim = read_link(self.details_key, token, now)
        return claim.tenant_id, claim.loop_id


def preferences_of(drafts: Sequence[MessageLinks]) -> str | None:
    return next((links.preferences for links in drafts if links.preferences), None)
