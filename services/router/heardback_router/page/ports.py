"""What the page needs from around it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.loops.domain import Answer
from heardback_router.page.domain import Code, Matter
from heardback_router.page.texts import Language


class Matters(Protocol):
    async def of_customer(
        self, connection: AsyncConnection, tenant_id: str, customer_id: str, limit: int
    ) -> Sequence[Matter]:
        """Of this id alone, each feedback by itself, newest first."""
        ...

    async def shared(
        self, connection: AsyncConnection, tenant_id: str, customer_id: str, limit: int
    ) -> Mapping[str, tuple[str, Matter]]:
        """Matters of other ids that messages to this one told of, by loop, each with its id."""
        ...

    async def owner_of_loop(
        self, connection: AsyncConnection, tenant_id: str, loop_id: str
    ) -> str | None: ...


class Answering(Protocol):
    """What answering one loop does, by its own signed link."""

    async def give(self, token: str, answer: Answer, comment: str | None = None) -> object: ...

    async def contest(self, token: str, comment: str | None = None) -> object:
        """The customer disagrees with how a machine judged the matter."""
        ...


class Codes(Protocol):
    async def made_since(
        self, connection: AsyncConnection, tenant_id: str, customer_id: str, since: datetime
    ) -> int: ...

    async def add(self, connection: AsyncConnection, tenant_id: str, code: Code, at: datetime) -> None: ...

    async def lock(self, connection: AsyncConnection, tenant_id: str, code_id: str) -> Code | None: ...

    async def put(
        self, connection: AsyncConnection, tenant_id: str, code_id: str, wrong: int, used_at: datetime | None
    ) -> None: ...


class CodeSender(Protocol):
    async def send(self, code_id: str, address: str, code: str, language: Language) -> bool:
        """Whether it is on its way. Never called inside a transaction."""
        ...
