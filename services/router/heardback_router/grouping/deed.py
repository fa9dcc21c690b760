"""One wish of a person about groups, while it is carried out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.configuration.policies import Policies
from heardback_shared.stream.ports import Outgoing


class UnknownFeedbackError(Exception):
    """No such feedback was routed in this tenant, or it is not of this item. The message names it."""

    def __init__(self, feedback_id: str, place: int = 0) -> None:
        super().__init__(feedback_id)
        self.feedback_id = feedback_id
        self.place = place


class UnknownSourceError(Exception):
    """There is no such item to merge; `place` counts from 0 among those named."""

    def __init__(self, item_id: str, place: int) -> None:
        super().__init__(item_id)
        self.item_id = item_id
        self.place = place


class Stakes(Protocol):
    """What customers have in items."""

    async def carry(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        feedback_ids: Sequence[str],
        source_id: str,
        target_id: str,
        at: datetime,
    ) -> Sequence[Outgoing]:
        """They follow feedback from one item to another."""
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants it and why. `versions` are those of the item the caller acts on; None acts on any."""

    tenant_id: str
    actor: str
    reason: str
    versions: frozenset[int] | None
    traceparent: str | None = None


@dataclass
class CarriedOut:
    """One wish being carried out in one transaction."""

    wish: Wish
    connection: AsyncConnection
    policies: Policies
    at: datetime
    outgoing: list[Outgoing] = field(default_factory=list)

    @property
    def threshold(self) -> float | None:
        by = self.policies.grouping.similarity
        return by.threshold if by else None
