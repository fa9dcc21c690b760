"""Which customer ids are one person: suggested, decided, and taken back."""

import base64
import binascii
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import StringConstraints

from heardback_ingest.app.identity import Identity, NothingToDoError, UnknownCustomerError, view
from heardback_ingest.domain.identity import Change, IdentityEvent
from heardback_ingest.http.customers import CustomerId
from heardback_shared.access.keys import Principal
from heardback_shared.contracts.base import Submission
from heardback_shared.errors import ProblemError
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid

Key = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Reason = Annotated[
    str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True, pattern=r"^[^\x00]*$")
]


class MergeIn(Submission):
    customer_id: Key
    into: Key
    """Whose person both are from now on."""
    reason: Reason


class SplitIn(Submission):
    customer_id: Key
    reason: Reason


class UndoIn(Submission):
    event: Key
    reason: Reason


def routes(guard: Guard, identity: Identity) -> APIRouter:
    api = APIRouter(prefix="/v1", tags=["customers"])
    writer = Annotated[Principal, Depends(guard.needs("customers:write"))]
    reader = Annotated[Principal, Depends(guard.needs("customers:read"))]

    @api.post("/identity:merge", status_code=201, summary="Two customers are one person")
    async def merge(principal: writer, body: MergeIn) -> dict[str, Any]:
        """With all that are one person with either. Can be undone."""
        try:
            done = await identity.merge(
                principal.tenant_id, body.customer_id, body.into, principal.name, body.reason
            )
        except (UnknownCustomerError, NothingToDoError) as error:
            raise _problem(error) from error
        return _done(*done)

    @api.post("/identity:split", status_code=201, summary="A customer is a person of its own")
    async def split(principal: writer, body: SplitIn) -> dict[str, Any]:
        try:
            done = await identity.split(principal.tenant_id, body.customer_id, principal.name, body.reason)
        except (UnknownCustomerError, NothingToDoError) as error:
            raise _problem(error) from error
        return _done(*done)

    @api.post("/identity:undo", status_code=201, summary="A merge or split had never been")
    async def undo(principal: writer, body: UndoIn) -> dict[str, Any]:
        """Everything decided since stays in force. An undo can be undone too."""
        try:
            done = await identity.undo(principal.tenant_id, body.event, principal.name, body.reason)
        except (UnknownCustomerError, NothingToDoError) as error:
            raise _problem(error) from error
        return _done(*done)

    @api.get("/identity/events", summary="Every merge, split and undo, oldest first")
    async def events(
        principal: reader,
        after: Annotated[int, Query(ge=0, lt=2**31)] = 0,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
    ) -> dict[str, Any]:
        """`next_after` of a page, where there are more, is `after` of the next."""
        found = await identity.events(principal.tenant_id, after, limit + 1)
        more = len(found) > limit
        return {
            "events": [view(event) for event in found[:limit]],
            "next_after": found[limit - 1].sequence if more else None,
        }

    @api.get("/identity/suggestions", summary="Customers who share an e-mail address or telephone number")
    async def suggestions(
        principal: reader,
        cursor: str | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        """Nothing is merged by itself: families and offices share addresses too. A person decides."""
        found = await identity.suggestions(principal.tenant_id, _after(cursor), limit)
        return {
            "suggestions": [{"shared": kind, "customer_ids": list(ids)} for kind, _, ids in found.shown],
            "next_cursor": _cursor(found.last) if found.last else None,
        }

    @api.get("/customers/{customer_id:path}/identity", summary="Whose person a customer id is")
    async def person(customer_id: CustomerId, principal: reader) -> dict[str, Any]:
        return _change(await identity.person(principal.tenant_id, customer_id))

    return api


def _change(change: Change) -> dict[str, Any]:
    return {
        "customer_id": change.customer_id,
        "person_id": change.person_id,
        "customer_ids": list(change.members),
    }


def _done(event: IdentityEvent, changed: tuple[Change, ...]) -> dict[str, Any]:
    return {"event": view(event), "changed": [_change(x) for x in changed]}


def _problem(error: UnknownCustomerError | NothingToDoError) -> ProblemError:
    if isinstance(error, UnknownCustomerError):
        return invalid(((error.pointer, "names no customer; tell something about them first"),))
    return ProblemError(409, "nothing-to-do", "Nothing would change", f"Nothing was stored: {error}.")


def _cursor(last: tuple[str, bytes]) -> str:
    return base64.urlsafe_b64encode(last[0].encode() + b"\n" + last[1]).decode()


def _after(cursor: str | None) -> tuple[str, bytes] | None:
    if cursor is None:
        return None
    try:
        kind, _, digest = base64.b64decode(cursor, altchars=b"-_", validate=True).partition(b"\n")
        return kind.decode("ascii").replace("\x00", ""), digest
    except (binascii.Error, ValueError) as error:
        raise invalid((("query:cursor", "must be one that this list gave"),)) from error
