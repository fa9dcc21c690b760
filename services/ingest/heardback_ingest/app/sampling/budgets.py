"""How many invites a plan still has to give, for whoever decides whether somebody is asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.app.sampling.ports import Asking, Plan, Plans


@dataclass(frozen=True, slots=True)
class Room:
    """`left` invites of the plan that governs a request; `because` says why, where none is left."""

    plan_id: str
    left: int
    because: str


class Budgets:
    def __init__(self, plans: Plans, asking: Asking) -> None:
        self._plans = plans
        self._asking = asking

    async def rooms(
        self,
        c: AsyncConnection,
        tenant_id: str,
        asked: Sequence[tuple[str, str | None]],
        *,
        taking: bool,
    ) -> list[Room | None]:
        """For each (survey, segment of the person), in order; None where no plan governs.

        `taking`: until the transaction ends nobody else takes invites of these plans, so that what is left is
        left for whoever asked. People and accounts are locked before.
        """
        plans: dict[tuple[str, str | None], Plan] = {}
        for segment in {segment for _, segment in asked}:
            surveys = sorted({survey for survey, other in asked if other == segment})
            found = await self._plans.latest_for(c, tenant_id, surveys, segment)
            plans |= {(survey, segment): plan for survey, plan in found.items() if plan.state != "stopped"}
        running = sorted({plan.id for plan in plans.values() if plan.state == "running"})
        if taking and running:
            await self._plans.lock(c, tenant_id, running)
        rooms = {plan.id: await self._room(c, tenant_id, plan) for plan in plans.values()}
        governing = [plans.get(one) for one in asked]
        return [None if plan is None else rooms[plan.id] for plan in governing]

    async def _room(self, c: AsyncConnection, tenant_id: str, plan: Plan) -> Room:
        return Room(plan.id, await self._left(c, tenant_id, plan), _why(plan))

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
