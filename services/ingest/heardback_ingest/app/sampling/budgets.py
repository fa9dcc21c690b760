"""Whether a plan still has invites to give, for whoever decides whether somebody is asked."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.app.sampling.ports import Asking, Plan, Plans


class Budgets:
    def __init__(self, plans: Plans, asking: Asking) -> None:
        self._plans = plans
        self._asking = asking

    async def closed(
        self, c: AsyncConnection, tenant_id: str, asked: Sequence[tuple[str, str | None]]
    ) -> list[str | None]:
        """For each (survey, segment of the person), in order, why its plan gives no invite; None where it
        does, and where no plan governs. Of several, the first get what is left.

        Plans are not locked: transactions that reserve at the same moment may each take the last invite.
        """
        plans: dict[tuple[str, str | None], Plan] = {}
        for segment in {segment for _, segment in asked}:
            surveys = sorted({survey for survey, other in asked if other == segment})
            found = await self._plans.latest_for(c, tenant_id, surveys, segment)
            plans |= {(survey, segment): plan for survey, plan in found.items() if plan.state != "stopped"}
        left = {plan.id: await self._left(c, tenant_id, plan) for plan in plans.values()}
        told: list[str | None] = []
        for one in asked:
            plan = plans.get(one)
            if plan is None:
                told.append(None)
                continue
            told.append(None if left[plan.id] > 0 else _why(plan))
            left[plan.id] -= 1
        return told

    async def _left(self, c: AsyncConnection, tenant_id: str, plan: Plan) -> int:
        if plan.state != "running":
            return 0
        waves = await self._plans.waves(c, tenant_id, plan.id)
        tally = await self._asking.tally(c, tenant_id, plan.survey, plan.segment, plan.made_at)
        if tally.answered >= plan.size.answers:
            return 0
        return sum(wave.invites for wave in waves) - tally.out - tally.held


def _why(plan: Plan) -> str:
    if plan.state == "running":
        return f"plan {plan.id} of this survey has no open invites, or the answers it needs"
    return f"plan {plan.id} of this survey has ended ({plan.state})"
