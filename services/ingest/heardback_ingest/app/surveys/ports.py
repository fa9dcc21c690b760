"""What deciding about surveys needs from storage. Every method works inside the caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.domain.sampling.arms import Experiment
from heardback_ingest.domain.surveys.facts import Invitation, Request
from heardback_shared.policies.in_force import InForce

Act = Literal["check", "reserve"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose circumstances are wanted; `account_id` where those of the account are wanted too."""

    customer_id: str
    person_id: str
    conversation_id: str | None
    account_id: str | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What ingest knows of a person, over all customer ids that are that person. `of_account`: invitations of
    everybody of the account, where one was asked about."""

    known: bool
    erased: bool
    open_items: int | None
    skipped_because: str | None
    invitations: tuple[Invitation, ...]
    severe: tuple[tuple[str, datetime], ...]
    cues: tuple[tuple[str, datetime], ...]
    answers: tuple[datetime, ...]
    of_account: tuple[Invitation, ...] = ()


@dataclass(frozen=True, slots=True)
class Since:
    """How far back one looks; None: without end."""

    invitations: datetime | None
    of_account: datetime | None
    heard: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """An invitation as it is stored, with what its first answer said."""

    invitation: Invitation
    customer_id: str
    person_id: str
    account_id: str | None
    decision_id: str
    policy: str
    late: bool = False
    feedback_id: str | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """One decision with everything that is needed to make it again. `inputs` are None once erased."""

    id: str
    at: datetime
    act: Act
    request: Request
    allowed: bool
    answer: Mapping[str, Any]
    policy: str
    digest: str
    inputs: Mapping[str, Any] | None
    invitation_id: str | None
    asked_by: str


@dataclass(frozen=True, slots=True)
class Crisis:
    id: str
    because: str
    called_at: datetime
    called_by: str
    ends_at: datetime
    lifted_at: datetime | None = None
    lifted_by: str | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What holds for everybody of a tenant. `planned`: there is a sampling plan that was not stopped.
    `policies`: those of the tenant's own that are in force, of the kinds asked for."""

    crisis: Crisis | None
    sending_stopped: str | None
    experiment: Experiment | None
    planned: bool
    policies: tuple[InForce, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """A survey answer that came in, as far as it tells which invitation it answers."""

    feedback_id: str
    at: datetime
    customer_id: str | None
    invitation_id: str | None
    survey: str | None
    type: str | None
    touchpoint: str | None


class Invitations(Protocol):
    async def lock_accounts(self, c: AsyncConnection, tenant_id: str, account_ids: Sequence[str]) -> None:
        """Until the transaction ends nobody else reserves for these accounts. After the people are locked."""
        ...

    async def circumstances(
        self,
        c: AsyncConnection,
        tenant_id: str,
        asked: Sequence[Asked],
        since: Since,
    ) -> list[Circumstances]:
        """One for each asked, in order, without invitations and feedback that are older than `since`."""
        ...

    async def held(
        self, c: AsyncConnection, tenant_id: str, ids: Sequence[str], *, for_update: bool = False
    ) -> Mapping[str, Held]: ...

    async def add(self, c: AsyncConnection, tenant_id: str, held: Sequence[Held]) -> bool:
        """False when one of the ids is taken; the transaction is then to be given up."""
        ...

    async def change(self, c: AsyncConnection, tenant_id: str, held: Sequence[Held]) -> None:
        """State, times and lateness."""
        ...

    async def lapsed(self, c: AsyncConnection, now: datetime, limit: int) -> list[tuple[str, Held]]:
        """(tenant, kept place) whose time has run out, locked, over all tenants; not those locked already."""
        ...

    async def answered(self, c: AsyncConnection, tenant_id: str, answers: Sequence[Answered]) -> None:
        """Marks the invitation each names; else the newest of the customer's that it can be the answer to."""
        ...


class SurveyLog(Protocol):
    async def add(
        self, c: AsyncConnection, tenant_id: str, logged: Sequence[Logged], policy_text: str | None
    ) -> None:
        """All by one policy. Its text is kept with the first of them; None: it is there."""
        ...

    async def get(self, c: AsyncConnection, tenant_id: str, decision_id: str) -> Logged | None: ...

    async def page(
        self,
        c: AsyncConnection,
        tenant_id: str,
        customer_id: str,
        after: tuple[datetime, str] | None,
        limit: int,
    ) -> list[tuple[Logged, Held | None]]:
        """Newest first, each with what became of the invitation."""
        ...

    async def policy_text(self, c: AsyncConnection, tenant_id: str, digest: str) -> str | None: ...

    async def forget(self, c: AsyncConnection, before: datetime, limit: int) -> int:
        """Deletes decisions older than this, over all tenants; how many."""
        ...

    async def erase(self, c: AsyncConnection, tenant_id: str, customer_id: str, now: datetime) -> None:
        """The inputs of every decision about the customer; who was erased is not asked again."""
        ...

    async def heard_again(self, c: AsyncConnection, tenant_id: str, customer_ids: Sequence[str]) -> None:
        """Somebody told of them after their erasure: it does not stand in the way any more."""
        ...


class Stops(Protocol):
    async def surroundings(
        self, c: AsyncConnection, tenant_id: str, kinds: Sequence[str], now: datetime
    ) -> Surroundings:
        """Of several crises in force the one that ends last."""
        ...

    async def crises(self, c: AsyncConnection, tenant_id: str, limit: int) -> list[Crisis]:
        """Newest first."""
        ...

    async def call(self, c: AsyncConnection, tenant_id: str, crisis: Crisis) -> None: ...

    async def lift(self, c: AsyncConnection, tenant_id: str, now: datetime, by: str) -> bool:
        """Ends every one in force; whether there was one."""
        ...

    async def skip(
        self, c: AsyncConnection, tenant_id: str, conversation_id: str, because: str, by: str, now: datetime
    ) -> None: ...

    async def unskip(self, c: AsyncConnection, tenant_id: str, conversation_id: str) -> bool: ...
