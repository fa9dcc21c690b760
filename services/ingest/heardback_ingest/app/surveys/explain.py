"""Why somebody was or was not asked; and the same decision made again from what was written down."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from heardback_ingest.app.surveys.ask import KIND
from heardback_ingest.app.surveys.ports import Held, Logged, SurveyLog
from heardback_ingest.domain.surveys.lint import Finding, lint
from heardback_ingest.domain.surveys.policy import SurveysPolicy
from heardback_ingest.domain.surveys.reading import read_surveys
from heardback_ingest.domain.surveys.record import replayed
from heardback_shared.db.database import Database
from heardback_shared.policies.in_force import PoliciesInForce
from heardback_shared.policies.reading import PolicyError


@dataclass(frozen=True, slots=True)
class Explained:
    """`again`: the answer made again now; None where it cannot be, and `missing` says why."""

    logged: Logged
    again: Mapping[str, Any] | None
    missing: str | None = None

    @property
    def same(self) -> bool | None:
        return None if self.again is None else self.again == self.logged.answer


class Explain:
    def __init__(self, database: Database, log: SurveyLog, policies: PoliciesInForce) -> None:
        self._database = database
        self._log = log
        self._policies = policies

    async def page(
        self, tenant_id: str, customer_id: str, after: tuple[datetime, str] | None, limit: int
    ) -> list[tuple[Logged, Held | None]]:
        async with self._database.tenant(tenant_id) as c:
            return await self._log.page(c, tenant_id, customer_id, after, limit)

    async def decision(self, tenant_id: str, decision_id: str) -> Explained | None:
        async with self._database.tenant(tenant_id) as c:
            logged = await self._log.get(c, tenant_id, decision_id)
            if logged is None:
                return None
            text = await self._log.policy_text(c, tenant_id, logged.digest)
        if logged.inputs is None:
            return Explained(logged, None, "The customer's data were erased.")
        if text is None:
            return Explained(logged, None, "The text of the policy is not kept any more.")
        try:
            return Explained(logged, replayed(logged.inputs, read_surveys(text)))
        except PolicyError as error:
            return Explained(logged, None, f"This release cannot read the policy: {error}")

    async def rules(self, tenant_id: str) -> tuple[str, SurveysPolicy, tuple[Finding, ...]]:
        """(name, policy that decides now, what is strange about it)."""
        async with self._database.tenant(tenant_id) as c:
            deciding = await self._policies.deciding(c, tenant_id, KIND)
        return deciding.name, deciding.policy, lint(deciding.policy)
