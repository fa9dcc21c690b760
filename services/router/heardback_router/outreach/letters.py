"""Letters in Postgres: hand-overs by e-mail that are due, leased, sent or given up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.outreach.tables import handovers, letters

_CLAIM = text("""
WITH due AS (
    SELECT tenant_id, id FROM router.letter
    WHERE state = 'pending' AND next_attempt_at <= :now AND (leased_until IS NULL OR leased_until <= :now)
    ORDER BY next_attempt_at
    LIMIT :limit
    FOR UPDATE SKIP LOCKED
)
UPDATE router.letter l SET leased_until = :lease_until, claims = l.claims + 1
FROM due WHERE l.tenant_id = due.tenant_id AND l.id = due.id
RETURNING l.tenant_id, l.id, l.attempts, l.claims
""")


@dataclass(frozen=True, slots=True)
class ClaimedLetter:
    """May be tried until its lease ends. `claim` tells this claim from later ones."""

    tenant_id: str
    id: str
    attempts: int
    claim: int


@dataclass(frozen=True, slots=True)
class Content:
    customer_id: str
    parts: tuple[dict[str, Any], ...]


class PostgresLetters:
    async def claim(
        self, connection: AsyncConnection, now: datetime, lease_until: datetime, limit: int
    ) -> Sequence[ClaimedLetter]:
        asked = {"now": now, "lease_until": lease_until, "limit": limit}
        return [ClaimedLetter(*row) for row in await connection.execute(_CLAIM, asked)]

    async def content(self, connection: AsyncConnection, letter: ClaimedLetter) -> Content | None:
        query = select(handovers.c.customer_id, handovers.c.content).where(
            handovers.c.tenant_id == letter.tenant_id, handovers.c.id == letter.id
        )
        row = (await connection.execute(query)).first()
        return Content(row.customer_id, tuple(row.content["parts"])) if row else None

    async def postpone(self, connection: AsyncConnection, letter: ClaimedLetter, until: datetime) -> None:
        """No attempt was made."""
        await self._change(connection, letter, next_attempt_at=until, leased_until=None)

    async def again(
        self,
        connection: AsyncConnection,
        letter: ClaimedLetter,
        until: datetime,
        code: int | None,
        because: str,
    ) -> None:
        await self._change(
            connection,
            letter,
            attempts=letter.attempts + 1,
            next_attempt_at=until,
            leased_until=None,
            code=code,
            because=because,
        )

    async def done(
        self,
        connection: AsyncConnection,
        letter: ClaimedLetter,
        state: str,
        code: int | None,
        because: str,
        at: datetime,
    ) -> bool:
        """Whether this was the end of it: a failure counts only under the newest claim, a success always."""
        return await self._change(
            connection,
            letter,
            any_claim=state == "sent",
            state=state,
            attempts=letter.attempts + 1,
            leased_until=None,
            code=code,
            because=because,
            done_at=at,
        )

    async def _change(
        self, connection: AsyncConnection, letter: ClaimedLetter, *, any_claim: bool = False, **values: Any
    ) -> bool:
        change = update(letters).where(letters.c.tenant_id == letter.tenant_id, letters.c.id == letter.id)
        if any_claim:
            change = change.where(letters.c.state != "sent")
        else:
            change = change.where(letters.c.state == "pending", letters.c.claims == letter.claim)
        return bool((await connection.execute(change.values(**values))).rowcount)
