"""Where policies come from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.configuration.domain import Text
from heardback_router.configuration.kinds import KINDS, SHARED_KINDS
from heardback_router.configuration.policies import Policies
from heardback_router.sla.domain import SlaPolicy
from heardback_shared.policies.reading import Origin, content_of, found, shipped


class PolicySource(Protocol):
    async def of(self, connection: AsyncConnection, tenant_id: str) -> Policies:
        """What is in force for the tenant, as this transaction sees it."""
        ...

    async def sla(
        self, connection: AsyncConnection, tenant_id: str, names: Iterable[str]
    ) -> Mapping[str, SlaPolicy]:
        """The clock policies of these names, in force or not, as far as they are kept."""
        ...


class DeploymentPolicies:
    """The same for every tenant: those that come with heardback, or the deployment's own files."""

    def __init__(self, policies: Policies) -> None:
        self.policies = policies

    async def of(self, connection: AsyncConnection, tenant_id: str) -> Policies:
        return self.policies

    async def sla(
        self, connection: AsyncConnection, tenant_id: str, names: Iterable[str]
    ) -> Mapping[str, SlaPolicy]:
        own = self.policies.sla
        return {own.name: own} if own.name in set(names) else {}


@dataclass(frozen=True, slots=True)
class Own:
    """The deployment's own text of one kind, for tenants that have none in force."""

    content: Text
    origin: Origin


@dataclass(frozen=True, slots=True)
class Deployment:
    """`own` is by kind; the kinds that another service reads are not in it."""

    policies: Policies
    own: Mapping[str, Own]


def packaged(name: str) -> str:
    """The text of a policy that comes with router."""
    return shipped(_package(name.removesuffix(".yaml")), name)


def load_policies(folder: Path | None = None) -> Policies:
    """From the folder's files, and packaged ones where it has none. Raises PolicyError."""
    return load_deployment(folder).policies


def load_deployment(folder: Path | None = None) -> Deployment:
    """As `load_policies`, with the texts they were read from. Raises PolicyError."""
    texts = {kind: found(_package(kind), f"{kind}.yaml", folder) for kind in KINDS}
    read = {kind: _read(kind, text) for kind, (text, _) in texts.items()}
    policies = Policies(**{kind: policy for kind, (policy, _) in read.items()})
    return Deployment(policies, {kind: Own(read[kind][1], origin) for kind, (_, origin) in texts.items()})


@lru_cache(maxsize=256)  # reading takes long, and what a text says never changes
def _read(kind: str, text: str) -> tuple[Any, Text]:
    return KINDS[kind](text), text_named(str(content_of(text)["policy"]), text)


def _package(kind: str) -> str:
    return "heardback_shared" if kind in SHARED_KINDS else "heardback_router"


def text_named(policy: str, text: str) -> Text:
    """The text under its name@version, with the SHA-256 of its UTF-8 in hex digits."""
    return Text(policy, text, sha256(text.encode()).hexdigest())
