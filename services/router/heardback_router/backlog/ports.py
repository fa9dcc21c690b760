"""What the backlog needs from the rest of the service."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.domain import Item, ItemEvent, LinkedCustomer, Resolution
from heardback_router.loops.telling import TellingPolicy
from heardback_router.messages.checking import Written
from heardback_router.messages.rendering import MessagesPolicy
from heardback_router.wording import CustomerText, InternalText
from heardback_shared.contracts.events import ItemState
from heardback_shared.stream.ports import Outgoing


class Wording(Protocol):
    """What keeps words out of a text for customers that are not meant for them."""

    async def check(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        item_ids: Sequence[str],
        texts: Sequence[Written],
        policy: MessagesPolicy,
        *,
        notes: Collection[InternalText] = (),
        readers: Collection[str] | None = None,
    ) -> None:
        """Raises BadTextError. `notes` are what colleagues read of it, `readers` the customers who get it;
        None: everybody who wrote about the items."""
        ...


class Loops(Protocol):
    """The stakes of the customers behind an item. In the caller's transaction, the item locked; what is
    returned is to be announced."""

    async def planned(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        item: Item,
        policy: TellingPolicy,
        *,
        plan: CustomerText | None,
        due: datetime | None,
        actor: str,
        at: datetime,
    ) -> Sequence[Outgoing]:
        """Work on it has begun."""
        ...

    async def recorded(
        self, connection: AsyncConnection, tenant_id: str, resolution: Resolution, at: datetime
    ) -> None:
        """What a resolution changed is on record before anybody is told of it."""
        ...

    async def resolved(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        resolution: Resolution,
        policy: TellingPolicy,
        at: datetime,
    ) -> Sequence[Outgoing]:
        """Every customer it names is told, or not, with the reason."""
        ...

    async def reopened(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        item_id: str,
        *,
        by_loop: str | None,
        actor: str,
        at: datetime,
    ) -> Sequence[Outgoing]:
        """It is not solved, as a customer says through a loop, or a colleague."""
        ...

    async def settled_promises(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        item_id: str,
        promise_ids: Sequence[str],
        at: datetime,
    ) -> None:
        """Nobody is told any more that these will not be kept."""
        ...

    async def of_item(
        self, connection: AsyncConnection, tenant_id: str, item_id: str
    ) -> list[dict[str, Any]]:
        """The item's loops as the API shows them; each has `id` and `state`."""
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

    async def lock(
        self, connection: AsyncConnection, tenant_id: str, ids: Iterable[str]
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
