"""Routes of reviews: what waits for a second person, and what its owner may still edit or stop."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from heardback_router.backlog.deeds import Actor, actor_of, as_json, known
from heardback_router.backlog.schemas import MOST_LANGUAGES, ForCustomer, Internal
from heardback_router.loops.review_domain import FourEyesError, Review, ReviewError, ReviewState, people_of
from heardback_router.loops.review_store import PostgresReviews
from heardback_router.loops.reviews import Reviews, UnknownReviewError
from heardback_router.messages.checking import BadTextError
from heardback_router.wording import CustomerText, InternalText, LanguageCode, translated
from heardback_shared.access.keys import Principal
from heardback_shared.contracts.base import Submission
from heardback_shared.db.database import Database
from heardback_shared.errors import ProblemError
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid, not_found

Version = Annotated[int, Field(ge=1, le=1_000_000, description="The version that was read")]


class ApproveIn(Submission):
    """Somebody else than the author releases it, in the words of this version."""

    version: Version


class RejectIn(Submission):
    """`reason` is for colleagues; customers never see it."""

    reason: Internal


class EditIn(Submission):
    """The words in the language for everybody else, and in others by their codes."""

    text: ForCustomer
    translations: dict[LanguageCode, ForCustomer] = Field(default_factory=dict, max_length=MOST_LANGUAGES)
    version: Version


class ReviewOut(BaseModel):
    """`text` is what customers would read, in the frame of the template of its step; None where that says
    all. `because` says why it waits. What is `sending` goes out by itself at `sends_at` unless
    it is stopped."""

    id: str
    item_id: str
    step: str
    state: ReviewState
    because: str
    version: int
    author: str
    text: str | None
    translations: dict[str, str]
    people: int
    customers: list[str] = Field(description="The first 50")
    opened_at: datetime
    sends_at: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None


class WordingOut(BaseModel):
    version: int
    text: str | None
    author: str
    at: datetime


class ReviewDetailOut(ReviewOut):
    """With every wording there was."""

    versions: list[WordingOut]


class ReviewsOut(BaseModel):
    """Oldest first; `next_after` is for the following page."""

    reviews: list[ReviewOut]
    next_after: str | None


def review_routes(database: Database, store: PostgresReviews, reviews: Reviews, guard: Guard) -> APIRouter:
    router = APIRouter(prefix="/v1/reviews", tags=["reviews"])
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]
    writers = Annotated[Principal, Depends(guard.needs("items:write"))]

    @router.get("", response_model=ReviewsOut, summary="What waits for a second person, or may be stopped")
    async def page(
        who: readers,
        state: Annotated[list[ReviewState] | None, Query()] = None,
        item: Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]+$")] = None,
        after: Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]+$")] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
    ) -> Response:
        async with database.tenant(who.tenant_id) as connection:
            place = None
            if after is not None:
                last = await store.find(connection, who.tenant_id, after)
                if last is None:
                    raise invalid((("query:after", "is no review; take next_after of the page before"),))
                place = (last.opened_at, last.id)
            states = state or ["waiting", "sending"]
            found = await store.page(connection, who.tenant_id, states, item, place, limit + 1)
        shown = [_shown(review) for review in found[:limit]]
        return as_json({"reviews": shown, "next_after": shown[-1]["id"] if len(found) > limit else None})

    @router.get("/{review_id}", response_model=ReviewDetailOut, summary="One review with every wording")
    async def one(review_id: str, who: readers) -> Response:
        async with database.tenant(who.tenant_id) as connection:
            review = await store.find(connection, who.tenant_id, known(review_id))
            if review is None:
                raise not_found(f"Review {review_id}")
            versions = await store.versions(connection, who.tenant_id, review.id)
        return as_json({**_shown(review), "versions": versions})

    @router.post("/{review_id}:approve", response_model=ReviewOut, summary="Let the customers read it")
    async def approve(review_id: str, body: ApproveIn, who: writers, actor: Actor = None) -> Response:
        with _problems(review_id):
            by = actor_of(actor, who)
            return as_json(_shown(await reviews.approve(who.tenant_id, known(review_id), by, body.version)))

    @router.post("/{review_id}:reject", response_model=ReviewOut, summary="Nobody is told; or stop it")
    async def reject(review_id: str, body: RejectIn, who: writers, actor: Actor = None) -> Response:
        with _problems(review_id):
            reason = InternalText(body.reason)
            by = actor_of(actor, who)
            return as_json(_shown(await reviews.reject(who.tenant_id, known(review_id), by, reason)))

    @router.post("/{review_id}:edit", response_model=ReviewOut, summary="Say it in other words")
    async def edit(review_id: str, body: EditIn, who: writers, actor: Actor = None) -> Response:
        with _problems(review_id):
            by, text = actor_of(actor, who), CustomerText(body.text)
            others = translated(body.translations)
            after = await reviews.edit(who.tenant_id, known(review_id), by, text, others, body.version)
            return as_json(_shown(after))

    return router


@contextmanager
def _problems(review_id: str) -> Iterator[None]:
    try:
        yield
    except UnknownReviewError as error:
        raise not_found(f"Review {review_id}") from error
    except FourEyesError as error:
        raise ProblemError(403, "four-eyes", "Somebody else has to release it", f"{error}.") from error
    except BadTextError as error:
        raise invalid(error.faults) from error
    except ReviewError as error:
        raise ProblemError(409, "not-now", "The review does not allow this now", f"{error}.") from error


def _shown(review: Review) -> dict[str, Any]:
    customers = list(dict.fromkeys(draft.customer_id for draft in review.drafts))
    return {
        "id": review.id,
        "item_id": review.item_id,
        "step": review.step,
        "state": review.state,
        "because": review.because,
        "version": review.version,
        "author": review.author,
        "text": review.text.text if review.text else None,
        "translations": {language: said.text for language, said in review.translations},
        "people": people_of(review.drafts),
        "customers": customers[:50],
        "opened_at": review.opened_at,
        "sends_at": review.sends_at,
        "decided_by": review.decided_by,
        "decided_at": review.decided_at,
        "reason": review.reason.text if review.reason else None,
    }
