"""What routing needs from the rest of the service."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.domain import Item, ItemEvent, Weight
from heardback_router.corrections.domain import Word
from heardback_router.grouping.domain import GroupingPolicy
from heardback_router.grouping.neighbourhood import Neighbourhood, Newcomer
from heardback_router.loops.ports import Opening
from heardback_router.loops.telling import TellingPolicy
from heardback_router.routing.plan import Arrival
from heardback_shared.contracts.events import LoopRef
from heardback_shared.contracts.score import Score
from heardback_shared.stream.ports import Outgoing


class Inbox(Protocol):
    async def remember(
        self, connection: AsyncConnection, tenant_id: str, event_ids: Iterable[str], at: datetime
    ) -> set[str]:
        """Stores the ids and returns those that were new."""
        ...


class CorrectionsInForce(Protocol):
    """What people said that the machine read wrongly."""

    async def words(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Sequence[str]
    ) -> Mapping[str, Word]:
        """By feedback, of those that were corrected."""
        ...

    async def read_again(
        self, connection: AsyncConnection, tenant_id: str, arrivals: Sequence[Arrival]
    ) -> Sequence[Outgoing]:
        """Keeps what the machine says now beneath corrections; returns what is to be announced."""
        ...


class LoopStates(Protocol):
    async def open(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        openings: Sequence[Opening],
        items: Mapping[str, Item],
        policy: TellingPolicy,
        at: datetime,
    ) -> tuple[Mapping[str, LoopRef], Sequence[Outgoing]]:
        """The loop of each feedback that was just put into an item, and what that means for others of it."""
        ...

    async def of_feedback(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Sequence[str]
    ) -> Mapping[str, LoopRef]:
        """The latest loop step of each feedback that has one."""
        ...


class Neighbours(Protocol):
    """The open feedback that what arrives may be grouped with."""

    async def around(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        newcomers: Sequence[Newcomer],
        policy: GroupingPolicy,
    ) -> Neighbourhood: ...

    async def traits(
        self, connection: AsyncConnection, tenant_id: str, around: Neighbourhood, item_ids: Iterable[str]
    ) -> None: ...


class Items(Protocol):
    async def links(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Sequence[str]
    ) -> Sequence[RowMapping]: ...

    async def lock(
        self, connection: AsyncConnection, tenant_id: str, ids: Iterable[str]
    ) -> dict[str, Item]: ...

    async def weights(
        self, connection: AsyncConnection, tenant_id: str, item_ids: Iterable[str]
    ) -> dict[str, dict[str, Weight]]: ...

    async def scores(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Sequence[str]
    ) -> dict[str, Score]: ...

    async def open(self, connection: AsyncConnection, tenant_id: str, opened: Sequence[Item]) -> None: ...

    async def update(self, connection: AsyncConnection, tenant_id: str, changed: Sequence[Item]) -> None: ...

    async def log(self, connection: AsyncConnection, tenant_id: str, events: Sequence[ItemEvent]) -> None: ...

    async def link(self, connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None: ...
