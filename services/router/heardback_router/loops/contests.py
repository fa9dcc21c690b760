"""A customer disagrees with how a machine judged: a person looks again, within a set time, and answers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.ports import Wording
from heardback_router.configuration.policies import Policies
from heardback_router.configuration.source import PolicySource
from heardback_router.loops.drafting import Matter
from heardback_router.loops.links import LinkClaim
from heardback_router.loops.ports import Backlog, Loop, LoopStore
from heardback_router.loops.saying import Saying
from heardback_router.loops.tables import contests
from heardback_router.loops.telling import Decision
from heardback_router.loops.watches import working_time_of
from heardback_router.messages.checking import refuse_bad
from heardback_router.messages.domain import Step
from heardback_router.wording import CustomerText
from heardback_shared.clock import Clock
from heardback_shared.db.bulk import insert_rows
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox
from heardback_shared.ids import derived_id

ContestState = Literal["open", "answered"]
ContestOutcome = Literal["changed", "upheld"]
"""Whether the person came to another judgement than the machine."""

RECEIVED = Decision("automatic", "contest", "Whoever contests a judgement learns that a person looks at it.")
ANSWERED = Decision("automatic", "contest", "A person has answered the contest in these words.")


class UnknownContestError(Exception):
    """There is no such contest in this tenant."""


class AnsweredError(Exception):
    """It was answered before. The message says by whom."""


@dataclass(frozen=True, slots=True)
class Contest:
    """`due_at` is when the answer is due, in working time of the policy's calendar. `comment` is what the
    customer said, for colleagues only."""

    id: str
    loop_id: str
    item_id: str
    state: ContestState
    comment: str | None
    opened_at: datetime
    due_at: datetime
    answered_by: str | None = None
    answered_at: datetime | None = None
    answer: CustomerText | None = None
    outcome: ContestOutcome | None = None

    def overdue(self, at: datetime) -> bool:
        return self.due_at < (self.answered_at or at)


def due_at(policies: Policies, opened_at: datetime) -> datetime:
    """When a contest that was opened then is to be answered."""
    telling = policies.telling
    return working_time_of(telling, policies.sla).after(opened_at, telling.contest_within)


class PostgresContests:
    async def open_of(self, connection: AsyncConnection, tenant_id: str, loop_id: str) -> Contest | None:
        query = select(contests).where(
            contests.c.tenant_id == tenant_id, contests.c.loop_id == loop_id, contests.c.state == "open"
        )
        row = (await connection.execute(query)).mappings().first()
        return _contest(dict(row)) if row else None

    async def put(self, connection: AsyncConnection, tenant_id: str, contest: Contest) -> None:
        given = {name: getattr(contest, name) for name in _FIELDS}
        row = {**given, "answer": contest.answer.text if contest.answer else None}
        updated = ", ".join(f"{name} = excluded.{name}" for name in _FIELDS if name != "id")
        await insert_rows(
            connection,
            contests,
            [{"tenant_id": tenant_id, **row}],
            on_conflict=f"ON CONFLICT (tenant_id, id) DO UPDATE SET {updated}",
        )

    async def lock(self, connection: AsyncConnection, tenant_id: str, contest_id: str) -> Contest | None:
        query = select(contests).where(contests.c.tenant_id == tenant_id, contests.c.id == contest_id)
        row = (await connection.execute(query.with_for_update())).mappings().first()
        return _contest(dict(row)) if row else None

    async def page(
        self, connection: AsyncConnection, tenant_id: str, state: ContestState, limit: int
    ) -> Sequence[Contest]:
        """Those due first come first."""
        query = select(contests).where(contests.c.tenant_id == tenant_id, contests.c.state == state)
        rows = await connection.execute(query.order_by(contests.c.due_at, contests.c.id).limit(limit))
        return [_contest(dict(row)) for row in rows.mappings()]


class Contests:
    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        store: LoopStore,
        contests_: PostgresContests,
        saying: Saying,
        backlog: Backlog,
        policies: PolicySource,
        clock: Clock,
        *,
        wording: Wording,
    ) -> None:
        self._wording = wording
        self._database = database
        self._outbox = outbox
        self._store = store
        self._contests = contests_
        self._saying = saying
        self._backlog = backlog
        self._policies = policies
        self._clock = clock

    async def open(self, claim: LinkClaim, comment: str | None) -> Contest | None:
        """The contest, the one that is open already if there is one; None where there is no such loop."""
        tenant_id = claim.tenant_id
        async with self._database.tenant(tenant_id) as connection:
            loop = await self._store.find(connection, tenant_id, claim.loop_id)
            if loop is None:
                return None
            at = self._clock.now()
            policies = await self._policies.of(connection, tenant_id)
            contest_id = derived_id("ct", tenant_id, loop.id, at.isoformat())
            # The item first: of two clicks at once, the second one finds the contest of the first.
            await self._backlog.lock(connection, tenant_id, loop.item_id)
            standing = await self._contests.open_of(connection, tenant_id, loop.id)
            if standing is not None:
                return standing
            outgoing = await self._backlog.note_contest(
                connection,
                tenant_id,
                loop.item_id,
                loop_id=loop.id,
                contest_id=contest_id,
                comment=comment,
                at=at,
            )
            contest = Contest(contest_id, loop.id, loop.item_id, "open", comment, at, due_at(policies, at))
            await self._contests.put(connection, tenant_id, contest)
            await self._say(connection, tenant_id, contest, loop, "contest_received", policies, RECEIVED, at)
            await self._outbox.add(connection, outgoing)
        self._outbox.wake()
        return contest

    async def answer(
        self,
        tenant_id: str,
        contest_id: str,
        by: str,
        text: CustomerText,
        outcome: ContestOutcome,
        language: str | None = None,
    ) -> Contest:
        """`language` is that of the text. Raises UnknownContestError, AnsweredError, and BadTextError for
        what this customer must not read."""
        async with self._database.tenant(tenant_id) as connection:
            contest = await self._contests.lock(connection, tenant_id, contest_id)
            if contest is None:
                raise UnknownContestError(contest_id)
            if contest.state == "answered":
                raise AnsweredError(f"{contest.answered_by} has answered it already")
            at = self._clock.now()
            policies = await self._policies.of(connection, tenant_id)
            loop = await self._store.find(connection, tenant_id, contest.loop_id)
            texts = [("/text", language, text.text)]
            refuse_bad(texts, policies.messages, at)
            await self._wording.check(
                connection,
                tenant_id,
                [loop.item_id if loop else contest.item_id],
                texts,
                policies.messages,
                readers={loop.customer_id} if loop and loop.customer_id else set(),
            )
            after = replace(
                contest, state="answered", answered_by=by, answered_at=at, answer=text, outcome=outcome
            )
            await self._contests.put(connection, tenant_id, after)
            if loop is not None:
                await self._say(
                    connection, tenant_id, after, loop, "contest_answered", policies, ANSWERED, at
                )
        return after

    async def _say(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        contest: Contest,
        loop: Loop,
        step: Step,
        policies: Policies,
        decided: Decision,
        at: datetime,
    ) -> None:
        matter = Matter(
            loop.item_id,
            step,
            "P4",
            None,
            None,
            contest.answered_by,
            occasion=contest.id,
            answer=contest.answer,
            due=contest.due_at if contest.state == "open" else None,
        )
        await self._saying.say(connection, tenant_id, matter, [loop], policies.telling, at, decided=decided)


_FIELDS = (
    "id",
    "loop_id",
    "item_id",
    "state",
    "comment",
    "opened_at",
    "due_at",
    "answered_by",
    "answered_at",
    "answer",
    "outcome",
)


def _contest(row: dict[str, object]) -> Contest:
    given = {name: row[name] for name in _FIELDS}
    answer = given["answer"]
    return Contest(**{**given, "answer": CustomerText(str(answer)) if answer else None})  # type: ignore[arg-type]
