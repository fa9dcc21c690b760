"""Contacts as the services ask for them, inside their own transactions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_shared.contact.domain import Channel, Recipient, Touch


class Contacts(Protocol):
    async def recipients(
        self, connection: AsyncConnection, tenant_id: str, customer_ids: Sequence[str], at: datetime
    ) -> Mapping[str, Recipient]:
        """By customer id; one of whom nothing is known is there too, with the tenant's webhook as channel."""
        ...

    async def reached(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        customer_ids: Sequence[str],
        at: datetime,
        since: datetime,
    ) -> Mapping[str, tuple[Recipient, Sequence[Touch]]]:
        """`recipients` with the person's `touches`, looked up at once."""
        ...

    async def ids_of(
        self, connection: AsyncConnection, tenant_id: str, customer_ids: Sequence[str]
    ) -> Mapping[str, Sequence[str]]:
        """By customer id: all ids of the same person, itself included."""
        ...

    async def lock(self, connection: AsyncConnection, tenant_id: str, person_ids: Sequence[str]) -> None:
        """Until the transaction ends nobody else decides whether these people may be reached."""
        ...

    async def lock_of(
        self, connection: AsyncConnection, tenant_id: str, customer_ids: Sequence[str]
    ) -> Mapping[str, tuple[str, str | None]]:
        """`lock` for the people that these customers are: (person, account) of each. As known before it was
        waited for; who is another person by now has to be found out by looking again."""
        ...

    async def touches(
        self, connection: AsyncConnection, tenant_id: str, person_ids: Sequence[str], since: datetime
    ) -> Mapping[str, Sequence[Touch]]:
        """By person, oldest first; a person without any is left out."""
        ...

    async def note(self, connection: AsyncConnection, tenant_id: str, touches: Sequence[Touch]) -> None:
        """Counts them; one whose id is there already is counted once."""
        ...

    async def forget(self, connection: AsyncConnection, tenant_id: str, touch_ids: Sequence[str]) -> None:
        """They did not happen after all."""
        ...

    async def address(
        self, connection: AsyncConnection, tenant_id: str, customer_id: str, channel: Channel
    ) -> str | None:
        """Where the customer is reached on a channel that needs an address (email, sms), in the clear."""
        ...

    async def sending_stopped(self, connection: AsyncConnection, tenant_id: str) -> str | None:
        """Why no machine may write to any customer of the tenant just now; None: it may."""
        ...
