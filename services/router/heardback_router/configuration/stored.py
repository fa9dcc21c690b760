"""Policies in force per tenant, from Postgres: asked in every transaction, compiled once per text."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.configuration.kinds import KINDS
from heardback_router.configuration.policies import Policies
from heardback_router.configuration.source import Deployment
from heardback_router.sla.domain import SlaPolicy
from heardback_shared.policies.reading import PolicyError

REMEMBERED = 1_000
_log = structlog.get_logger(__name__)
_IN_FORCE = text("""
    SELECT kind, number, policy, digest, activated_at, activated_by FROM router.policy_version
    WHERE tenant_id = :tenant AND state = 'active'
""")
_TEXTS = text("""
    SELECT found.kind, found.digest, found.text
    FROM unnest(CAST(:kinds AS text[]), CAST(:numbers AS integer[])) AS asked(kind, number)
    CROSS JOIN LATERAL (
        SELECT kind, digest, text FROM router.policy_version
        WHERE tenant_id = :tenant AND kind = asked.kind AND number = asked.number LIMIT 1
    ) AS found
""")
_NAMED = text("""
    SELECT found.kind, found.policy, found.digest, found.text
    FROM unnest(CAST(:names AS text[])) AS asked(policy)
    CROSS JOIN LATERAL (
        SELECT kind, policy, digest, text FROM router.policy_version
        WHERE tenant_id = :tenant AND kind = :kind AND policy = asked.policy
            AND state IN ('active', 'retired')
        ORDER BY number DESC LIMIT 1
    ) AS found
""")


@dataclass(frozen=True, slots=True)
class InForce:
    """A tenant's version that is in force."""

    kind: str
    number: int
    policy: str
    digest: str
    since: datetime
    by: str


class StoredPolicies:
    """A PolicySource: what the tenant has put in force, and the deployment's own for every other kind.

    Every call asks the database, so a transaction that begins after an activation was committed never works
    by what was in force before. Texts are read and compiled once per digest.
    """

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self._compiled: dict[tuple[str, str], Any] = {}
        self._sets: dict[tuple[tuple[str, str], ...], Policies] = {}

    async def in_force(self, connection: AsyncConnection, tenant_id: str) -> dict[str, InForce]:
        """The tenant's versions in force, by kind; a kind that is not there is the deployment's own."""
        rows = await connection.execute(_IN_FORCE, {"tenant": tenant_id})
        return {row[0]: InForce(*row) for row in rows}

    async def of(self, connection: AsyncConnection, tenant_id: str) -> Policies:
        return await self.as_in(connection, tenant_id, (await self.in_force(connection, tenant_id)).values())

    async def as_in(
        self, connection: AsyncConnection, tenant_id: str, in_force: Iterable[InForce]
    ) -> Policies:
        """The policies when these versions are in force."""
        asked = sorted((one for one in in_force if one.kind in KINDS), key=lambda one: one.kind)
        if not asked:
            return self.deployment.policies
        key = tuple((one.kind, one.digest) for one in asked)
        known = self._sets.get(key)
        if known is None:
            theirs = await self._compile(connection, tenant_id, asked)
            readable = {
                kind: policy for kind, policy in theirs.items() if not isinstance(policy, PolicyError)
            }
            known = replace(self.deployment.policies, **readable)
            if len(self._sets) >= REMEMBERED:
                self._sets.clear()
            self._sets[key] = known
        return known

    def problem(self, kind: str, digest: str) -> str | None:
        """Why a version in force cannot be read by this release, so that the deployment's own decides."""
        compiled = self._compiled.get((kind, digest))
        return str(compiled) if isinstance(compiled, PolicyError) else None

    async def named(
        self, connection: AsyncConnection, tenant_id: str, kind: str, names: Iterable[str]
    ) -> Mapping[str, Any]:
        """Policies of a kind by name@version: those that are or were in force, and the deployment's own.

        A name that is not found, or whose text this release cannot read, is left out.
        """
        own = getattr(self.deployment.policies, kind)
        found = {own.name: own}
        wanted = sorted(set(names) - set(found))
        if wanted:
            rows = await connection.execute(_NAMED, {"tenant": tenant_id, "kind": kind, "names": wanted})
            for row in rows.mappings():
                policy = self._read(kind, row["digest"], row["text"])
                if not isinstance(policy, PolicyError):
                    found[row["policy"]] = policy
        return {name: found[name] for name in names if name in found}

    async def sla(
        self, connection: AsyncConnection, tenant_id: str, names: Iterable[str]
    ) -> Mapping[str, SlaPolicy]:
        """The clock policies that items are pinned to, in force or not."""
        return await self.named(connection, tenant_id, "sla", names)

    async def _compile(
        self, connection: AsyncConnection, tenant_id: str, asked: Sequence[InForce]
    ) -> dict[str, Any]:
        """By kind the policy, or the PolicyError that reading it raised."""
        found = {one.kind: self._compiled.get((one.kind, one.digest)) for one in asked}
        missing = [one for one in asked if found[one.kind] is None]
        if missing:
            kinds, numbers = [one.kind for one in missing], [one.number for one in missing]
            rows = await connection.execute(_TEXTS, {"tenant": tenant_id, "kinds": kinds, "numbers": numbers})
            found |= {row[0]: self._read(*row) for row in rows}
        return found

    def _read(self, kind: str, digest: str, written: str) -> Any:
        policy = self._compiled.get((kind, digest))
        if policy is None:
            try:
                policy = KINDS[kind](written)
            except PolicyError as error:
                # It was readable when it was activated: a newer release asks for more.
                _log.error("policy.unreadable", kind=kind, digest=digest, problem=str(error))
                policy = error
            if len(self._compiled) >= REMEMBERED:
                self._compiled.clear()
            self._compiled[kind, digest] = policy
        return policy
