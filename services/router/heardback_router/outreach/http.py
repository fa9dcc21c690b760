"""Messages over HTTP: why was this customer told, or not, and when will it go."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from heardback_router.messages.domain import Step
from heardback_router.outreach.details import Details
from heardback_router.outreach.domain import MessageState
from heardback_router.outreach.reader import Filter, PostgresMessageReader
from heardback_shared.access.keys import Principal
from heardback_shared.contact.domain import Channel
from heardback_shared.db.database import Database
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid, not_found

Id = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,64}$")]
IdFilter = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Code = Annotated[str | None, Query(pattern=r"^[a-z_]{1,40}$")]


class MessageOut(BaseModel):
    id: str
    customer_id: str
    step: Step
    state: MessageState
    channel: Channel | None
    code: str | None = Field(description="Why it stands where it stands, for machines")
    reason: str | None = Field(description="The same in plain words")
    due_at: AwareDatetime | None = Field(description="When it is looked at next, while it waits")
    campaign_id: str | None
    item_ids: list[str]
    loop_ids: list[str]
    created_at: AwareDatetime
    changed_at: AwareDatetime


class MessageList(BaseModel):
    messages: list[MessageOut]
    next_cursor: str | None


class EventOut(BaseModel):
    sequence: int
    state: MessageState
    at: AwareDatetime
    due_at: AwareDatetime | None
    channel: Channel | None
    code: str | None
    reason: str | None
    basis: dict[str, Any] = Field(description="What the decision was made from")


class GivenOut(BaseModel):
    """What the customer reads, as it was given to the channel; with others in a digest."""

    id: str = Field(description="Deliveries of it are found by this")
    channel: Channel
    state: str
    because: str | None
    parts: list[dict[str, Any]]
    expires_at: AwareDatetime
    created_at: AwareDatetime
    done_at: AwareDatetime | None
    erased_at: AwareDatetime | None = Field(description="When the text was erased with the customer's data")
    fetched_at: list[AwareDatetime]


class MessageWithHistory(MessageOut):
    explanation: str
    history: list[EventOut]
    given: GivenOut | None


class DetailsOut(BaseModel):
    message_id: str
    customer_id: str
    channel: Channel
    parts: list[dict[str, Any]]
    expires_at: AwareDatetime


def outreach_routes(
    database: Database, reader: PostgresMessageReader, details: Details, guard: Guard
) -> APIRouter:
    router = APIRouter(prefix="/v1/messages", tags=["messages"])
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]

    @router.get("", summary="Messages to customers and where they stand, newest first")
    async def search(
        who: readers,
        *,
        customer: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
        item: IdFilter = None,
        loop: IdFilter = None,
        campaign: IdFilter = None,
        state: MessageState | None = None,
        code: Code = None,
        cursor: Annotated[str | None, Query(max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
    ) -> MessageList:
        after = _read_cursor(cursor) if cursor else None
        wanted = Filter(_clean(customer), item, loop, campaign, state, code)
        async with database.tenant(who.tenant_id) as connection:
            found = await reader.search(connection, who.tenant_id, wanted, after, limit + 1)
        return _page(found, limit)

    @router.get(
        "/details/{token}",
        summary="The text of a message, by the link its webhook got; every read is on record",
        responses={404: {"description": "None of our links"}, 410: {"description": "The link has expired"}},
    )
    async def fetch(
        token: Annotated[str, Path(max_length=1_000)], request: Request, response: Response
    ) -> DetailsOut:
        found = await details.fetch(token, request.client.host if request.client else "unknown")
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        return DetailsOut(
            message_id=found["id"],
            customer_id=found["customer_id"],
            channel=found["channel"],
            parts=found["content"]["parts"],
            expires_at=found["expires_at"],
        )

    @router.get("/{message_id}", summary="Why a customer was told, or not yet, or not at all")
    async def one(message_id: Id, who: readers) -> MessageWithHistory:
        async with database.tenant(who.tenant_id) as connection:
            found = await reader.one(connection, who.tenant_id, message_id)
        if found is None:
            raise not_found("The message")
        return _whole(found)

    return router


def explanation(state: MessageState, reason: str | None, due_at: datetime | None, channel: str | None) -> str:
    """One or two plain sentences."""
    when = due_at.isoformat(timespec="minutes") if due_at else "the next look"
    said: Mapping[MessageState, str] = {
        "waiting": f"It waits, and is looked at again at {when}.",
        "paused": "It is paused by a person.",
        "handed": f"It was given to {channel}, which has not delivered it yet.",
        "sent": f"The customer was told by {channel}.",
        "failed": "The customer could not be told.",
        "refused": "The customer may not be told.",
        "cancelled": "It was cancelled and never goes out.",
    }
    return f"{said[state]} {reason}" if reason and state != "sent" else said[state]


def _out(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: row[name] for name in MessageOut.model_fields if name in row},
        "due_at": row["due_at"] if row["state"] == "waiting" else None,
        "item_ids": row["draft"]["item_ids"],
        "loop_ids": row["draft"]["loop_ids"],
    }


def _whole(row: Mapping[str, Any]) -> MessageWithHistory:
    shown = _out(row)
    given = row["handover"]
    return MessageWithHistory(
        **shown,
        explanation=explanation(row["state"], row["reason"], shown["due_at"], row["channel"]),
        history=[
            EventOut(**{name: event[name] for name in EventOut.model_fields}) for event in row["history"]
        ],
        given=GivenOut(
            **{name: given[name] for name in GivenOut.model_fields if name != "parts"},
            parts=given["content"]["parts"],
        )
        if given
        else None,
    )


def _page(rows: Sequence[Mapping[str, Any]], limit: int) -> MessageList:
    shown = rows[:limit]
    more = len(rows) > limit
    return MessageList(
        messages=[MessageOut(**_out(row)) for row in shown], next_cursor=_cursor(shown[-1]) if more else None
    )


def _clean(customer: str | None) -> str | None:
    if customer is not None and "\x00" in customer:
        raise invalid((("query:customer", "is no customer id"),))
    return customer


def _cursor(row: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(f"{row['created_at'].isoformat()} {row['id']}".encode()).decode()


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        at, message_id = base64.urlsafe_b64decode(cursor.encode()).decode().split(" ")
        created_at = datetime.fromisoformat(at)
        if created_at.tzinfo is None or "\x00" in message_id:
            raise ValueError
    except (ValueError, binascii.Error) as error:
        problem = (("query:cursor", "is not a cursor of ours; take next_cursor from the page before"),)
        raise invalid(problem) from error
    return created_at, message_id
