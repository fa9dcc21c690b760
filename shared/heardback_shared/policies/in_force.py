"""Policies in force that one service keeps and another works by, through one table both of them see."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_shared.policies.reading import Origin, PolicyError, content_of, found

REMEMBERED = 1_000
_log = structlog.get_logger(__name__)
_PUT = text("""
    INSERT INTO platform.policy_in_force (tenant_id, kind, policy, text, digest, at)
    VALUES (:tenant, :kind, :policy, :text, :digest, :at)
    ON CONFLICT (tenant_id, kind) DO UPDATE
    SET policy = excluded.policy, text = excluded.text, digest = excluded.digest, at = excluded.at
""")
_TAKE_AWAY = text("DELETE FROM platform.policy_in_force WHERE tenant_id = :tenant AND kind = :kind")
_WHICH = text("""
    SELECT kind, policy, digest, at FROM platform.policy_in_force
    WHERE tenant_id = :tenant AND kind = ANY (CAST(:kinds AS text[]))
""")
_WHOLE = text("""
    SELECT kind, policy, digest, at, text FROM platform.policy_in_force
    WHERE tenant_id = :tenant AND kind = :kind
""")

Reader = Callable[[str], Any]
"""Text to policy. Raises PolicyError."""


async def put_in_force(
    connection: AsyncConnection,
    tenant_id: str,
    kind: str,
    policy: str,
    written: str,
    digest: str,
    at: datetime,
) -> None:
    """What decides in every transaction that begins after this one is committed."""
    values = {"policy": policy, "text": written, "digest": digest, "at": at}
    await connection.execute(_PUT, {"tenant": tenant_id, "kind": kind, **values})


async def take_out_of_force(connection: AsyncConnection, tenant_id: str, kind: str) -> None:
    """The deployment's own decides again."""
    await connection.execute(_TAKE_AWAY, {"tenant": tenant_id, "kind": kind})


@dataclass(frozen=True, slots=True)
class InForce:
    """A row of `platform.policy_in_force`, without the text."""

    kind: str
    policy: str
    digest: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Deciding:
    """The policy of a kind that decides now, compiled.

    `since` is None where it is not the tenant's. `problem` says in plain words why the tenant's, which should
    be in force, cannot be read by this release, so that the deployment's own decides instead.
    """

    kind: str
    policy: Any
    name: str
    digest: str
    text: str
    origin: Literal["tenant"] | Origin
    since: datetime | None = None
    problem: str | None = None


class PoliciesInForce:
    """Asked in every transaction; a text is compiled once per digest.

    `readers` by kind; `own` holds the deployment's policy of each of these kinds.
    """

    def __init__(self, readers: Mapping[str, Reader], own: Mapping[str, Deciding]) -> None:
        missing = set(readers) - set(own)
        if missing:
            raise ValueError(f"no policy of the deployment's own for {', '.join(sorted(missing))}")
        self._readers = readers
        self._own = own
        self._compiled: dict[tuple[str, str], tuple[Any, str]] = {}

    async def of(self, connection: AsyncConnection, tenant_id: str, kind: str) -> Any:
        """The compiled policy that decides, as this transaction sees it."""
        return (await self.deciding(connection, tenant_id, kind)).policy

    async def deciding(self, connection: AsyncConnection, tenant_id: str, kind: str) -> Deciding:
        """The policy that decides with its name, where it comes from and since when."""
        return (await self.all_deciding(connection, tenant_id, (kind,)))[kind]

    async def all_deciding(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        kinds: Sequence[str],
        named: Sequence[InForce] | None = None,
    ) -> dict[str, Deciding]:
        """By kind, looked up at once. `named`: what this transaction has read of them already."""
        if named is None:
            rows = await connection.execute(_WHICH, {"tenant": tenant_id, "kinds": list(kinds)})
            named = [InForce(*row) for row in rows]
        found = {row.kind: row for row in named}
        return {kind: await self._deciding(connection, tenant_id, kind, found.get(kind)) for kind in kinds}

    async def _deciding(
        self, connection: AsyncConnection, tenant_id: str, kind: str, row: InForce | None
    ) -> Deciding:
        if row is not None and (kind, row.digest) not in self._compiled:
            # Both at once: another version may have come in force since.
            whole = (await connection.execute(_WHOLE, {"tenant": tenant_id, "kind": kind})).first()
            row = None if whole is None else InForce(*whole[:4])
            if whole is not None:
                self._compile(kind, whole.digest, whole.text)
        if row is None:
            return self._own[kind]
        policy, written = self._compiled[kind, row.digest]
        if isinstance(policy, PolicyError):
            return replace(self._own[kind], problem=_told(row.policy, policy))
        return Deciding(kind, policy, row.policy, row.digest, written, "tenant", row.at)

    def _compile(self, kind: str, digest: str, written: str) -> None:
        try:
            policy = self._readers[kind](written)
        except PolicyError as error:
            # It was readable when it was activated: a newer release asks for more.
            _log.error("policy.unreadable", kind=kind, digest=digest, problem=str(error))
            policy = error
        if len(self._compiled) >= REMEMBERED:
            self._compiled.clear()
        self._compiled[kind, digest] = policy, written


def own_policies(package: str, readers: Mapping[str, Reader], folder: Path | None) -> dict[str, Deciding]:
    """The deployment's own by kind: `<kind>.yaml` of the folder, else of the package. Raises PolicyError."""
    return {kind: _own(package, kind, reader, folder) for kind, reader in readers.items()}


def _own(package: str, kind: str, reader: Reader, folder: Path | None) -> Deciding:
    written, origin = found(package, f"{kind}.yaml", folder)
    name = str(content_of(written)["policy"])
    return Deciding(kind, reader(written), name, sha256(written.encode()).hexdigest(), written, origin)


def _told(name: str, error: PolicyError) -> str:
    return (
        f"{name} should be in force, but this release cannot read it: {error}. What is shown here decides "
        "instead; activate a version that can be read."
    )
