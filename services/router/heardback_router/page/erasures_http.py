"""What people see of requests to be erased, and how they say that one is carried out."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import StringConstraints

from heardback_router.page.erasures import PostgresErasures
from heardback_shared.access.keys import Principal
from heardback_shared.clock import Clock
from heardback_shared.contracts.base import Submission
from heardback_shared.db.database import Database
from heardback_shared.errors import ProblemError
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid

_BEGINNING = (datetime(1900, 1, 1, tzinfo=UTC), "")


class DoneIn(Submission):
    words: Annotated[
        str, StringConstraints(min_length=1, max_length=1_000, strip_whitespace=True, pattern=r"^[^\x00]*$")
    ]
    """What was done, or why it may not be."""


def erasure_routes(database: Database, erasures: PostgresErasures, clock: Clock, guard: Guard) -> APIRouter:
    api = APIRouter(prefix="/v1/erasure-requests", tags=["customers"])
    admin = Annotated[Principal, Depends(guard.needs("admin"))]

    @api.get("", summary="Customers who asked to be erased, oldest first")
    async def list_requests(
        principal: admin,
        open: bool = True,  # noqa: A002  the name of the query parameter
        cursor: Annotated[str | None, Query(max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        after = _read(cursor) if cursor else _BEGINNING
        async with database.tenant(principal.tenant_id) as c:
            found = await erasures.page(c, principal.tenant_id, is_open=open, after=after, limit=limit + 1)
        page = found[:limit]
        last = page[-1] if len(found) > limit else None
        return {
            "requests": [
                {
                    "id": one.id,
                    "customer_id": one.customer_id,
                    "made_at": one.made_at,
                    "confirmed": one.confirmed,
                    "done_by": one.done_by,
                    "done_at": one.done_at,
                    "words": one.words,
                }
                for one in page
            ],
            "next_cursor": f"{last.made_at.isoformat()}~{last.id}" if last else None,
        }

    @api.post("/{request_id}:done", status_code=204, summary="Say that it is carried out, and how")
    async def done(request_id: str, body: DoneIn, principal: admin) -> None:
        async with database.tenant(principal.tenant_id) as c:
            found = await erasures.done(
                c, principal.tenant_id, request_id, principal.name, body.words, clock.now()
            )
        if not found:
            raise ProblemError(404, "not-found", "Not found", "There is no such open request.")

    return api


def _read(cursor: str) -> tuple[datetime, str]:
    at, _, request_id = cursor.partition("~")
    try:
        when = datetime.fromisoformat(at)
    except ValueError as error:
        raise invalid((("query:cursor", "is not one of ours; begin again without it"),)) from error
    if when.tzinfo is None or "\x00" in request_id:
        raise invalid((("query:cursor", "is not one of ours; begin again without it"),))
    return when, request_id
