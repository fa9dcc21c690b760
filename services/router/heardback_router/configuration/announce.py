"""Policies in force as events for `judgement.changed`, by which scoring follows them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.announce import SOURCE
from heardback_router.configuration.domain import Text, Version
from heardback_router.configuration.kinds import SCORING_KINDS
from heardback_router.configuration.store import PostgresVersions
from heardback_shared.contracts.envelope import Envelope, to_bytes
from heardback_shared.contracts.events import POLICY_ACTIVATED, PolicyActivated
from heardback_shared.contracts.topics import JUDGEMENT
from heardback_shared.ids import derived_id
from heardback_shared.stream.ports import Outgoing

AT_ONCE = 50
OWN = "deployment"
"""The version that is announced where the deployment's own is in force again."""


def policy_activated(tenant_id: str, kind: str, content: Text | None, at: datetime) -> Outgoing:
    """The same activation always has the same event id. `content` None: the deployment's own again."""
    data = PolicyActivated.model_validate(
        {
            "kind": kind,
            "version": content.policy if content else OWN,
            "text": content.text if content else None,
            "at": at,
        }
    )
    digest = content.digest if content else OWN
    envelope = Envelope(
        id=derived_id("ev", "policy", tenant_id, kind, digest, at.isoformat()),
        source=SOURCE,
        type=POLICY_ACTIVATED,
        data=to_bytes(data),
        time=at,
        subject=kind,
        tenant_id=tenant_id,
        key=f"{tenant_id}:{kind}",
    )
    return Outgoing(JUDGEMENT.name, envelope)


class PolicyPages:
    """What is in force, of every tenant, as it was announced, for whoever starts late."""

    def __init__(self, store: PostgresVersions) -> None:
        self._store = store

    async def page(
        self, connection: AsyncConnection, after: tuple[str, str]
    ) -> tuple[Sequence[Outgoing], tuple[str, str] | None]:
        """What comes after this (tenant, kind), and the place of the last; None where that was all.

        In a worker's transaction, in which what is returned goes into the outbox: nothing else comes in force
        before it is announced.
        """
        found = await self._store.active_after(connection, after, SCORING_KINDS, AT_ONCE)
        outgoing = [_again(tenant_id, version) for tenant_id, version in found]
        last = found[-1] if len(found) == AT_ONCE else None
        return outgoing, None if last is None else (last[0], last[1].kind)


def _again(tenant_id: str, version: Version) -> Outgoing:
    if version.activation is None:
        raise ValueError("what is in force was activated")
    return policy_activated(tenant_id, version.kind, version.content, version.activation.at)
