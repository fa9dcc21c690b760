"""What others need of giving out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.domain import Item
from heardback_router.configuration.policies import Policies
from heardback_shared.stream.ports import Outgoing


@dataclass(frozen=True, slots=True)
class Drained:
    """Items that were given to somebody, as they are now, and what is still to be put into the outbox."""

    items: Mapping[str, Item]
    outgoing: Sequence[Outgoing]


class Assignment(Protocol):
    """Giving waiting items to people."""

    async def drain(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        teams: Iterable[str],
        policies: Policies,
        at: datetime,
    ) -> Drained:
        """Gives out what these teams' people have room for, in the caller's transaction."""
        ...
