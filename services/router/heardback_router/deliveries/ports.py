"""What deliveries need from around them, and the rows that travel between use cases and stores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.deliveries.addresses import Address
from heardback_router.deliveries.domain import Decision, DeliveryState, Response
from heardback_router.deliveries.endpoint import Endpoint
from heardback_router.deliveries.permits import Permits
from heardback_shared.stream.ports import Outgoing


@dataclass(frozen=True, slots=True)
class Message:
    """One event for one endpoint. `id` is the `webhook-id`; under one id the body never changes. `message_id`
    is the message to a customer that it carries, if it carries one."""

    id: str
    endpoint_id: str
    event_type: str
    body: bytes
    message_id: str | None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery this process may attempt until its lease ends. `claim` tells this claim from later ones."""

    tenant_id: str
    id: str
    endpoint_id: str
    message_id: str | None
    event_type: str
    body: bytes
    claim: int
    attempts: int
    url: str
    sealed_secrets: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    claimed: Claimed
    at: datetime
    response: Response
    duration_ms: int
    decision: Decision


@dataclass(frozen=True, slots=True)
class NewKey:
    """A sealed key. `public_key` is None for a shared secret."""

    id: str
    sealed: bytes
    public_key: str | None


@dataclass(frozen=True, slots=True)
class LiveKey:
    """Signs every delivery until `valid_until`; None: until it is replaced."""

    id: str
    sealed: bytes
    public_key: str | None
    created_at: datetime
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class EndpointEvent:
    """What happened to an endpoint: `kind` for machines, `because` in plain words."""

    at: datetime
    kind: str
    because: str | None
    actor: str


@dataclass(frozen=True, slots=True)
class AlertMail:
    """One e-mail to one of the tenant's own people; the Message-ID is made of `id`."""

    id: str
    endpoint_id: str
    address: str
    subject: str
    text: str


Which = Literal["missing", "all"]


@dataclass(frozen=True, slots=True)
class Replay:
    """Deliveries of a time range, sent again. `matched` were found, `queued` of them taken, oldest first; the
    rest is left for another replay."""

    id: str
    endpoint_id: str
    which: Which
    since: datetime
    until: datetime
    matched: int
    queued: int
    actor: str
    at: datetime


class Sender(Protocol):
    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        """One POST, never more: no redirect is followed. Never raises for what the receiver does."""
        ...

    async def ask(self, url: str, headers: Mapping[str, str]) -> Response:
        """One OPTIONS, under the same guard."""
        ...


class Resolver(Protocol):
    async def resolve(self, host: str, port: int) -> Sequence[Address]:
        """Every address of the name, in the order to try. Raises OSError when there is no answer."""
        ...


class Settler(Permits, Protocol):
    async def settle(
        self, connection: AsyncConnection, tenant_id: str, message_ids: Sequence[str], at: datetime
    ) -> Sequence[Outgoing]:
        """Brings messages in line with their deliveries, in the caller's transaction; returns the
        news."""
        ...


class Waker(Protocol):
    def wake(self) -> None: ...


class DeliveryQueue(Protocol):
    async def add(
        self, connection: AsyncConnection, tenant_id: str, messages: Sequence[Message], at: datetime
    ) -> None:
        """Queues them, due at once. A message id that is there already stays as it is."""
        ...

    async def claim(
        self,
        connection: AsyncConnection,
        *,
        now: datetime,
        lease_until: datetime,
        free: int,
        per_endpoint: int,
        busy: Mapping[str, int],
    ) -> Sequence[Claimed]:
        """Takes due deliveries, over all tenants, at most `free`: of endpoints that are enabled and proven,
        whose circuit is closed and whose throttle is over. Where an open circuit may be probed, one process
        takes one delivery; where the receiver set a rate, no more are taken than it allows.

        `busy` is how many are claimed here already, per endpoint.
        """
        ...

    async def postpone(self, connection: AsyncConnection, claimed: Claimed, until: datetime) -> None:
        """No attempt was made; it is due again then."""
        ...

    async def give_back(self, connection: AsyncConnection, left: Sequence[Claimed]) -> None:
        """All of one tenant, as if they had not been claimed."""
        ...

    async def record(
        self, connection: AsyncConnection, tenant_id: str, made: Sequence[Attempt]
    ) -> frozenset[str]:
        """Stores the attempts and moves their deliveries. The ids of those moved: a failure counts only for
        its claim."""
        ...

    async def states_of(
        self, connection: AsyncConnection, tenant_id: str, message_ids: Sequence[str]
    ) -> Mapping[str, Sequence[DeliveryState]]: ...

    async def fail_pending(
        self, connection: AsyncConnection, tenant_id: str, endpoint_id: str, because: str, at: datetime
    ) -> tuple[str, ...]:
        """Ends what still waits for this endpoint; returns the messages concerned."""
        ...

    async def replay(
        self, connection: AsyncConnection, tenant_id: str, delivery_id: str, at: datetime
    ) -> None:
        """Makes it due at once, with a fresh schedule and the same id and body."""
        ...

    async def count_range(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        endpoint_id: str,
        which: Which,
        since: datetime,
        until: datetime,
    ) -> int:
        """Deliveries made in the range that a replay would send: failed ones, or delivered ones, too."""
        ...

    async def replay_range(
        self, connection: AsyncConnection, tenant_id: str, replay: Replay, limit: int
    ) -> tuple[int, tuple[str, ...]]:
        """The oldest `limit` of them, like `replay`; how many that were, and the messages concerned."""
        ...

    async def add_replay(self, connection: AsyncConnection, tenant_id: str, replay: Replay) -> None: ...

    async def find_replay(
        self, connection: AsyncConnection, tenant_id: str, replay_id: str
    ) -> tuple[Replay, Mapping[DeliveryState, int]] | None:
        """With how its deliveries stand."""
        ...

    async def find(
        self, connection: AsyncConnection, tenant_id: str, delivery_id: str
    ) -> Mapping[str, Any] | None: ...

    async def search(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        filters: Mapping[str, str],
        after: tuple[datetime, str] | None,
        limit: int,
    ) -> Sequence[Mapping[str, Any]]:
        """Newest first, each with its attempts."""
        ...


class Endpoints(Protocol):
    async def add(
        self, connection: AsyncConnection, tenant_id: str, endpoint: Endpoint, created_by: str
    ) -> None: ...

    async def all(
        self, connection: AsyncConnection, tenant_id: str, *, lock: bool = False
    ) -> Sequence[Endpoint]:
        """In the order they were made. With `lock` none of them is removed or disabled before the commit."""
        ...

    async def count(self, connection: AsyncConnection, tenant_id: str) -> int:
        """How many there are. Until the commit nobody else counts them, so that a limit holds for adding."""
        ...

    async def find(
        self, connection: AsyncConnection, tenant_id: str, endpoint_id: str, *, lock: bool = False
    ) -> Endpoint | None: ...

    async def some(
        self, connection: AsyncConnection, tenant_id: str, endpoint_ids: Sequence[str]
    ) -> Sequence[Endpoint]:
        """Those of them that there are, without a lock."""
        ...

    async def remove(self, connection: AsyncConnection, tenant_id: str, endpoint_id: str) -> None:
        """With its keys and its history; its deliveries stay."""
        ...

    async def save(self, connection: AsyncConnection, tenant_id: str, endpoint: Endpoint) -> None:
        """All of it but who made it and when. Hold its lock."""
        ...

    async def put_key(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        endpoint_id: str,
        key: NewKey,
        at: datetime,
        old_valid_until: datetime,
    ) -> None:
        """The new key signs from now on; the one of its kind before it signs too until `old_valid_until`."""
        ...

    async def end_keys(
        self, connection: AsyncConnection, tenant_id: str, endpoint_id: str, kind: str, until: datetime
    ) -> None:
        """The keys of this kind (v1, v1a) sign no longer than this."""
        ...

    async def revoke_old_keys(
        self, connection: AsyncConnection, tenant_id: str, endpoint_id: str, at: datetime
    ) -> int:
        """Those that have been replaced sign no more; how many that were."""
        ...

    async def live_keys(
        self, connection: AsyncConnection, tenant_id: str, endpoint_id: str, at: datetime
    ) -> Sequence[LiveKey]:
        """Newest first."""
        ...

    async def note(
        self, connection: AsyncConnection, tenant_id: str, endpoint_id: str, event: EndpointEvent
    ) -> None: ...

    async def history(
        self, connection: AsyncConnection, tenant_id: str, endpoint_id: str
    ) -> Sequence[EndpointEvent]:
        """Newest first, the last hundred."""
        ...


class AlertMails(Protocol):
    async def addresses(self, connection: AsyncConnection, tenant_id: str) -> Sequence[str]: ...

    async def put_addresses(
        self, connection: AsyncConnection, tenant_id: str, addresses: Sequence[str], actor: str, at: datetime
    ) -> None: ...

    async def add(
        self, connection: AsyncConnection, tenant_id: str, mails: Sequence[AlertMail], at: datetime
    ) -> None: ...

    async def claim(
        self, connection: AsyncConnection, now: datetime, lease_until: datetime, limit: int
    ) -> Sequence[tuple[str, AlertMail, int]]:
        """Due mails of all tenants: (tenant, mail, tries including this one)."""
        ...

    async def ended(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        mail_id: str,
        state: Literal["sent", "failed"],
        because: str | None,
        at: datetime,
    ) -> None: ...

    async def again(
        self, connection: AsyncConnection, tenant_id: str, mail_id: str, because: str, at: datetime
    ) -> None:
        """It is due once more at `at`."""
        ...
