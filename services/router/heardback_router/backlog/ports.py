"""What the backlog needs from the rest of the service."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.domain import Item, ItemEvent, LinkedCustomer, Resolution
from heardback_shared.stream.ports import Outgoing


class Loops(Protocol):
    """Telling the customers behind a resolved item."""

    async def open_on_resolve(
        self, connection: AsyncConnection, tenant_id: str, resolution: Resolution, at: datetime
    ) -> Sequence[Outgoing]:
        """Makes one loop step per linked customer, in the caller's transaction; returns what to announce."""
        ...

    async def of_item(
        self, connection: AsyncConnection, tenant_id: str, item_id: str
    ) -> list[dict[str, Any]]:
        """The item's loops as the API shows them; each has `state` and `resolution_number`."""
        ...


class Cases(Protocol):
    """The items of one customer about one matter: one owner, one message."""

    async def resolutions(
        self, connection: AsyncConnection, tenant_id: str, item: Item, resolution: Resolution
    ) -> Sequence[Resolution]:
        """The resolution of an item, in one part for each thing that the customers behind it are told."""
        ...

    async def lock_unresolved(
        self, connection: AsyncConnection, tenant_id: str, item: Item
    ) -> Sequence[Item]:
        """The other unresolved items of its case, locked until the transaction ends."""
        ...


class Items(Protocol):
    async def lock_one(self, connection: AsyncConnection, tenant_id: str, item_id: str) -> Item | None: ...

    async def linked(
        self, connection: AsyncConnection, tenant_id: str, item_id: str
    ) -> tuple[LinkedCustomer, ...]: ...

    async def update(self, connection: AsyncConnection, tenant_id: str, changed: Sequence[Item]) -> None: ...

    async def log(self, connection: AsyncConnection, tenant_id: str, events: Sequence[ItemEvent]) -> None: ...
