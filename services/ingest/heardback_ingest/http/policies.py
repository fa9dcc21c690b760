"""Policies that ingest reads: whether a text can be one, and which decides now."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import Field

from heardback_ingest.app.policies import warnings_of
from heardback_shared.access.keys import Principal
from heardback_shared.contracts.base import Submission
from heardback_shared.db.database import Database
from heardback_shared.errors import ProblemError
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid
from heardback_shared.policies.in_force import PoliciesInForce, Reader
from heardback_shared.policies.reading import PolicyError, content_of

Kind = Annotated[str, Path(max_length=40)]
POINTER = "/text"


class CheckIn(Submission):
    text: Annotated[str, Field(min_length=1)]
    """The whole policy as YAML."""


def routes(
    guard: Guard, database: Database, readers: Mapping[str, Reader], policies: PoliciesInForce
) -> APIRouter:
    api = APIRouter(prefix="/v1/policies", tags=["policies"])
    drafters = Annotated[Principal, Depends(guard.needs("policies:write"))]
    lookers = Annotated[Principal, Depends(guard.needs("policies:read", "policies:write"))]

    @api.post("/{kind}:check", summary="Can this text be a policy of the kind? Nothing is stored")
    async def check(kind: Kind, body: CheckIn, who: drafters) -> dict[str, Any]:
        """A text that cannot be used is a problem that names every fault with its place."""
        name, policy = await asyncio.to_thread(_read, kind, _reader(readers, kind), body.text)
        return {"policy": name, "warnings": warnings_of(kind, policy)}

    @api.get("/{kind}", summary="The policy of this kind that ingest works by now")
    async def deciding(kind: Kind, who: lookers) -> dict[str, Any]:
        """`problem` says why the tenant's own does not decide although it was put in force."""
        _reader(readers, kind)
        async with database.tenant(who.tenant_id) as connection:
            now = await policies.deciding(connection, who.tenant_id, kind)
        return {
            "kind": kind,
            "policy": now.name,
            "from": now.origin,
            "since": now.since,
            "digest": now.digest,
            "problem": now.problem,
        }

    return api


def _reader(readers: Mapping[str, Reader], kind: str) -> Reader:
    reader = readers.get(kind)
    if reader is None:
        known = ", ".join(readers)
        raise ProblemError(
            404,
            "not-found",
            "There is no such kind of policy here",
            f"Ingest reads policies of the kinds {known}.",
        )
    return reader


def _read(kind: str, reader: Reader, text: str) -> tuple[str, Any]:
    """The policy's name@version, and the policy. Raises ProblemError."""
    try:
        policy = reader(text)
        return str(content_of(text)["policy"]), policy
    except PolicyError as error:
        faults = tuple((POINTER + pointer, detail) for pointer, detail in error.faults)
        raise invalid(faults or ((POINTER, str(error)),), f"This is no {kind} policy: {error}") from error
