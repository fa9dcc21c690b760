"""Idempotency-Key: a repeated request is answered as the first was, and runs once at a time."""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.errors import ProblemError
from heardback_shared.keyring import Keyring


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    """Besides the content type, which is JSON."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A request seen with this key. No answer: it is running, or died while it was."""

    request_hmac: bytes
    answer: Answer | None


class IdempotencyKeys(Protocol):
    async def claim(
        self,
        c: AsyncConnection,
        owner: "Owner",
        digest: bytes,
        now: datetime,
        lease: datetime,
        expiry: datetime,
    ) -> Literal["claimed"] | Earlier:
        """Takes the key if it is new, expired, or its lease ran out with no answer and the same request."""
        ...

    async def store(self, c: AsyncConnection, owner: "Owner", answer: Answer) -> None: ...

    async def release(self, c: AsyncConnection, owner: "Owner") -> None: ...

    async def forget_expired(self, c: AsyncConnection, now: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class Owner:
    tenant_id: str
    key_id: str
    key: str


class Idempotent:
    def __init__(
        self,
        database: Database,
        keys: IdempotencyKeys,
        keyring: Keyring,
        clock: Clock,
        *,
        lease_seconds: float = 30,
        hours: float = 24,
    ) -> None:
        self._database = database
        self._keys = keys
        self._digest_key = keyring.key("idempotency-digest")
        self._clock = clock
        self._lease = timedelta(seconds=lease_seconds)
        self._expiry = timedelta(hours=hours)

    async def run(self, owner: Owner, request: bytes, action: Callable[[], Awaitable[Answer]]) -> Answer:
        """The first answer to this key, or a 409 or 422 problem. A request that fails frees its key."""
        now = self._clock.now()
        digest = hmac.digest(self._digest_key, request, "sha256")
        async with self._database.tenant(owner.tenant_id) as c:
            claim = await self._keys.claim(c, owner, digest, now, now + self._lease, now + self._expiry)
        if claim != "claimed":
            return _replay(claim, digest)
        try:
            answer = await action()
            async with self._database.tenant(owner.tenant_id) as c:
                await self._keys.store(c, owner, answer)
        except Exception:
            async with self._database.tenant(owner.tenant_id) as c:
                await self._keys.release(c, owner)
            raise
        return answer


def _replay(earlier: Earlier, digest: bytes) -> Answer:
    if not hmac.compare_digest(earlier.request_hmac, digest):
        raise ProblemError(
            422,
            "idempotency-key-reused",
            "The Idempotency-Key was used for another request",
            "Send a new key for a new request, or the same body for a repeat.",
            (("header:Idempotency-Key", "was used with another path or body"),),
        )
    if earlier.answer is None:
        raise ProblemError(
            409,
            "request-in-progress",
            "The first request with this Idempotency-Key is still running",
            "Send the request again in a moment; its answer is then repeated.",
            headers={"Retry-After": "1"},
        )
    return earlier.answer
