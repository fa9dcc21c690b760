"""The policies' routes: what is in force, versions and their life, differences, and what was done."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi import Path as InPath

from heardback_router.backlog.deeds import Actor, IfMatch, actor_of, versions_of
from heardback_router.configuration.app import Caller, Versions
from heardback_router.configuration.check import known_kind
from heardback_router.configuration.diff import differences, lines
from heardback_router.configuration.domain import Text, Version
from heardback_router.configuration.kinds import READ_BY
from heardback_router.configuration.schemas import (
    MOST_NUMBER,
    ActivateIn,
    DraftIn,
    EditIn,
    ReviewIn,
    RollbackIn,
    shown,
    shown_deed,
)
from heardback_router.configuration.views import effective, effective_one
from heardback_shared.access.keys import Principal
from heardback_shared.errors import ProblemError
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid, not_found
from heardback_shared.policies.reading import PolicyError, content_of

Number = Annotated[int, InPath(ge=1, le=MOST_NUMBER)]
Kind = Annotated[str, InPath(max_length=40)]
IN_FORCE = "in-force"


def configuration_routes(versions: Versions, guard: Guard) -> APIRouter:
    router = APIRouter(tags=["policies"])
    _add_in_force(router, versions, guard)
    _add_versions(router, versions, guard)
    _add_difference(router, versions, guard)
    _add_writing(router, versions, guard)
    _add_deciding(router, versions, guard)
    return router


def caller_of(request: Request, who: Principal, actor: str | None) -> Caller:
    return Caller(who.tenant_id, actor_of(actor, who), request.headers.get("Authorization", ""))


def answered(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    # A policy may have keys that are no strings, such as the days of a calendar.
    content = orjson.dumps(body, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)
    return Response(content, status, media_type="application/json", headers=headers)


def _add_in_force(router: APIRouter, versions: Versions, guard: Guard) -> None:
    readers = Annotated[Principal, Depends(guard.needs("policies:read", "items:read"))]

    @router.get("/v1/policies", summary="Which policies decide now, where they come from and since when")
    async def in_force(who: readers) -> Response:
        async with versions.database.tenant(who.tenant_id) as connection:
            found = await effective(connection, who.tenant_id, versions.source)
        return answered({"policies": found})

    @router.get("/v1/policies/{kind}", summary="The policy of this kind that decides now, whole")
    async def one_in_force(kind: Kind, who: readers) -> Response:
        async with versions.database.tenant(who.tenant_id) as connection:
            body = await effective_one(
                connection, who.tenant_id, known_kind(kind), versions.source, versions.store
            )
        return answered(body)


def _add_versions(router: APIRouter, versions: Versions, guard: Guard) -> None:
    readers = Annotated[Principal, Depends(guard.needs("policies:read"))]

    @router.get("/v1/policies/{kind}/versions", summary="The versions of a policy, the newest first")
    async def listed(
        kind: Kind,
        who: readers,
        below: Annotated[int, Query(ge=1, le=MOST_NUMBER)] = MOST_NUMBER,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Response:
        known_kind(kind)
        async with versions.database.tenant(who.tenant_id) as connection:
            page = await versions.store.page(connection, who.tenant_id, kind, below, limit)
        following = page[-1].number if len(page) == limit and page[-1].number > 1 else None
        return answered({"versions": [shown(version) for version in page], "next_below": following})

    @router.get("/v1/policies/{kind}/versions/{number}", summary="One version, with its text")
    async def one(kind: Kind, number: Number, who: readers) -> Response:
        version = await _get(versions, who, known_kind(kind), number)
        return answered(shown(version, text=True), headers=_tag(version))

    @router.get("/v1/policies/{kind}/history", summary="What was done to a policy, the latest first")
    async def history(kind: Kind, who: readers, limit: Annotated[int, Query(ge=1, le=500)] = 100) -> Response:
        known_kind(kind)
        async with versions.database.tenant(who.tenant_id) as connection:
            rows = await versions.store.history(connection, who.tenant_id, kind, limit)
        return answered({"history": [shown_deed(row) for row in rows]})


def _add_difference(router: APIRouter, versions: Versions, guard: Guard) -> None:
    readers = Annotated[Principal, Depends(guard.needs("policies:read"))]

    @router.get("/v1/policies/{kind}/versions/{number}/diff", summary="What a version changes, and where")
    async def diff(
        kind: Kind,
        number: Number,
        who: readers,
        against: Annotated[str, Query(description="A version's number, or in-force.")] = IN_FORCE,
    ) -> Response:
        """Line by line, and by rule, weight or setting."""
        after = (await _get(versions, who, known_kind(kind), number)).content
        before = await _against(versions, who, kind, against)
        try:
            changed = list(differences(content_of(before.text), content_of(after.text)))
        except PolicyError as error:
            raise ProblemError(409, "not-now", "One of the two cannot be read", str(error)) from error
        return answered(
            {
                "before": {"policy": before.policy, "digest": before.digest},
                "after": {"policy": after.policy, "digest": after.digest},
                "same": before.digest == after.digest,
                "changes": changed,
                "unified": lines(before.text, after.text, (before.policy, after.policy)),
            }
        )


def _add_writing(router: APIRouter, versions: Versions, guard: Guard) -> None:
    writers = Annotated[Principal, Depends(guard.needs("policies:write"))]

    @router.post("/v1/policies/{kind}/versions", status_code=201, summary="Propose a version: a new draft")
    async def propose(
        request: Request, kind: Kind, body: DraftIn, who: writers, actor: Actor = None
    ) -> Response:
        known_kind(kind)
        caller = caller_of(request, who, actor)
        version, warnings = await versions.propose(caller, kind, body.text, body.reason)
        where = {"Location": f"/v1/policies/{kind}/versions/{version.number}"}
        return answered({**shown(version), "warnings": warnings}, 201, {**_tag(version), **where})

    @router.put("/v1/policies/{kind}/versions/{number}", summary="Give a draft another text")
    async def edit(
        request: Request,
        kind: Kind,
        number: Number,
        body: EditIn,
        who: writers,
        if_match: IfMatch = None,
        actor: Actor = None,
    ) -> Response:
        known_kind(kind)
        caller = caller_of(request, who, actor)
        version, warnings = await versions.edit(
            caller, kind, number, body.text, body.reason, _editions(if_match)
        )
        return answered({**shown(version), "warnings": warnings}, headers=_tag(version))


def _add_deciding(router: APIRouter, versions: Versions, guard: Guard) -> None:
    approvers = Annotated[Principal, Depends(guard.needs("policies:approve"))]

    @router.post("/v1/policies/{kind}/versions/{number}:review", summary="Approve a draft, or send it back")
    async def review(
        request: Request, kind: Kind, number: Number, body: ReviewIn, who: approvers, actor: Actor = None
    ) -> Response:
        caller = caller_of(request, who, actor)
        version = await versions.review(
            caller, known_kind(kind), number, approve=body.approve, words=body.words
        )
        return answered(shown(version), headers=_tag(version))

    @router.post("/v1/policies/{kind}/versions/{number}:activate", summary="Put an approved version in force")
    async def activate(
        request: Request,
        kind: Kind,
        number: Number,
        who: approvers,
        body: ActivateIn | None = None,
        actor: Actor = None,
    ) -> Response:
        asked = body or ActivateIn()
        version = await versions.activate(
            caller_of(request, who, actor),
            known_kind(kind),
            number,
            apply_to=asked.apply_to,
            reason=asked.reason,
        )
        return answered(shown(version), headers=_tag(version))

    @router.post("/v1/policies/{kind}:rollback", summary="Put what was in force before in force again")
    async def roll_back(
        request: Request, kind: Kind, body: RollbackIn, who: approvers, actor: Actor = None
    ) -> Response:
        caller = caller_of(request, who, actor)
        await versions.roll_back(caller, known_kind(kind), body.to, body.reason, body.apply_to)
        async with versions.database.tenant(who.tenant_id) as connection:
            lines_of = await effective(connection, who.tenant_id, versions.source)
        return answered(next(line for line in lines_of if line["kind"] == kind))


async def _get(versions: Versions, who: Principal, kind: str, number: int) -> Version:
    async with versions.database.tenant(who.tenant_id) as connection:
        version = await versions.store.get(connection, who.tenant_id, kind, number)
    if version is None:
        raise not_found(f"Version {number} of {kind}")
    return version


async def _against(versions: Versions, who: Principal, kind: str, against: str) -> Text:
    if against == IN_FORCE:
        async with versions.database.tenant(who.tenant_id) as connection:
            active = await versions.store.active(connection, who.tenant_id, kind)
        own = versions.source.deployment.own.get(kind)
        found = active.content if active else own.content if own else None
        if found is None:
            raise ProblemError(
                409,
                "not-now",
                "There is nothing to compare with",
                f"{READ_BY[kind].capitalize()}'s own {kind} policy is in force, whose text router does not "
                "know; give against= the number of a version.",
            )
        return found
    if not against.isascii() or not against.isdigit() or not 1 <= int(against[:11]) <= MOST_NUMBER:
        raise invalid((("query:against", f"must be the number of a version, or {IN_FORCE}"),))
    return (await _get(versions, who, kind, int(against))).content


def _editions(if_match: str | None) -> frozenset[int] | None:
    if if_match is None:
        raise ProblemError(
            428,
            "if-match-required",
            "Say which edition of the draft you edit",
            "Send If-Match with the ETag of the draft as you saw it; GET the version to learn it.",
            (("header:If-Match", "is required"),),
        )
    return versions_of(if_match)


def _tag(version: Version) -> dict[str, str]:
    return {"ETag": f'"{version.edition}"'}
