"""What the use cases need from storage. Every method works inside the caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.domain.customer import Ages
from heardback_ingest.domain.ledger import Due, State
from heardback_shared.contracts.customer import CustomerSnapshot
from heardback_shared.contracts.events import CustomerStanding


@dataclass(frozen=True, slots=True)
class NewRow:
    """One revision, about to enter the ledger."""

    feedback_id: str
    revision: int
    source: str
    external_id: str
    kind: str
    customer_id: str | None
    metric_value: float | None
    content_hmac: bytes
    event: bytes
    traceparent: str | None
    accepted_at: datetime
    state: State
    reason: str | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger already has of a feedback."""

    newest_revision: int
    newest_accepted_at: datetime


@dataclass(frozen=True, slots=True)
class Settlement:
    """Router's outcome for one revision and pass."""

    feedback_id: str
    revision: int
    pass_number: int
    item_id: str
    team: str
    score: str
    scored_at: datetime
    routed_at: datetime
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class LoopStage:
    feedback_id: str
    event_id: str
    loop_id: str
    state: str
    reason: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class ItemStage:
    item_id: str
    sequence: int
    change: str
    state: str
    team: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Counts:
    accepted: int
    settled: int
    in_flight: int
    dead: int
    rejected: int


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """A customer's snapshot as of now, without this batch; and earlier answers as (feedback id, value)."""

    snapshot: CustomerSnapshot
    contacts_30d: int
    answers: tuple[tuple[str, float], ...]
    standing: Mapping[str, int] = field(default_factory=dict)
    """As router announced it last: open_items, transfers, …; empty while it has said nothing."""


@dataclass(frozen=True, slots=True)
class Original:
    feedback_id: str
    revision: int
    subject: str
    plain: bytes


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """A dead letter as it is kept. `value` holds the record's bytes, untouched."""

    tenant_id: str
    id: str
    service: str
    version: str
    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    value: bytes = field(repr=False)
    error: str
    reason: str
    attempts: int
    failed_at: datetime
    feedback_id: str | None = None
    revision: int | None = None
    pass_number: int | None = None
    replayed_at: datetime | None = None


class Ledger(Protocol):
    async def known(self, c: AsyncConnection, tenant_id: str, ids: Sequence[str]) -> dict[str, Known]: ...

    async def insert(
        self, c: AsyncConnection, tenant_id: str, rows: Sequence[NewRow]
    ) -> set[tuple[str, int]]:
        """Inserts what is new, and says which (feedback id, revision) that was."""
        ...

    async def contents(
        self, c: AsyncConnection, tenant_id: str, keys: Sequence[tuple[str, int]]
    ) -> dict[tuple[str, int], bytes]:
        """The content digests of rows that exist."""
        ...

    async def settle(
        self, c: AsyncConnection, tenant_id: str, settlements: Sequence[Settlement], now: datetime
    ) -> None:
        """Idempotent; an older pass never replaces a newer one."""
        ...

    async def add_loop_stages(
        self, c: AsyncConnection, tenant_id: str, stages: Sequence[LoopStage]
    ) -> None: ...

    async def add_item_stages(
        self, c: AsyncConnection, tenant_id: str, stages: Sequence[ItemStage]
    ) -> None: ...

    async def bury(
        self, c: AsyncConnection, tenant_id: str, dead: Sequence[tuple[str, int, int, str]], now: datetime
    ) -> None:
        """Marks (feedback id, revision, pass, reason) dead where that pass is the latest and in flight."""
        ...

    async def revive(
        self,
        c: AsyncConnection,
        tenant_id: str,
        feedback_id: str,
        revision: int,
        now: datetime,
        due_at: datetime,
    ) -> Due | None:
        """Puts a dead row back in flight with its next pass; None if it is not dead (any more)."""
        ...

    async def replace_event(self, c: AsyncConnection, rows: Sequence[tuple[Due, bytes]]) -> None: ...

    async def counts(self, c: AsyncConnection, tenant_id: str) -> Counts: ...

    async def totals(self, c: AsyncConnection) -> Counts: ...

    async def history(
        self, c: AsyncConnection, tenant_id: str, feedback_id: str
    ) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]], list[Mapping[str, Any]]]:
        """(revisions, loop stages, item stages) of one feedback, oldest first."""
        ...


class Sweep(Protocol):
    """The ledger as the re-drive sees it: across tenants, one sweeper at a time."""

    async def hold(self, c: AsyncConnection) -> bool: ...

    async def outbox_length(self, c: AsyncConnection, limit: int) -> int: ...

    async def due(self, c: AsyncConnection, now: datetime, stall_seconds: float, limit: int) -> list[Due]: ...

    async def sent_again(
        self, c: AsyncConnection, rows: Sequence[tuple[Due, datetime]], now: datetime
    ) -> None: ...

    async def rescored(
        self, c: AsyncConnection, rows: Sequence[tuple[Due, bytes, datetime]], now: datetime
    ) -> None: ...

    async def superseded(self, c: AsyncConnection, rows: Sequence[Due], now: datetime) -> None: ...

    async def died(self, c: AsyncConnection, rows: Sequence[Due], reason: str, now: datetime) -> None: ...

    async def rest(self, c: AsyncConnection, rows: Sequence[Due]) -> None: ...


class Vault(Protocol):
    async def keep(
        self, c: AsyncConnection, tenant_id: str, originals: Sequence[Original], now: datetime
    ) -> None: ...

    async def original(
        self, c: AsyncConnection, tenant_id: str, feedback_id: str, revision: int
    ) -> bytes | None:
        """None when nothing was kept or its key is erased."""
        ...

    async def seal(
        self, c: AsyncConnection, tenant_id: str, plain: Mapping[str, bytes], now: datetime
    ) -> dict[str, bytes]:
        """Sealed under each subject's own key, by subject."""
        ...

    async def open(self, c: AsyncConnection, tenant_id: str, sealed: Mapping[str, bytes]) -> dict[str, bytes]:
        """By subject; one whose key is erased is left out."""
        ...

    async def erase(self, c: AsyncConnection, tenant_id: str, subject: str) -> bool: ...


class Customers(Protocol):
    async def facts(
        self, c: AsyncConnection, tenant_id: str, ids: Sequence[str], ages: Ages, now: datetime
    ) -> dict[str, CustomerFacts]:
        """Contacts, answers and standing are those of the person, over all their customer ids."""
        ...

    async def keep_standings(
        self, c: AsyncConnection, tenant_id: str, standings: Sequence[CustomerStanding]
    ) -> None:
        """Stores each unless a later one is stored. Each customer once."""
        ...


class DeadLetters(Protocol):
    async def add(self, c: AsyncConnection, letters: Sequence[StoredLetter]) -> None:
        """Idempotent by (tenant, id)."""
        ...

    async def get(self, c: AsyncConnection, tenant_id: str, letter_id: str) -> StoredLetter | None:
        """Locks the row until the transaction ends."""
        ...

    async def page(
        self,
        c: AsyncConnection,
        tenant_id: str,
        service: str | None,
        error: str | None,
        after: tuple[datetime, str] | None,
        limit: int,
    ) -> list[StoredLetter]:
        """Newest first; without the bytes of the record."""
        ...

    async def mark_replayed(
        self, c: AsyncConnection, tenant_id: str, letter_id: str, now: datetime
    ) -> None: ...
