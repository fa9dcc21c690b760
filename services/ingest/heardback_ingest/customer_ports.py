"""What the customer master needs from storage. Every method works inside the caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.domain.accounts import Membership
from heardback_ingest.domain.classes import ClassesPolicy
from heardback_ingest.domain.handling import ContractVersion
from heardback_ingest.domain.identity import Change, IdentityEvent
from heardback_shared.contact.domain import Address, Card, Channel


@dataclass(frozen=True, slots=True)
class Profile:
    """What is stored of a customer: facts that are not personal, the sealed ones, and the settled class."""

    customer_id: str
    fields: Mapping[str, Any]
    personal: bytes | None = field(default=None, repr=False)
    settled: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """When a source was heard last, and how late what it told was. `late` counts tellings beyond the limit
    that held when they came."""

    name: str
    last_seen: datetime
    newest_at: datetime
    last_lag_seconds: float
    tellings: int
    late: int


@dataclass(frozen=True, slots=True)
class Account:
    id: str
    name: str
    parent_id: str | None
    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ClassRun:
    """One pass over all customers of a tenant. `cursor` is the last customer looked at."""

    id: str
    policy: str
    state: str
    cursor: str
    looked_at: int
    moved: int
    waiting: int
    started_by: str
    started_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Import:
    """What was taken so far. `refused` holds the first findings: line, pointer, detail; never a value."""

    id: str
    source: str
    as_of: datetime
    counts: Mapping[str, int]
    last_line: int
    refused: tuple[Mapping[str, Any], ...]
    started_by: str
    started_at: datetime
    updated_at: datetime


class Profiles(Protocol):
    async def lock(self, c: AsyncConnection, tenant_id: str, ids: Sequence[str]) -> None:
        """Until the transaction ends nobody else writes these customers."""
        ...

    async def read(self, c: AsyncConnection, tenant_id: str, ids: Sequence[str]) -> dict[str, Profile]:
        """By id; unknown ones are left out."""
        ...

    async def page(
        self, c: AsyncConnection, tenant_id: str, after: str, limit: int, *, waiting: bool = False
    ) -> list[Profile]:
        """In order of id; `waiting`: only those for whom a lower tier waits."""
        ...

    async def put(
        self, c: AsyncConnection, tenant_id: str, profiles: Sequence[Profile], now: datetime
    ) -> None: ...

    async def history(
        self, c: AsyncConnection, tenant_id: str, ids: Sequence[str], now: datetime
    ) -> dict[str, dict[str, int]]:
        """contacts_30d and the figures of the standing, of the person, by customer id."""
        ...

    async def note_class(
        self, c: AsyncConnection, tenant_id: str, rows: Sequence[tuple[str, Mapping[str, Any]]], now: datetime
    ) -> None:
        """Keeps the record of changes of class: (customer id, record)."""
        ...

    async def class_history(
        self, c: AsyncConnection, tenant_id: str, customer_id: str, limit: int
    ) -> list[Mapping[str, Any]]:
        """Newest first."""
        ...


class Links(Protocol):
    """Ids elsewhere, likenesses, and who is one person."""

    async def owners(
        self, c: AsyncConnection, tenant_id: str, ids: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], str]:
        """Customer by (source, external id); unknown ones are left out."""
        ...

    async def lock_ids(self, c: AsyncConnection, tenant_id: str, ids: Sequence[tuple[str, str]]) -> None:
        """Until the transaction ends nobody else gives these (source, external id) to a customer."""
        ...

    async def map_ids(self, c: AsyncConnection, tenant_id: str, ids: Mapping[str, Mapping[str, str]]) -> None:
        """Makes {source: external id} the only ones of each customer."""
        ...

    async def liken(
        self, c: AsyncConnection, tenant_id: str, marks: Mapping[str, Mapping[str, bytes]]
    ) -> None:
        """Makes {kind: digest} the only ones of each customer."""
        ...

    async def alike(
        self, c: AsyncConnection, tenant_id: str, after: tuple[str, bytes] | None, limit: int
    ) -> list[tuple[str, bytes, tuple[str, ...]]]:
        """(kind, digest, customer ids) shared by two customers or more, in order."""
        ...

    async def lock_identity(self, c: AsyncConnection, tenant_id: str) -> None: ...

    async def identity_events(
        self, c: AsyncConnection, tenant_id: str, after: int, limit: int
    ) -> list[IdentityEvent]:
        """In order, those after this sequence number."""
        ...

    async def related_events(self, c: AsyncConnection, tenant_id: str, event_id: str) -> list[IdentityEvent]:
        """In order, this one and all that hang together with it by the ids they name, or by undoing each
        other. Nothing else decides about any of these ids."""
        ...

    async def last_identity_event(self, c: AsyncConnection, tenant_id: str) -> int:
        """Its sequence number; 0 where there is none."""
        ...

    async def add_identity_event(self, c: AsyncConnection, tenant_id: str, event: IdentityEvent) -> None: ...

    async def keep_identity(self, c: AsyncConnection, tenant_id: str, changed: Sequence[Change]) -> None: ...

    async def people(self, c: AsyncConnection, tenant_id: str, ids: Sequence[str]) -> dict[str, Change]:
        """Who is one person with others, by customer id."""
        ...


class Accounts(Protocol):
    async def lock_tree(self, c: AsyncConnection, tenant_id: str) -> None: ...

    async def account(self, c: AsyncConnection, tenant_id: str, account_id: str) -> Account | None: ...

    async def put_account(self, c: AsyncConnection, tenant_id: str, account: Account) -> None: ...

    async def above(self, c: AsyncConnection, tenant_id: str, account_id: str) -> dict[str, str | None]:
        """Parent by account, from this one to the topmost."""
        ...

    async def below(self, c: AsyncConnection, tenant_id: str, account_id: str, levels: int) -> list[Account]:
        """The accounts under this one, it not counted, nearest first."""
        ...

    async def join(
        self, c: AsyncConnection, tenant_id: str, membership: Membership, source: str, now: datetime
    ) -> None: ...

    async def memberships(
        self, c: AsyncConnection, tenant_id: str, ids: Sequence[str]
    ) -> dict[str, list[Membership]]: ...

    async def members(
        self, c: AsyncConnection, tenant_id: str, account_ids: Sequence[str], at: datetime, limit: int
    ) -> list[Membership]:
        """Those who belong to one of the accounts at that moment, by customer id."""
        ...


class Sources(Protocol):
    async def heard(self, c: AsyncConnection, tenant_id: str, sources: Sequence[Source]) -> None:
        """Adds up the tellings; the later `last_seen` and `newest_at` stay."""
        ...

    async def all(self, c: AsyncConnection, tenant_id: str) -> list[Source]: ...

    async def first_time(
        self, c: AsyncConnection, tenant_id: str, events: Sequence[tuple[str, str]], now: datetime
    ) -> set[tuple[str, str]]:
        """Which of these events, by (source, id), were never seen; they now have been."""
        ...

    async def unsee(self, c: AsyncConnection, tenant_id: str, source: str, event_id: str) -> None:
        """It was not taken, and may come again."""
        ...

    async def forget_events(self, c: AsyncConnection, before: datetime) -> None:
        """Across tenants."""
        ...


class Cards(Protocol):
    """Contact, as the customer master tells it who there is and how they are reached."""

    async def put_cards(self, connection: AsyncConnection, tenant_id: str, cards: Sequence[Card]) -> None: ...

    async def put_address(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        customer_id: str,
        channel: Channel,
        address: Address,
    ) -> bool: ...

    async def drop_address(
        self, connection: AsyncConnection, tenant_id: str, customer_id: str, channel: Channel
    ) -> None: ...

    async def erase(self, connection: AsyncConnection, tenant_id: str, customer_id: str) -> None:
        """Addresses, and what else of contact is personal."""
        ...


class HandlingStore(Protocol):
    async def lock(self, c: AsyncConnection, tenant_id: str, customer_id: str) -> None: ...

    async def add_handling(
        self,
        c: AsyncConnection,
        tenant_id: str,
        customer_id: str,
        sealed: bytes,
        parts: Sequence[str],
        actor: str,
        now: datetime,
    ) -> int:
        """The version it became."""
        ...

    async def handling(
        self, c: AsyncConnection, tenant_id: str, customer_id: str, at: datetime
    ) -> tuple[int, bytes, str, datetime] | None:
        """(version, sealed, actor, since) that held at a moment."""
        ...

    async def add_contract(
        self, c: AsyncConnection, tenant_id: str, customer_id: str, version: ContractVersion
    ) -> None: ...

    async def contracts(
        self, c: AsyncConnection, tenant_id: str, customer_id: str
    ) -> list[ContractVersion]: ...

    async def known_parts(
        self, c: AsyncConnection, tenant_id: str, ids: Sequence[str], now: datetime
    ) -> dict[str, set[str]]:
        """Of handling, contract and account, what is known, by customer."""
        ...


class Imports(Protocol):
    async def get(
        self, c: AsyncConnection, tenant_id: str, import_id: str, *, for_update: bool = False
    ) -> Import | None: ...

    async def put(self, c: AsyncConnection, tenant_id: str, kept: Import) -> None: ...


class ClassRuns(Protocol):
    async def newest(
        self, c: AsyncConnection, tenant_id: str, *, for_update: bool = False
    ) -> ClassRun | None:
        """`for_update`: until the transaction ends nobody else starts or changes one."""
        ...

    async def put(self, c: AsyncConnection, tenant_id: str, run: ClassRun) -> None: ...

    async def tenants(self, c: AsyncConnection) -> list[str]:
        """Across tenants: all that have customers."""
        ...


class Policies(Protocol):
    """The policies that decide, as this transaction sees them."""

    async def of(self, connection: AsyncConnection, tenant_id: str, kind: str) -> Any: ...


async def classes_of(policies: Policies, c: AsyncConnection, tenant_id: str) -> ClassesPolicy:
    policy: ClassesPolicy = await policies.of(c, tenant_id, "classes")
    return policy
