"""A webhook endpoint: what it is sent, and whether it may be sent anything just now. Pure."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from heardback_router.deliveries.breaker import Health
from heardback_shared.contact.domain import Recipient

LOOP_EVENTS = (
    "loop.acknowledged",
    "loop.planned",
    "loop.told",
    "loop.delayed",
    "loop.contest_received",
    "loop.contest_answered",
    "loop.digest",
)
"""What concerns a customer; the group filter of an endpoint applies to these."""

ENDPOINT_DISABLED, ENDPOINT_RECOVERED = "endpoint.disabled", "endpoint.recovered"
DELIVERY_EXHAUSTED = "delivery.exhausted"
OPERATIONAL_EVENTS = (ENDPOINT_DISABLED, ENDPOINT_RECOVERED, DELIVERY_EXHAUSTED)
"""What concerns the tenant's own people: how another endpoint fares."""

SUBSCRIBABLE = (*LOOP_EVENTS, *OPERATIONAL_EVENTS)
ENDPOINT_TEST, ENDPOINT_PING = "endpoint.test", "endpoint.ping"
"""Sent on request or as a proof or probe, whatever the filter says."""

FIELDS = ("message", "feedback", "changes")
"""What a thin body leaves out unless the endpoint asks for it: the words written for the customer, where the
feedback came from, and which change records the words rest on."""

Signature = Literal["v1", "v1a", "both"]
"""`v1`: HMAC-SHA256 by a shared secret. `v1a`: ed25519, verified by a public key."""

DisabledBy = Literal["person", "failures", "gone"]
ProofMethod = Literal["handshake", "ping"]


@dataclass(frozen=True, slots=True)
class Group:
    """Customers by what is known of them; an empty list takes all, and one that names something takes only
    customers of whom it is known."""

    tiers: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    def holds(self, recipient: Recipient | None) -> bool:
        known = (
            (self.tiers, recipient.tier if recipient else None),
            (self.segments, recipient.segment if recipient else None),
            (self.regions, recipient.region if recipient else None),
        )
        return all(not wanted or value in wanted for wanted, value in known)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`proven`: whoever answers at the URL agreed to be sent webhooks; before that only proofs are sent.

    `held_since` is set while it is disabled by hand or unproven: what waits for it fails in the end.
    `rate_per_minute` is what the receiver allowed in the handshake; None: no limit.
    """

    id: str
    url: str
    description: str | None
    event_types: tuple[str, ...]
    enabled: bool
    disabled_because: str | None
    throttled_until: datetime | None
    created_at: datetime
    changed_at: datetime
    group: Group = field(default_factory=Group)
    fields: tuple[str, ...] = ()
    signature: Signature = "v1"
    proven: bool = False
    proven_at: datetime | None = None
    proof_method: ProofMethod | None = None
    proof_because: str | None = None
    rate_per_minute: int | None = None
    disabled_by: DisabledBy | None = None
    held_since: datetime | None = None
    probe_at: datetime | None = None
    probes: int = 0
    portal_generation: int = 1
    health: Health = field(default_factory=Health)


def takes(endpoint: Endpoint, event_type: str, recipient: Recipient | None) -> bool:
    """Whether the event is to be queued for the endpoint: it is enabled and proven, its filter names the
    type (an empty one takes all), and its group holds the customer."""
    return endpoint.enabled and endpoint.proven and wants(endpoint, event_type, recipient)


def wants(endpoint: Endpoint, event_type: str, recipient: Recipient | None) -> bool:
    """Whether it would be queued if the endpoint were up."""
    if endpoint.event_types and event_type not in endpoint.event_types:
        return False
    return event_type in OPERATIONAL_EVENTS or endpoint.group.holds(recipient)


def disabled(
    endpoint: Endpoint, by: DisabledBy, because: str, at: datetime, probe_at: datetime | None = None
) -> Endpoint:
    """Nothing is sent; `probe_at` is when it is asked whether it is back."""
    return replace(
        endpoint,
        enabled=False,
        disabled_by=by,
        disabled_because=because,
        held_since=endpoint.held_since or (at if by == "person" else None),
        probe_at=probe_at,
        probes=0,
        health=Health(),
        throttled_until=None,
        changed_at=at,
    )


def enabled(endpoint: Endpoint, at: datetime) -> Endpoint:
    """With a clean sheet; an unproven one is still held back."""
    return replace(
        endpoint,
        enabled=True,
        disabled_by=None,
        disabled_because=None,
        held_since=None if endpoint.proven else endpoint.held_since or at,
        probe_at=None,
        probes=0,
        health=Health(),
        throttled_until=None,
        changed_at=at,
    )


def proved(endpoint: Endpoint, method: ProofMethod, rate_per_minute: int | None, at: datetime) -> Endpoint:
    return replace(
        endpoint,
        proven=True,
        proven_at=at,
        proof_method=method,
        proof_because=None,
        rate_per_minute=rate_per_minute,
        held_since=endpoint.held_since if endpoint.disabled_by == "person" else None,
        changed_at=at,
    )


def moved(endpoint: Endpoint, url: str, at: datetime) -> Endpoint:
    """To another URL: whoever answers there has to agree anew."""
    return replace(
        endpoint,
        url=url,
        proven=False,
        proven_at=None,
        proof_method=None,
        proof_because="the URL was changed",
        rate_per_minute=None,
        held_since=endpoint.held_since or at,
        health=Health(),
        throttled_until=None,
        changed_at=at,
    )
