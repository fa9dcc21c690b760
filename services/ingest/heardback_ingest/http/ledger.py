"""The ledger's sums, and the dead letters."""

import base64
import binascii
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query

from heardback_ingest.app.replay import NotReplayableError, Replay
from heardback_ingest.app.show import Show
from heardback_ingest.http.schemas import LedgerView
from heardback_ingest.ports import StoredLetter
from heardback_shared.access.keys import Principal
from heardback_shared.errors import ProblemError
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid, not_found

Words = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")]
LetterId = Annotated[str, Path(max_length=200, pattern=r"^[^\x00]*$")]


def routes(guard: Guard, show: Show, replay: Replay) -> APIRouter:
    api = APIRouter(prefix="/v1")
    reader = Annotated[Principal, Depends(guard.needs("feedback:read"))]
    admin = Annotated[Principal, Depends(guard.needs("admin"))]

    @api.get("/ledger", tags=["feedback"], summary="accepted = settled + in flight + dead")
    async def get_ledger(principal: reader) -> LedgerView:
        counts = await show.ledger(principal.tenant_id)
        balanced = counts.accepted == counts.settled + counts.in_flight + counts.dead
        return LedgerView(**asdict(counts), balanced=balanced)

    @api.get("/dead-letters", tags=["dead letters"], summary="Records no service could handle, newest first")
    async def list_letters(
        principal: admin,
        service: Words = None,
        error: Words = None,
        cursor: str | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        after = _read_cursor(cursor) if cursor else None
        letters = await replay.page(principal.tenant_id, service, error, after, limit + 1)
        more = len(letters) > limit
        page = letters[:limit]
        return {
            "dead_letters": [_view(letter) for letter in page],
            "next_cursor": _cursor(page[-1]) if more else None,
        }

    @api.get("/dead-letters/{letter_id}", tags=["dead letters"], summary="One record, with its bytes")
    async def get_letter(letter_id: LetterId, principal: admin) -> dict[str, Any]:
        letter = await replay.letter(principal.tenant_id, letter_id)
        if letter is None:
            raise not_found("This dead letter")
        return {
            **_view(letter),
            "key": None if letter.key is None else letter.key.decode("utf-8", "replace"),
            "headers": [[name, value.decode("utf-8", "replace")] for name, value in letter.headers],
            "value": base64.b64encode(letter.value).decode(),
        }

    @api.post("/dead-letters/{letter_id}:replay", tags=["dead letters"], summary="Let it go round again")
    async def replay_letter(letter_id: LetterId, principal: admin) -> dict[str, str]:
        try:
            outcome = await replay.replay(principal.tenant_id, letter_id)
        except NotReplayableError as error:
            raise ProblemError(
                409,
                "not-replayable",
                "The record cannot be replayed",
                f"It is no event, so that only its producer can mend it: {error}.",
            ) from error
        if outcome is None:
            raise not_found("This dead letter")
        return {"id": letter_id, "outcome": outcome}

    return api


def _view(letter: StoredLetter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "service": letter.service,
        "version": letter.version,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "error": letter.error,
        "reason": letter.reason,
        "attempts": letter.attempts,
        "failed_at": letter.failed_at,
        "feedback_id": letter.feedback_id,
        "replayed_at": letter.replayed_at,
    }


def _cursor(letter: StoredLetter) -> str:
    return base64.urlsafe_b64encode(f"{letter.failed_at.isoformat()} {letter.id}".encode()).decode()


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        at, letter_id = base64.urlsafe_b64decode(cursor).decode().split(" ", 1)
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or "\x00" in letter_id:
            raise ValueError("no time zone")
    except (ValueError, binascii.Error) as error:
        raise invalid((("query:cursor", "send the next_cursor of an earlier page"),)) from error
    return moment, letter_id
