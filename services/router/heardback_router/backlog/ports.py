"""What the backlog needs from the rest of the service."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.domain import Item, ItemEvent, LinkedCustomer, Resolution
from heardback_shared.contracts.events import ItemState
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


class ItemClocks(Protocol):
    """Clocks of items as the API shows them."""

    async def stored(
        self, connection: AsyncConnection, tenant_id: str, item_ids: Sequence[str]
    ) -> Mapping[str, list[dict[str, Any]]]:
        """As of the last look at each item."""
        ...

    async def now(
        self, connection: AsyncConnection, tenant_id: str, item_id: str
    ) -> list[dict[str, Any]]: ...


class Items(Protocol):
    async def lock_one(self, connection: AsyncConnection, tenant_id: str, item_id: str) -> Item | None: ...

    async def lock(
        self, connection: AsyncConnection, tenant_id: str, ids: Iterable[str], keys: Sequence[str]
    ) -> dict[str, Item]: ...

    async def lock_parent(
        self, connection: AsyncConnection, tenant_id: str, item_id: str
    ) -> ItemState | None: ...

    async def teams_before(self, connection: AsyncConnection, tenant_id: str, item_id: str) -> list[str]: ...

    async def linked(
        self, connection: AsyncConnection, tenant_id: str, item_id: str
    ) -> tuple[LinkedCustomer, ...]: ...

    async def facts(self, connection: AsyncConnection, tenant_id: str, item_id: str) -> list[dict[str, Any]]:
        """What each feedback of the item said about its customer and contract; each once."""
        ...

    async def update(self, connection: AsyncConnection, tenant_id: str, changed: Sequence[Item]) -> None: ...

    async def log(self, connection: AsyncConnection, tenant_id: str, events: Sequence[ItemEvent]) -> None: ...
