"""What is in force for a tenant, as this moment sees it: never what was once loaded."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.configuration.kinds import ALL_KINDS, READ_BY
from heardback_router.configuration.store import PostgresVersions
from heardback_router.configuration.stored import InForce, StoredPolicies
from heardback_router.routing.http import shown_routing
from heardback_router.sla.showing import shown_policy
from heardback_shared.policies.reading import content_of

SHOWN: Mapping[str, Callable[[Any], dict[str, Any]]] = {"routing": shown_routing, "sla": shown_policy}
"""Kinds that are shown otherwise than as they were written."""


async def effective(
    connection: AsyncConnection, tenant_id: str, source: StoredPolicies
) -> list[dict[str, Any]]:
    """Per kind what decides, where it comes from and since when."""
    theirs = await source.in_force(connection, tenant_id)
    await source.as_in(connection, tenant_id, theirs.values())
    return [_line(kind, theirs.get(kind), source) for kind in ALL_KINDS]


async def effective_one(
    connection: AsyncConnection, tenant_id: str, kind: str, source: StoredPolicies, store: PostgresVersions
) -> dict[str, Any]:
    """One kind's line with all it says."""
    theirs = await source.in_force(connection, tenant_id)
    policies = await source.as_in(connection, tenant_id, theirs.values())
    line = _line(kind, theirs.get(kind), source)
    own = source.deployment.own.get(kind)
    text = own.content.text if own else None
    if line["from"] == "tenant":
        version = await store.get(connection, tenant_id, kind, theirs[kind].number)
        text = version.content.text if version else None
    if text is None:
        return {**line, "text": None}
    if kind in SHOWN:
        return {**SHOWN[kind](getattr(policies, kind)), **line, "text": text}
    return {**content_of(text), **line, "text": text}


def _line(kind: str, theirs: InForce | None, source: StoredPolicies) -> dict[str, Any]:
    own = source.deployment.own.get(kind)
    problem = source.problem(kind, theirs.digest) if theirs else None
    if theirs is not None and problem is None:
        return {
            "kind": kind,
            "policy": theirs.policy,
            "from": "tenant",
            "number": theirs.number,
            "since": theirs.since,
            "by": theirs.by,
            "digest": theirs.digest,
            "problem": None,
        }
    told = None
    if theirs is not None and problem is not None:
        told = (
            f"Version {theirs.number} ({theirs.policy}) should be in force, but this release cannot read it: "
            f"{problem}. What is shown here decides instead; activate a version that can be read."
        )
    return {
        "kind": kind,
        "policy": own.content.policy if own else None,
        "from": own.origin if own else READ_BY[kind],
        "number": None,
        "since": None,
        "by": None,
        "digest": own.content.digest if own else None,
        "problem": told,
    }
