"""What loops keep, and what they need from around them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.loops.carrying import Carried
from heardback_router.loops.domain import LoopEvent, LoopStatus
from heardback_router.loops.telling import Decision, Stakes
from heardback_router.messages.domain import Result, Step
from heardback_router.outreach.payload import Origin
from heardback_router.wording import CustomerText
from heardback_shared.contracts.events import LoopState
from heardback_shared.stream.ports import Outgoing


@dataclass(frozen=True, slots=True)
class Opening:
    """A feedback that was just put into an item. `raised_at` is when the customer wrote."""

    feedback_id: str
    item_id: str
    customer_id: str | None
    raised_at: datetime


@dataclass(frozen=True, slots=True)
class Loop:
    """`message` is what the customer is told in this round, and `result` what became of the matter; None
    while there is nothing to tell."""

    id: str
    item_id: str
    customer_id: str | None
    feedback_ids: tuple[str, ...]
    status: LoopStatus
    result: Result | None
    message: CustomerText | None
    raised_at: datetime
    opened_at: datetime
    merged_into: str | None = None

    @property
    def state(self) -> LoopState:
        return self.status.state


@dataclass(frozen=True, slots=True)
class LoopStep:
    """One event of a loop, and the loop after it."""

    event: LoopEvent
    after: Loop


@dataclass(frozen=True, slots=True)
class Subject:
    """What deciding about a customer needs to know of their feedback in an item."""

    tier: str | None
    cues: frozenset[str]


@dataclass(frozen=True, slots=True)
class Telling:
    """Why one loop is told a step or not: enough to decide it again."""

    message_id: str
    loop_id: str
    round: int
    step: Step
    occasion: str
    decision: Decision
    policy: str
    stakes: Stakes
    review_id: str | None
    at: datetime


class Backlog(Protocol):
    """What a customer's answer does to the item, in the caller's transaction."""

    async def reopen_on_dispute(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        item_id: str,
        *,
        loop_id: str,
        comment: str | None,
        at: datetime,
    ) -> Sequence[Outgoing]: ...

    async def close_on_confirm(
        self, connection: AsyncConnection, tenant_id: str, item_id: str, *, loop_id: str, at: datetime
    ) -> Sequence[Outgoing]: ...

    async def lock(self, connection: AsyncConnection, tenant_id: str, item_id: str) -> None:
        """Nobody else acts on the item, or on that into which it was merged, until the transaction ends."""
        ...

    async def note_contest(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        item_id: str,
        *,
        loop_id: str,
        contest_id: str,
        comment: str | None,
        at: datetime,
    ) -> Sequence[Outgoing]:
        """The item's timeline says that the customer disagrees with how it was judged."""
        ...


class FeedbackOrigins(Protocol):
    async def of(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Sequence[str]
    ) -> Mapping[str, Origin]:
        """By feedback id; what is unknown is left out."""
        ...


class LoopStore(Protocol):
    async def open(
        self, connection: AsyncConnection, tenant_id: str, openings: Sequence[Opening], at: datetime
    ) -> Mapping[str, Loop]:
        """The loop of each feedback, by its id: that of the same customer in the same item, or a new one,
        acknowledged. The items must be locked."""
        ...

    async def find(self, connection: AsyncConnection, tenant_id: str, loop_id: str) -> Loop | None:
        """The loop, or the one it was merged into."""
        ...

    async def lock(
        self, connection: AsyncConnection, tenant_id: str, loop_ids: Collection[str]
    ) -> Sequence[Loop]:
        """Those of the ids that are not merged. Nobody else changes them until the transaction ends."""
        ...

    async def lock_item(self, connection: AsyncConnection, tenant_id: str, item_id: str) -> Sequence[Loop]:
        """All loops of an item, locked, in the order they were opened."""
        ...

    async def append(self, connection: AsyncConnection, tenant_id: str, steps: Sequence[LoopStep]) -> None:
        """At most one step per loop and call."""
        ...

    async def of_item(
        self, connection: AsyncConnection, tenant_id: str, item_id: str
    ) -> Sequence[tuple[Loop, Sequence[LoopEvent]]]:
        """In the order they were opened."""
        ...

    async def log(self, connection: AsyncConnection, tenant_id: str, loop_id: str) -> Sequence[LoopEvent]: ...

    async def of_feedback(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Sequence[str]
    ) -> Mapping[str, Loop]: ...

    async def carry(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        feedback_ids: Sequence[str],
        source_id: str,
        target_id: str,
        at: datetime,
    ) -> Carried:
        """The stakes follow feedback from one item to another; both must be locked. What became of which."""
        ...

    async def raised(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Collection[str]
    ) -> Mapping[str, datetime]:
        """When the customer wrote, by feedback id."""
        ...

    async def put_message(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        loop_ids: Collection[str],
        message: CustomerText,
        result: Result | None = None,
    ) -> None:
        """What these customers are told, where it is not as their item was resolved: somebody has edited it,
        or a campaign tells it, with what became of the matter by that."""
        ...

    async def subjects(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Collection[str]
    ) -> Mapping[str, Subject]:
        """By feedback id."""
        ...


class Tellings(Protocol):
    async def add(
        self, connection: AsyncConnection, tenant_id: str, tellings: Sequence[Telling]
    ) -> frozenset[tuple[str, str]]:
        """(message id, loop id) of those that were not there before."""
        ...

    async def of_messages(
        self, connection: AsyncConnection, tenant_id: str, message_ids: Collection[str]
    ) -> Mapping[tuple[str, str], tuple[int, Step]]:
        """(round, step) by (message id, loop id)."""
        ...

    async def of_loops(
        self, connection: AsyncConnection, tenant_id: str, loop_ids: Collection[str]
    ) -> Sequence[Telling]:
        """Oldest first."""
        ...
