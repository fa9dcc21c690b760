"""Policies of a tenant, and how people bring them into force over HTTP."""

from typing import Any

from sqlalchemy import insert

from heardback_router.configuration.source import packaged
from heardback_router.whatif.tables import what_ifs
from tests.support.router_http import Caller, RouterApp

ROUTING = packaged("routing.yaml")
UNTRIED_ROUTING = ROUTING.partition("# The policy is refused unless")[0]
"""Without the tests it carries, so that a change may contradict them."""
GROUPING = packaged("grouping.yaml")
WRITER = ("policies:read", "policies:write", "items:read")
APPROVER = ("policies:read", "policies:approve", "items:read")


def renamed(text: str, name: str) -> str:
    """The policy under another name@version."""
    head, _, rest = text.partition("policy: ")
    return f"{head}policy: {name}\n{rest.partition(chr(10))[2]}"


def billing_to_accounts(name: str = "ours@1") -> str:
    """Routing with one more rule, before that of its domain."""
    rule = """  - name: billing-to-accounts
    when: score.domain == "operations" && score.category == "billing"
    team: account-management
    because: Account management looks after bills now.
  - name: operations-domain"""
    return renamed(UNTRIED_ROUTING, name).replace("  - name: operations-domain", rule)


class House:
    """Two people of a tenant: one writes policies, the other reviews them and puts them in force."""

    def __init__(self, app: RouterApp, ana: Caller, bo: Caller, tenant: str) -> None:
        self.app, self.ana, self.bo, self.tenant = app, ana, bo, tenant

    @classmethod
    async def of(cls, app: RouterApp, tenant: str = "default") -> "House":
        ana = await app.caller(tenant, *WRITER, name="ana")
        bo = await app.caller(tenant, *APPROVER, name="bo")
        return cls(app, ana, bo, tenant)

    async def draft(self, kind: str, text: str) -> int:
        answer = await self.ana.post(f"/v1/policies/{kind}/versions", {"text": text, "reason": "a trial"})
        assert answer.status_code == 201, answer.text
        return int(answer.json()["number"])

    async def approve(self, kind: str, number: int) -> None:
        path = f"/v1/policies/{kind}/versions/{number}:review"
        answer = await self.bo.post(path, {"approve": True, "words": "I read it."})
        assert answer.status_code == 200, answer.text

    async def activate(self, kind: str, number: int) -> None:
        answer = await self.bo.post(f"/v1/policies/{kind}/versions/{number}:activate")
        assert answer.status_code == 200, answer.text

    async def put_in_force(self, kind: str, text: str) -> int:
        """Drafted, approved, tried where the kind asks for it, activated."""
        number = await self.draft(kind, text)
        await self.approve(kind, number)
        await self.looked_at(kind, number)
        await self.activate(kind, number)
        return number

    async def looked_at(self, kind: str, number: int) -> None:
        """As if a what-if of this version had been run just now."""
        versions = self.app.core.changing.versions
        async with self.app.router.database.tenant(self.tenant) as connection:
            version = await versions.store.get(connection, self.tenant, kind, number)
            assert version is not None
            base = await versions.base_of(connection, self.tenant, kind)
            at = self.app.clock.now()
            run: dict[str, Any] = {
                "tenant_id": self.tenant,
                "id": f"wi_{kind}_{number}_{base[:8]}",
                "kind": kind,
                "policy": version.content.policy,
                "text": version.content.text,
                "digest": version.content.digest,
                "base": {kind: base},
                "made_by": "ana",
                "state": "done",
                "total": 0,
                "progress": {},
                "changes": 0,
            }
            await connection.execute(insert(what_ifs).values(**run, since=at, until=at, made_at=at))
