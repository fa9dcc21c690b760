"""What endpoints and deliveries look like over HTTP."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from heardback_router.deliveries.app import Shown
from heardback_router.deliveries.breaker import Circuit
from heardback_router.deliveries.domain import DeliveryState
from heardback_router.deliveries.endpoint import DisabledBy, Group, ProofMethod, Signature
from heardback_router.deliveries.ports import Replay, Which
from heardback_shared.contracts.base import Submission

WRITE, READ = "endpoints:write", "items:read"

Id = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,64}$")]
IdFilter = Annotated[str | None, Query(pattern=r"^[a-z0-9_]{1,64}$")]
Words = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True, pattern=r"^[^\x00]*$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
Names = Annotated[tuple[Name, ...], Field(max_length=50)]
EventType = Literal[
    "loop.acknowledged",
    "loop.planned",
    "loop.told",
    "loop.delayed",
    "loop.contest_received",
    "loop.contest_answered",
    "loop.digest",
    "endpoint.disabled",
    "endpoint.recovered",
    "delivery.exhausted",
]
FieldName = Literal["message", "feedback", "changes"]
EventTypes = Annotated[tuple[EventType, ...], Field(max_length=20, description="Empty takes every event")]
FieldNames = Annotated[
    tuple[FieldName, ...],
    Field(max_length=10, description="What bodies hold besides ids and links; nothing unless asked for"),
]


class GroupIn(Submission):
    """Customers by what is known of them; an empty list takes all."""

    tiers: Names = ()
    segments: Names = ()
    regions: Names = ()

    def read(self) -> Group:
        return Group(self.tiers, self.segments, self.regions)


class EndpointIn(Submission):
    url: Annotated[str, Field(description="https, a public host, a usual port")]
    event_types: EventTypes = ()
    description: Words | None = None
    group: GroupIn = GroupIn()
    fields: FieldNames = ()
    signature: Signature = "v1"


class EndpointChange(Submission):
    """What is left out stays as it is. Another URL has to be proved again."""

    url: str | None = None
    event_types: EventTypes | None = None
    description: Words | None = None
    group: GroupIn | None = None
    fields: FieldNames | None = None
    signature: Signature | None = None


class ProveIn(Submission):
    method: ProofMethod | None = Field(
        default=None, description="Without it the handshake is tried first, then the ping"
    )


class DisableIn(Submission):
    reason: Words | None = None


class AddressesIn(Submission):
    addresses: Annotated[tuple[Name, ...], Field(max_length=20)]


class Addresses(BaseModel):
    addresses: list[str]


class ReplayIn(Submission):
    which: Which = Field(default="missing", description="`missing`: what never arrived; `all`: what did, too")
    since: AwareDatetime
    until: AwareDatetime | None = None


class ProofOut(BaseModel):
    state: Literal["unproven", "proven"]
    method: ProofMethod | None
    at: AwareDatetime | None
    because: str | None = Field(description="Why it is not proven")


class HealthOut(BaseModel):
    circuit: Circuit
    probe_at: AwareDatetime | None = Field(description="When one delivery, or a ping, is tried again")
    failures: int = Field(description="Since the last success")
    failing_since: AwareDatetime | None


class KeyOut(BaseModel):
    id: str
    kind: Literal["v1", "v1a"]
    public_key: str | None = Field(description="`whpk_…`, for v1a")
    created_at: AwareDatetime
    valid_until: AwareDatetime | None = Field(description="Set once it has been replaced")


class GroupOut(BaseModel):
    tiers: tuple[str, ...]
    segments: tuple[str, ...]
    regions: tuple[str, ...]


class EndpointOut(BaseModel):
    id: str
    url: str
    description: str | None
    event_types: tuple[str, ...]
    group: GroupOut
    fields: tuple[str, ...]
    signature: Signature
    keys: list[KeyOut]
    proof: ProofOut
    enabled: bool
    disabled_because: str | None
    disabled_by: DisabledBy | None
    health: HealthOut
    rate_per_minute: int | None
    throttled_until: AwareDatetime | None
    created_at: AwareDatetime
    changed_at: AwareDatetime


class EndpointShown(EndpointOut):
    """`secret` is there when one was made just now, and never again."""

    secret: str | None = None


class EndpointList(BaseModel):
    endpoints: list[EndpointOut]


class KeysRotated(BaseModel):
    secret: str | None = Field(description="For v1; signs from now on and is shown this once")
    public_key: str | None = Field(description="For v1a; can be read at any time")
    old_secret_valid_until: AwareDatetime = Field(description="Until then the keys before these sign too")


class EventOut(BaseModel):
    at: AwareDatetime
    kind: str
    because: str | None
    actor: str


class History(BaseModel):
    events: list[EventOut]


class AttemptOut(BaseModel):
    number: int
    at: AwareDatetime
    outcome: Literal["delivered", "retry", "gave_up", "disabled"]
    status: int | None
    response: str = Field(description="The beginning of the answer, at most 1 kB")
    error: str | None
    duration_ms: int


class DeliveryOut(BaseModel):
    id: str = Field(description="The webhook-id: the same over retries and replays")
    endpoint_id: str
    message_id: str | None = Field(description="The message to a customer that it carries, as in its body")
    event_type: str
    state: DeliveryState
    because: str | None
    attempt_count: int = Field(description="Attempts in the current schedule; a replay starts it anew")
    next_attempt_at: AwareDatetime | None
    created_at: AwareDatetime
    done_at: AwareDatetime | None
    erased_at: AwareDatetime | None = Field(
        description="When its body was erased with the customer's data; it cannot be sent again"
    )
    attempts: list[AttemptOut]


class DeliveryList(BaseModel):
    deliveries: list[DeliveryOut]
    next_cursor: str | None


class ReplayOut(BaseModel):
    id: str
    endpoint_id: str
    which: Which
    since: AwareDatetime
    until: AwareDatetime
    matched: int = Field(description="Deliveries in the range when it was asked for")
    queued: int = Field(description="So many of them are sent again, oldest first")
    left: int = Field(description="More than one replay takes; replay again for these")
    pending: int
    delivered: int
    failed: int
    at: AwareDatetime


class PortalLinkIn(Submission):
    hours: float | None = Field(default=None, gt=0, le=2_160)


class PortalLinkOut(BaseModel):
    url: str = Field(description="Whoever has it sees and replays this endpoint's deliveries, nothing else")
    expires_at: AwareDatetime


def show_endpoint(shown: Shown) -> EndpointShown:
    e, health = shown.endpoint, shown.endpoint.health
    same = {
        name: getattr(e, name)
        for name in EndpointOut.model_fields
        if name not in {"keys", "proof", "health", "group"}
    }
    return EndpointShown(
        **same,
        group=GroupOut(tiers=e.group.tiers, segments=e.group.segments, regions=e.group.regions),
        keys=[
            KeyOut(
                id=key.id,
                kind="v1" if key.public_key is None else "v1a",
                public_key=key.public_key,
                created_at=key.created_at,
                valid_until=key.valid_until,
            )
            for key in shown.keys
        ],
        proof=ProofOut(
            state="proven" if e.proven else "unproven",
            method=e.proof_method,
            at=e.proven_at,
            because=e.proof_because,
        ),
        health=HealthOut(
            circuit=health.circuit,
            probe_at=e.probe_at if not e.enabled else health.until,
            failures=health.failures,
            failing_since=health.failing_since,
        ),
        secret=shown.issued.secret if shown.issued else None,
    )


def show_delivery(row: Mapping[str, Any]) -> DeliveryOut:
    attempts = [
        AttemptOut(**{name: made[name] for name in AttemptOut.model_fields}) for made in row["attempt_log"]
    ]
    return DeliveryOut(
        id=row["id"],
        endpoint_id=row["endpoint_id"],
        message_id=row["message_id"],
        event_type=row["event_type"],
        state=row["state"],
        because=row["because"],
        attempt_count=row["attempts"],
        next_attempt_at=row["next_attempt_at"] if row["state"] == "pending" else None,
        created_at=row["created_at"],
        done_at=row["done_at"],
        erased_at=row["erased_at"],
        attempts=attempts,
    )


def show_replay(replay: Replay, states: Mapping[DeliveryState, int]) -> ReplayOut:
    counts = {state: states.get(state, 0) for state in ("pending", "delivered", "failed")}
    same = {
        name: getattr(replay, name)
        for name in ("id", "endpoint_id", "which", "since", "until", "matched", "queued", "at")
    }
    return ReplayOut(**same, left=replay.matched - replay.queued, **counts)


def show_events(events: Sequence[Any]) -> History:
    return History(events=[EventOut(at=e.at, kind=e.kind, because=e.because, actor=e.actor) for e in events])
