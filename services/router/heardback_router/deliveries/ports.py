"""What deliveries need from around them, and the rows that travel between use cases and stores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.deliveries.addresses import Address
from heardback_router.deliveries.domain import Decision, DeliveryState, Response
from heardback_router.deliveries.permits import Permits
from heardback_shared.stream.ports import Outgoing


@dataclass(frozen=True, slots=True)
class Message:
    """One event for one endpoint. `id` is the `webhook-id`; under one id the body never changes."""

    id: str
    endpoint_id: str
    event_type: str
    body: bytes
    loop_id: str | None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery this process may attempt until its lease ends. `claim` tells this claim from later ones."""

    tenant_id: str
    id: str
    endpoint_id: str
    loop_id: str | None
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
class Endpoint:
    id: str
    url: str
    description: str | None
    event_types: tuple[str, ...]
    enabled: bool
    disabled_because: str | None
    throttled_until: datetime | None
    created_at: datetime
    changed_at: datetime


class Sender(Protocol):
    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        """One POST, never more: no redirect is followed. Never raises for what the receiver does."""
        ...


class Resolver(Protocol):
    async def resolve(self, host: str, port: int) -> Sequence[Address]:
        """Every address of the name, in the order to try. Raises OSError when there is no answer."""
        ...


class LoopSettler(Permits, Protocol):
    async def settle(
        self, connection: AsyncConnection, tenant_id: str, loop_ids: Sequence[str], at: datetime
    ) -> Sequence[Outgoing]:
        """Brings the loops in line with their deliveries, in the caller's transaction; returns the news."""
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
        """Takes due deliveries of enabled endpoints, over all tenants, at most `free`.

        `busy` is how many attempts are in flight here already, per endpoint.
        """
        ...

    async def postpone(self, connection: AsyncConnection, claimed: Claimed, until: datetime) -> None:
        """No attempt was made; it is due again then."""
        ...

    async def record(self, connection: AsyncConnection, attempt: Attempt) -> tuple[str, ...]:
        """Stores the attempt and what follows from it; returns the loops it may have changed."""
        ...

    async def states_of_loops(
        self, connection: AsyncConnection, tenant_id: str, loop_ids: Sequence[str]
    ) -> Mapping[str, Sequence[DeliveryState]]: ...

    async def fail_pending(
        self, connection: AsyncConnection, tenant_id: str, endpoint_id: str, because: str, at: datetime
    ) -> tuple[str, ...]:
        """Ends what still waits for this endpoint; returns the loops concerned."""
        ...

    async def replay(
        self, connection: AsyncConnection, tenant_id: str, delivery_id: str, at: datetime
    ) -> None:
        """Makes it due at once, with a fresh schedule and the same id and body."""
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

    async def find(
        self, connection: AsyncConnection, tenant_id: str, endpoint_id: str, *, lock: bool = False
    ) -> Endpoint | None: ...

    async def remove(self, connection: AsyncConnection, tenant_id: str, endpoint_id: str) -> None:
        """With its secrets."""
        ...

    async def set_enabled(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        endpoint_id: str,
        *,
        enabled: bool,
        because: str | None,
        at: datetime,
    ) -> None: ...

    async def put_secret(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        endpoint_id: str,
        secret_id: str,
        sealed: bytes,
        at: datetime,
        old_valid_until: datetime,
    ) -> None:
        """The new secret signs from now on; the one before it signs too until `old_valid_until`."""
        ...
