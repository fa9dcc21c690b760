"""What loops need from around them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.loops.domain import LoopEvent
from heardback_router.loops.payload import Origin
from heardback_shared.contracts.events import LoopState
from heardback_shared.stream.ports import Outgoing


@dataclass(frozen=True, slots=True)
class Loop:
    """`message` is what the customer was told; None when nobody was."""

    id: str
    item_id: str
    resolution_number: int
    customer_id: str | None
    feedback_ids: tuple[str, ...]
    message: str | None
    state: LoopState
    sequence: int
    since: datetime
    reason: str | None
    opened_at: datetime
    expires_at: datetime


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


class FeedbackOrigins(Protocol):
    async def of(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Sequence[str]
    ) -> Mapping[str, Origin]:
        """By feedback id; what is unknown is left out."""
        ...


class LoopStore(Protocol):
    async def add(
        self, connection: AsyncConnection, tenant_id: str, loops_: Sequence[Loop], actor: str
    ) -> frozenset[str]:
        """Stores loops with their first event; returns the ids of those that were not there before."""
        ...

    async def find(self, connection: AsyncConnection, tenant_id: str, loop_id: str) -> Loop | None: ...

    async def lock(
        self, connection: AsyncConnection, tenant_id: str, loop_ids: Sequence[str]
    ) -> Sequence[Loop]:
        """Nobody else changes them until the transaction ends."""
        ...

    async def append(
        self, connection: AsyncConnection, tenant_id: str, loop_id: str, event: LoopEvent
    ) -> None: ...

    async def of_item(
        self, connection: AsyncConnection, tenant_id: str, item_id: str
    ) -> Sequence[tuple[Loop, Sequence[LoopEvent]]]:
        """In the order they were opened."""
        ...

    async def latest_of_feedback(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Sequence[str]
    ) -> Mapping[str, Loop]: ...
