"""Change records as others use them, and what campaigns need from around them."""

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.campaigns.domain import ChangeRecord


class Changes(Protocol):
    async def record(self, connection: AsyncConnection, tenant_id: str, change: ChangeRecord) -> bool:
        """In the caller's transaction; False if its id was there before, and then nothing changes."""
        ...

    async def review(self, connection: AsyncConnection, tenant_id: str, change: ChangeRecord) -> None:
        """Keeps who reviewed it and when."""
        ...

    async def get(
        self, connection: AsyncConnection, tenant_id: str, change_ids: Sequence[str]
    ) -> Sequence[ChangeRecord]:
        """Those of the ids that there are, in the order asked for."""
        ...

    async def of_items(
        self, connection: AsyncConnection, tenant_id: str, item_ids: Sequence[str]
    ) -> Sequence[ChangeRecord]:
        """What was done about any of the items, newest first."""
        ...
