"""Whether what waits for an endpoint may still go out, asked before every attempt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Held:
    """Not now: at `at` it may be asked again. No attempt is spent."""

    at: datetime
    because: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """Not any more by this channel."""

    because: str


class Permits(Protocol):
    async def permits(
        self, connection: AsyncConnection, tenant_id: str, subjects: Sequence[str], at: datetime
    ) -> Mapping[str, Held | Stopped]:
        """What is not named may go. `subjects` is what messages were queued for."""
        ...
