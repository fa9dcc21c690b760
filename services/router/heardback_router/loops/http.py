"""The public routes behind signed links. No API key: the token is the right to answer one loop."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StringConstraints

from heardback_router.loops.answers import Answers, Seen
from heardback_router.loops.domain import may_follow
from heardback_router.messages.domain import Result
from heardback_shared.contracts.base import Submission
from heardback_shared.contracts.events import LoopState

COMMENT_LIMIT = 2_000

_PROBLEMS: dict[int | str, dict[str, str]] = {
    404: {"description": "Not one of our links, or changed on its way"},
    410: {"description": "The link has expired"},
}
_CONFLICT: dict[int | str, dict[str, str]] = {409: {"description": "Answered otherwise before"}}


Comment = Annotated[
    str, StringConstraints(max_length=COMMENT_LIMIT, strip_whitespace=True, pattern=r"^[^\x00]*$")
]


class DisputeIn(Submission):
    comment: Comment | None = None


class LoopOut(BaseModel):
    """What the customer was told, and what can still be answered."""

    state: LoopState
    round: int
    result: Result | None = Field(description="What became of the matter; nothing was changed if declined")
    message: str | None
    since: datetime
    expires_at: datetime
    can_answer: bool = Field(description="Whether confirm and dispute are still open")


class ContestedOut(BaseModel):
    """A person looks at it again, and answers by `due_at`."""

    opened_at: datetime
    due_at: datetime


def answer_routes(answers: Answers) -> APIRouter:
    router = APIRouter(prefix="/v1/loops", tags=["loops"], responses=_PROBLEMS)

    @router.post("/{token}:confirm", summary="The customer confirms that it is solved", responses=_CONFLICT)
    async def confirm(token: str, response: Response) -> LoopOut:
        return _shown(await answers.give(token, "confirmed"), response)

    @router.post("/{token}:dispute", summary="The customer says it is not solved", responses=_CONFLICT)
    async def dispute(token: str, response: Response, body: DisputeIn | None = None) -> LoopOut:
        comment = body.comment if body and body.comment else None
        return _shown(await answers.give(token, "disputed", comment), response)

    @router.post(
        "/{token}:contest",
        summary="The customer asks for a person to look again at how a machine judged",
        status_code=202,
    )
    async def contest(token: str, response: Response, body: DisputeIn | None = None) -> ContestedOut:
        found = await answers.contest(token, body.comment if body and body.comment else None)
        _keep_private(response)
        return ContestedOut(opened_at=found.opened_at, due_at=found.due_at)

    @router.get("/{token}", summary="What was told, and whether it was answered; changes nothing")
    async def show(token: str, response: Response) -> LoopOut:
        return _shown(await answers.show(token), response)

    return router


def _shown(seen: Seen, response: Response) -> LoopOut:
    """Only what was written for the customer: no reason, no comment, nobody's name."""
    loop = seen.loop
    _keep_private(response)
    return LoopOut(
        state=loop.state,
        round=loop.status.round,
        result=loop.result,
        message=loop.message.text if loop.message else None,
        since=loop.status.since,
        expires_at=seen.expires_at,
        can_answer=may_follow(loop.state, "confirmed"),
    )


def _keep_private(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
