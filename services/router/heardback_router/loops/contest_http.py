"""Routes of contests: customers disagree through their link, colleagues answer with a key."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from heardback_router.backlog.deeds import Actor, actor_of, as_json, known
from heardback_router.backlog.schemas import ForCustomer
from heardback_router.loops.contests import (
    AnsweredError,
    Contest,
    ContestOutcome,
    Contests,
    ContestState,
    PostgresContests,
    UnknownContestError,
)
from heardback_router.messages.checking import BadTextError
from heardback_router.wording import CustomerText, LanguageCode
from heardback_shared.access.keys import Principal
from heardback_shared.clock import Clock
from heardback_shared.contracts.base import Submission
from heardback_shared.db.database import Database
from heardback_shared.errors import ProblemError
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid, not_found

MOST_SHOWN = 200


class AnswerIn(Submission):
    """`text` is what the customer reads, in `language`; without one it is that for everybody else. `changed`:
    the person judges otherwise than the machine did."""

    text: ForCustomer
    language: LanguageCode | None = None
    outcome: ContestOutcome


class ContestOut(BaseModel):
    """`comment` is what the customer said, for colleagues."""

    id: str
    loop_id: str
    item_id: str
    state: ContestState
    comment: str | None
    opened_at: datetime
    due_at: datetime
    overdue: bool
    outcome: ContestOutcome | None
    answer: str | None
    answered_by: str | None
    answered_at: datetime | None


class ContestsOut(BaseModel):
    """Those due first come first, at most 200."""

    contests: list[ContestOut]


def contest_routes(
    database: Database, store: PostgresContests, contests: Contests, clock: Clock, guard: Guard
) -> APIRouter:
    router = APIRouter(prefix="/v1/contests", tags=["contests"])
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]
    writers = Annotated[Principal, Depends(guard.needs("items:write"))]

    @router.get("", response_model=ContestsOut, summary="Customers who want a person to judge again")
    async def page(
        who: readers,
        state: ContestState = "open",
        limit: Annotated[int, Query(ge=1, le=MOST_SHOWN)] = MOST_SHOWN,
    ) -> Response:
        async with database.tenant(who.tenant_id) as connection:
            found = await store.page(connection, who.tenant_id, state, limit)
        return as_json({"contests": [_shown(contest, clock.now()) for contest in found]})

    @router.post("/{contest_id}:answer", response_model=ContestOut, summary="A person's answer")
    async def answer(contest_id: str, body: AnswerIn, who: writers, actor: Actor = None) -> Response:
        by = actor_of(actor, who)
        try:
            contest = await contests.answer(
                who.tenant_id, known(contest_id), by, CustomerText(body.text), body.outcome, body.language
            )
        except UnknownContestError as error:
            raise not_found(f"Contest {contest_id}") from error
        except BadTextError as error:
            raise invalid(error.faults) from error
        except AnsweredError as error:
            raise ProblemError(409, "not-now", "It was answered before", f"{error}; that stays.") from error
        return as_json(_shown(contest, clock.now()))

    return router


def _shown(contest: Contest, at: datetime) -> dict[str, Any]:
    return {
        "id": contest.id,
        "loop_id": contest.loop_id,
        "item_id": contest.item_id,
        "state": contest.state,
        "comment": contest.comment,
        "opened_at": contest.opened_at,
        "due_at": contest.due_at,
        "overdue": contest.overdue(at),
        "outcome": contest.outcome,
        "answer": contest.answer.text if contest.answer else None,
        "answered_by": contest.answered_by,
        "answered_at": contest.answered_at,
    }
