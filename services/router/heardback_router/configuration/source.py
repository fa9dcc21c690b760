"""Where policies come from."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.assignment.policy import read_capacity
from heardback_router.backlog.policy import read_weighing
from heardback_router.configuration.policies import Policies
from heardback_router.configuration.reading import text_of
from heardback_router.forms.policy import read_forms
from heardback_router.grouping.policy import read_grouping
from heardback_router.routing.ladder_policy import read_ladder
from heardback_router.routing.policy import read_routing
from heardback_router.sla.domain import SlaPolicy
from heardback_router.sla.policy import read_sla
from heardback_router.steps.policy import read_steps, read_thresholds


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


def load_policies(folder: Path | None = None) -> Policies:
    """From the folder's files, and packaged ones where it has none. Raises PolicyError."""
    return Policies(
        routing=read_routing(text_of("routing.yaml", folder)),
        grouping=read_grouping(text_of("grouping.yaml", folder)),
        weighing=read_weighing(text_of("weighing.yaml", folder)),
        sla=read_sla(text_of("sla.yaml", folder)),
        ladder=read_ladder(text_of("ladder.yaml", folder)),
        capacity=read_capacity(text_of("capacity.yaml", folder)),
        steps=read_steps(text_of("steps.yaml", folder)),
        thresholds=read_thresholds(text_of("thresholds.yaml", folder)),
        forms=read_forms(text_of("forms.yaml", folder)),
    )
