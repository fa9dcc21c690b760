"""Correcting what the machine read, over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AfterValidator, BaseModel, Field, model_validator

from heardback_router.backlog.commands import IllegalCommandError
from heardback_router.backlog.deeds import Actor, actor_of
from heardback_router.backlog.schemas import Internal, ItemOut, shown
from heardback_router.corrections.app import Corrected, Corrections, UnknownFeedbackError
from heardback_router.corrections.causes import KnownCauses, strangers
from heardback_router.corrections.domain import PATH, Correction, Word
from heardback_shared.access.keys import Principal
from heardback_shared.contracts.base import Submission
from heardback_shared.contracts.score import Score, Sentiment
from heardback_shared.errors import ProblemError, TransientError
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid, not_found

MOST_CAUSES = 20


def _path(path: str) -> str:
    if PATH.fullmatch(path) is None:
        raise ValueError('must be domain/category as the taxonomy names them, such as "operations/billing"')
    return path


Path = Annotated[str, AfterValidator(_path)]
Paths = Annotated[tuple[Path, ...], Field(max_length=MOST_CAUSES)]


class CorrectIn(Submission):
    """`root_causes` are the causes and no others: [] says that there is none. `wrong` only says which are
    not. What is left out stays as the machine reads it."""

    root_causes: Paths | None = None
    wrong: Paths = ()
    sentiment: Sentiment | None = None
    severity: Annotated[int | None, Field(ge=0, le=100, strict=True)] = None
    reason: Internal

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.root_causes is None and not self.wrong and self.sentiment is None and self.severity is None:
            raise ValueError("give at least one of root_causes, wrong, sentiment and severity")
        both = sorted(set(self.root_causes or ()) & set(self.wrong))
        if both:
            raise ValueError(f"{both[0]} cannot be both; leave it out of root_causes or of wrong")
        return self

    @property
    def word(self) -> Word:
        right = None if self.root_causes is None else tuple(dict.fromkeys(self.root_causes))
        severity = None if self.severity is None else float(self.severity)
        return Word(right, tuple(sorted(set(self.wrong))), self.sentiment, severity)


class CorrectionOut(BaseModel):
    """`said` is what the machine had said before anybody corrected it, with its models and policies."""

    number: int
    root_causes: tuple[str, ...] | None
    wrong: tuple[str, ...]
    sentiment: Sentiment | None
    severity: float | None
    actor: str
    reason: str
    at: datetime
    said: dict[str, Any]
    ended_at: datetime | None
    ended_by: str | None


class CorrectedOut(BaseModel):
    """The feedback afterwards: its score with the correction over it, and its item."""

    feedback_id: str
    correction: CorrectionOut | None
    score: Score
    item: ItemOut


class HistoryOut(BaseModel):
    """Every word about a feedback, the oldest first; at most the last of them is in force."""

    feedback_id: str
    in_force: CorrectionOut | None
    history: tuple[CorrectionOut, ...]


@dataclass(frozen=True, slots=True)
class _Hand:
    """Who corrects which feedback."""

    tenant_id: str
    feedback_id: str
    actor: str
    bearer: str


def correction_routes(corrections: Corrections, causes: KnownCauses, guard: Guard) -> APIRouter:
    router = APIRouter(tags=["corrections"])
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]
    writers = Depends(guard.needs("items:write"))

    def hand(
        request: Request, feedback_id: str, who: Annotated[Principal, writers], actor: Actor = None
    ) -> _Hand:
        bearer = request.headers.get("Authorization", "")
        return _Hand(who.tenant_id, _known(feedback_id), actor_of(actor, who), bearer)

    hands = Annotated[_Hand, Depends(hand)]

    @router.post(
        "/v1/feedback/{feedback_id}:correct", summary="The machine read it wrongly: say what is right"
    )
    async def correct(by: hands, body: CorrectIn) -> CorrectedOut:
        """Wins over every later reading, and its item follows at once. What was said before is replaced.

        Root causes teach: feedback that says the same is read so from then on. The same again is no change.
        """
        if body.root_causes:
            known = await causes.of(by.tenant_id, by.bearer)
            if known is not None and (faults := strangers("root_causes", body.root_causes, known)):
                raise invalid(tuple(faults))
        with _problems(by.feedback_id):
            after = await corrections.correct(
                by.tenant_id, by.feedback_id, body.word, actor=by.actor, reason=body.reason
            )
        return _corrected(by.feedback_id, after)

    @router.get("/v1/feedback/{feedback_id}/corrections", summary="What people corrected in it, and when")
    async def history(feedback_id: str, who: readers) -> HistoryOut:
        with _problems(feedback_id):
            found = await corrections.history(who.tenant_id, _known(feedback_id))
        shown = tuple(_shown(one) for one in found)
        in_force = next((one for one in shown if one.ended_at is None), None)
        return HistoryOut(feedback_id=feedback_id, in_force=in_force, history=shown)

    @router.delete(
        "/v1/feedback/{feedback_id}/corrections", summary="Take it back: what the machine said counts again"
    )
    async def take_back(
        by: hands, reason: Annotated[str | None, Query(min_length=1, max_length=1000)] = None
    ) -> CorrectedOut:
        """Nothing is learnt from it any more; the history keeps it. Without one in force nothing changes."""
        with _problems(by.feedback_id):
            after = await corrections.take_back(
                by.tenant_id, by.feedback_id, actor=by.actor, reason=_text(reason)
            )
        return _corrected(by.feedback_id, after)

    return router


@contextmanager
def _problems(feedback_id: str) -> Iterator[None]:
    try:
        yield
    except UnknownFeedbackError as error:
        raise not_found(f"Scored feedback {feedback_id}") from error
    except IllegalCommandError as error:
        raise ProblemError(409, "not-now", "The item does not allow this now", str(error)) from error
    except TransientError as error:
        raise ProblemError(
            503,
            "unavailable",
            "Somebody else is at it",
            f"{error}; send it again.",
            headers={"Retry-After": "1"},
        ) from error


def _known(feedback_id: str) -> str:
    if "\x00" in feedback_id:
        raise not_found("This feedback")
    return feedback_id


def _text(reason: str | None) -> str | None:
    return reason.replace("\x00", "").strip() or None if reason else None


def _corrected(feedback_id: str, after: Corrected) -> CorrectedOut:
    return CorrectedOut(
        feedback_id=feedback_id,
        correction=_shown(after.in_force) if after.in_force else None,
        score=after.score,
        item=ItemOut.model_validate(shown(after.item)),
    )


def _shown(one: Correction) -> CorrectionOut:
    word = one.word
    return CorrectionOut(
        number=one.number,
        root_causes=word.right,
        wrong=word.wrong,
        sentiment=word.sentiment,
        severity=word.severity,
        actor=one.actor,
        reason=one.reason,
        at=one.at,
        said=dict(one.said),
        ended_at=one.ended_at,
        ended_by=one.ended_by,
    )
