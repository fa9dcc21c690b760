"""What every deed on an item shares: who acts, on which version, and which problem answers a refusal."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import Depends, Header, Request, Response

from heardback_router.backlog.app import (
    Backlog,
    CustomersWaitError,
    StaleVersionError,
    UnknownItemError,
    UnknownTeamError,
)
from heardback_router.backlog.commands import Command, Comment, IllegalCommandError, Resolve
from heardback_router.backlog.domain import CUSTOMER, ROUTER, Item
from heardback_router.backlog.gate import GateError
from heardback_router.backlog.log import Entry
from heardback_router.backlog.schemas import shown
from heardback_router.configuration.policies import Policies
from heardback_router.forms.domain import FormError
from heardback_router.messages.checking import BadTextError
from heardback_shared.access.keys import Principal
from heardback_shared.errors import ProblemError
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid, not_found

ACTOR_LIMIT = 200
RESERVED = (ROUTER, CUSTOMER)
"""Actors of the log that no caller may pose as."""
_ETAG = re.compile(r'\s*(?:(W/)?"([^"]*)"|(\*))\s*(?:,|$)')

IfMatch = Annotated[str | None, Header(alias="If-Match", description='The ETag as you saw it, such as "3"')]
Actor = Annotated[
    str | None,
    Header(alias="X-Heardback-Actor", description="Who acts, when one key serves several people"),
]


@dataclass(frozen=True, slots=True)
class Deed:
    """Who acts on which item, and on which version of it."""

    tenant_id: str
    item_id: str
    actor: str
    if_match: str | None
    traceparent: str | None


def deeds(guard: Guard) -> Any:
    """A dependency: the deed a request is about, of someone who may write."""
    writers = Depends(guard.needs("items:write"))

    def deed(
        request: Request,
        item_id: str,
        who: Annotated[Principal, writers],
        if_match: IfMatch = None,
        actor: Actor = None,
    ) -> Deed:
        traceparent = getattr(request.state, "traceparent", None)
        return Deed(who.tenant_id, known(item_id), actor_of(actor, who), if_match, traceparent)

    return Depends(deed)


async def carry_out(backlog: Backlog, deed: Deed, command: Command) -> Response:
    """The item afterwards with its new ETag, or a problem."""
    # A comment overwrites nothing, so it need not name the version it was written on.
    free = isinstance(command, Comment) and deed.if_match is None
    with problems(deed):
        item = await backlog.carry_out(
            deed.tenant_id,
            deed.item_id,
            command,
            actor=deed.actor,
            versions=None if free else versions_of(deed.if_match),
            traceparent=deed.traceparent,
        )
    body = shown(item)
    if isinstance(command, Resolve) and item.resolution is not None:
        body["warnings"] = list(item.resolution.warnings)
    return as_json(body, {"ETag": etag(item)})


async def act(
    backlog: Backlog, deed: Deed, entries: Callable[[Item, Policies, datetime], Sequence[Entry]]
) -> Response:
    """Appends what `entries` makes of the item; the item afterwards with its new ETag, or a problem."""
    with problems(deed):
        item = await backlog.act(
            deed.tenant_id,
            deed.item_id,
            entries,
            versions=versions_of(deed.if_match),
            traceparent=deed.traceparent,
        )
    return as_json(shown(item), {"ETag": etag(item)})


@contextmanager
def problems(deed: Deed) -> Iterator[None]:
    """Turns what the backlog refuses into problems."""
    try:
        yield
    except UnknownItemError as error:
        raise not_found(f"Item {deed.item_id}") from error
    except StaleVersionError as error:
        raise stale(error) from error
    except (FormError, BadTextError) as error:
        raise invalid(error.faults) from error
    except GateError as error:
        raise _owed(error) from error
    except UnknownTeamError as error:
        raise invalid((("/team", str(error)),)) from error
    except (IllegalCommandError, CustomersWaitError) as error:
        raise ProblemError(409, "not-now", "The item does not allow this now", str(error)) from error


def etag(item: Item) -> str:
    return f'"{item.version}"'


def versions_of(if_match: str | None) -> frozenset[int] | None:
    """The versions an If-Match header names; None for `*`. Weak and unknown tags match nothing (RFC 9110)."""
    if if_match is None:
        raise ProblemError(
            428,
            "if-match-required",
            "Say which version you act on",
            "Send If-Match with the ETag as you saw it; GET what you act on to learn it.",
            (("header:If-Match", "is required"),),
        )
    versions = set()
    for weak, tag, anything in _ETAG.findall(if_match):
        if anything:
            return None
        if not weak and tag.isascii() and tag.isdigit() and len(tag) <= 10:
            versions.add(int(tag))
    return frozenset(versions)


def _owed(error: GateError) -> ProblemError:
    return ProblemError(
        409,
        "gate-closed",
        "Something is owed on the item first",
        f"{len(error.lacks)} thing(s) are lacking before it can be resolved or closed; nothing was changed.",
        tuple((lack.pointer, lack.detail) for lack in error.lacks),
    )


def stale(error: StaleVersionError) -> ProblemError:
    return ProblemError(
        412,
        "stale-version",
        "It has changed since you saw it",
        f"It is at version {error.version} now; GET it, look again, and send the new ETag.",
        headers={"ETag": f'"{error.version}"'},
    )


def actor_of(given: str | None, who: Principal) -> str:
    name = (given or "").strip()
    if not name:
        return f"key {who.name}" if who.name in RESERVED else who.name
    if len(name) > ACTOR_LIMIT or not name.isprintable() or name in RESERVED:
        detail = f"must be at most {ACTOR_LIMIT} printable characters, and none of {', '.join(RESERVED)}"
        raise invalid((("header:X-Heardback-Actor", detail),))
    return name


def known(name: str) -> str:
    """What a path names, unless nothing stored can be named so."""
    if "\x00" in name:
        raise not_found("This")
    return name


def as_json(body: Any, headers: dict[str, str] | None = None, *, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json", headers=headers)
