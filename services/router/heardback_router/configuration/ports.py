"""What configuration needs from others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Checked:
    """A policy that can be used: its name@version, and what its author may want to look at again."""

    policy: str
    warnings: tuple[str, ...] = ()


class Readers(Protocol):
    """The word of the service that reads a kind of policy. `bearer` is the caller's Authorization header.

    Raises ProblemError: the policy's faults, or that the service cannot be asked and what to do.
    """

    async def check(self, kind: str, text: str, bearer: str) -> Checked: ...


class Scoring(Protocol):
    """Raises ProblemError: the policies' faults, or that scoring cannot be asked and what to do."""

    async def judge(
        self, texts: Mapping[str, str | None], feedback: Sequence[Mapping[str, Any]], bearer: str
    ) -> Sequence[Mapping[str, Any]]:
        """Severity and root causes of each row under these texts; None means as stored."""
        ...


class Reports(Protocol):
    async def latest(
        self, connection: AsyncConnection, tenant_id: str, kind: str, digest: str, base: str
    ) -> str | None:
        """The newest finished what-if of this text against what has the digest `base`, if there is one."""
        ...
