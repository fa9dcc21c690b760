"""What a what-if needs from others."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.domain import ItemEvent
from heardback_router.sla.domain import SlaPolicy


class Corrections(Protocol):
    async def held(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Sequence[str]
    ) -> Mapping[str, frozenset[str]]:
        """Of feedback that people corrected: what a person's word stands for, of `causes` and `severity`."""
        ...


class Clocks(Protocol):
    def breached(self, log: Sequence[ItemEvent], policy: SlaPolicy, at: datetime) -> tuple[str, ...]:
        """The clocks of an item that ran out up to `at`, had this policy counted from its opening."""
        ...
