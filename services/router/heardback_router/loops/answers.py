"""What the holder of a signed link may do: see the loop, confirm it, dispute it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.loops.app import Loops
from heardback_router.loops.contests import Contest, Contests
from heardback_router.loops.domain import Answer, Refuse, Take, judge_answer
from heardback_router.loops.links import ExpiredError, LinkClaim, TamperedError, given_out_by, read_link
from heardback_router.loops.ports import Backlog, Loop
from heardback_shared.clock import Clock
from heardback_shared.contact.store import PostgresContacts
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox
from heardback_shared.errors import ProblemError
from heardback_shared.http.rate_limit import RateLimiter
from heardback_shared.stream.ports import Outgoing

_TRIES = 3


@dataclass(frozen=True, slots=True)
class Seen:
    """A loop as the holder of a link sees it, and until when the link is good."""

    loop: Loop
    expires_at: datetime


class _OvertakenError(Exception):
    """Someone answered between our look and our lock; everything done since is rolled back."""


class Answers:
    """The comment of a dispute goes to the item's timeline and is kept nowhere else."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        loops: Loops,
        backlog: Backlog,
        clock: Clock,
        *,
        link_key: bytes,
        link_lasts: timedelta,
        contests: Contests,
        contacts: PostgresContacts,
        limiter: RateLimiter,
    ) -> None:
        self._limiter = limiter
        self._lasts = link_lasts
        self._contacts = contacts
        self._contests = contests
        self._database = database
        self._outbox = outbox
        self._loops = loops
        self._backlog = backlog
        self._clock = clock
        self._key = link_key

    async def show(self, token: str) -> Seen:
        """Changes nothing: mail scanners open links before people do."""
        claim = self._read(token)
        async with self._database.tenant(claim.tenant_id) as connection:
            return Seen(await self._find(connection, claim), claim.expires_at)

    async def contest(self, token: str, comment: str | None = None) -> Contest:
        """The customer asks for a person to judge again. Asked while one is open, it is that one."""
        claim = self._read(token)
        async with self._database.tenant(claim.tenant_id) as connection:
            await self._find(connection, claim)
        contest = await self._contests.open(claim, comment)
        if contest is None:
            raise _unknown()
        return contest

    async def give(self, token: str, answer: Answer, comment: str | None = None) -> Seen:
        """The loop after the answer. The same answer again is no error and has no further effect.

        The loop and the item change in one transaction.
        """
        claim = self._read(token)
        for _ in range(_TRIES):
            try:
                async with self._database.tenant(claim.tenant_id) as connection:
                    loop = await self._give(connection, claim, answer, comment)
            except _OvertakenError:
                continue
            self._outbox.wake()
            return Seen(loop, claim.expires_at)
        raise ProblemError(
            409, "answered-meanwhile", "Someone else is answering", "Nothing was changed; try again."
        )

    async def _give(
        self, connection: AsyncConnection, claim: LinkClaim, answer: Answer, comment: str | None
    ) -> Loop:
        loop = await self._find(connection, claim)
        verdict = judge_answer(loop.state, answer)
        if isinstance(verdict, Refuse):
            raise ProblemError(409, "already-answered", "This cannot be answered so", f"{verdict.because}.")
        if not isinstance(verdict, Take):
            return loop
        at = self._clock.now()
        # Item first, loop second: the order in which resolving an item takes its locks.
        outgoing = list(await self._tell_backlog(connection, claim, loop, answer, comment))
        verdict, moved = await self._loops.take_answer(connection, claim.tenant_id, loop.id, answer, at)
        if not isinstance(verdict, Take):
            raise _OvertakenError
        await self._outbox.add(connection, [*outgoing, *moved])
        return await self._find(connection, claim)

    async def _tell_backlog(
        self, connection: AsyncConnection, claim: LinkClaim, loop: Loop, answer: Answer, comment: str | None
    ) -> Sequence[Outgoing]:
        at = self._clock.now()
        if answer == "confirmed":
            return await self._backlog.close_on_confirm(
                connection, claim.tenant_id, loop.item_id, loop_id=loop.id, at=at
            )
        return await self._backlog.reopen_on_dispute(
            connection, claim.tenant_id, loop.item_id, loop_id=loop.id, comment=comment, at=at
        )

    async def _find(self, connection: AsyncConnection, claim: LinkClaim) -> Loop:
        loop = await self._loops.find(connection, claim.tenant_id, claim.loop_id)
        if loop is None:
            raise _unknown()
        if loop.customer_id is not None:
            at = await self._contacts.erased_at(connection, claim.tenant_id, loop.customer_id)
            if given_out_by(claim.expires_at, self._lasts, at):
                raise ProblemError(
                    410,
                    "erased",
                    "The data were erased",
                    "The personal data of whoever got this link were erased; it opens nothing any more.",
                )
        return loop

    def _read(self, token: str) -> LinkClaim:
        try:
            claim = read_link(self._key, token, self._clock.now())
        except ExpiredError as error:
            raise ProblemError(
                410,
                "link-expired",
                "The link has expired",
                "It can no longer be answered; to say something new, send new feedback.",
            ) from error
        except TamperedError as error:
            raise _unknown() from error
        self._limiter.spend(f"{claim.tenant_id}\x1f{claim.loop_id}")
        return claim


def _unknown() -> ProblemError:
    return ProblemError(
        404, "unknown-link", "No such link", "The link is not one of ours, or was changed on its way."
    )
