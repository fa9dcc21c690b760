"""Outreach as loops and campaigns use it, and what it needs from them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.outreach.domain import Draft, MessageState, Standing
from heardback_shared.stream.ports import Outgoing


class Outreach(Protocol):
    async def enqueue(
        self, connection: AsyncConnection, tenant_id: str, drafts: Sequence[Draft], at: datetime
    ) -> frozenset[str]:
        """In the caller's transaction; the ids of those that were not there before."""
        ...

    async def standings(
        self, connection: AsyncConnection, tenant_id: str, message_ids: Sequence[str]
    ) -> Mapping[str, Standing]: ...

    async def of_loops(
        self, connection: AsyncConnection, tenant_id: str, loop_ids: Sequence[str]
    ) -> Mapping[str, Sequence[Standing]]:
        """The messages of each loop, oldest first."""
        ...

    async def cancel(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        message_ids: Sequence[str],
        because: str,
        at: datetime,
    ) -> frozenset[str]:
        """Those that were still waiting or paused, and now never go out. What a channel has is not tried
        again; whether it has left by now is known when the channel says so."""
        ...

    async def pause(
        self, connection: AsyncConnection, tenant_id: str, campaign_id: str, at: datetime
    ) -> int: ...

    async def resume(
        self, connection: AsyncConnection, tenant_id: str, campaign_id: str, at: datetime
    ) -> int: ...

    async def progress(
        self, connection: AsyncConnection, tenant_id: str, campaign_id: str
    ) -> Mapping[MessageState, int]: ...


class Listener(Protocol):
    """Who wants to know what became of messages: the loops."""

    async def settle(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        standings: Mapping[str, Sequence[Standing]],
        at: datetime,
    ) -> Sequence[Outgoing]:
        """By loop id, in the transaction in which the message ended. What is returned goes to the outbox."""
        ...
