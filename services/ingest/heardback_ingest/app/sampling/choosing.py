"""Use case: which of several surveys that may ask gets the one moment."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from heardback_ingest.app.sampling.plans import PRIOR
from heardback_ingest.app.sampling.ports import Asking, Choices, Kept, Plan, Plans
from heardback_ingest.domain.sampling.competing import Contender, choose, record_of
from heardback_ingest.domain.sampling.precision import Target, answers_needed
from heardback_ingest.domain.sampling.response import learned
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.errors import ProblemError
from heardback_shared.http.problems import not_found

UNPLANNED = Target(0.05, 0.90)
"""What a survey without a plan is taken to want to know, of the answers of a quarter."""
UNPLANNED_DAYS = 90


class CompetingSurveys:
    def __init__(
        self, database: Database, plans: Plans, choices: Choices, asking: Asking, clock: Clock
    ) -> None:
        self._database = database
        self._plans = plans
        self._choices = choices
        self._asking = asking
        self._clock = clock

    async def choose(
        self, tenant_id: str, by: str, slot: str, customer_id: str, surveys: Sequence[str]
    ) -> Kept:
        """One slot is decided once: asked again, the same answer. Raises ProblemError where it was decided
        for another customer or among other surveys."""
        async with self._database.tenant(tenant_id) as c:
            segment = await self._asking.segment_of(c, tenant_id, customer_id)
            found = await self._plans.latest_for(c, tenant_id, surveys, segment)
            plans = {survey: plan for survey, plan in found.items() if plan.state != "stopped"}
            now = self._clock.now()
            contenders = []
            for survey in surveys:
                plan = plans.get(survey)
                whom = plan.segment if plan else segment
                since = plan.made_at if plan else now - timedelta(days=UNPLANNED_DAYS)
                tally = await self._asking.tally(c, tenant_id, survey, whom, since)
                past = await self._asking.past(c, tenant_id, survey, whom, now)
                people = plan.size.population if plan else await self._asking.population(c, tenant_id, whom)
                rate = learned(PRIOR if plan is None else plan.size.rate, past)
                contenders.append(_contender(survey, plan, max(1, people), tally.answered, rate.expected))
            record = {**record_of(choose(slot, contenders)), "segment": segment}
            kept = await self._choices.keep(c, tenant_id, Kept(slot, customer_id, record, by, now))
        before = {one["survey"] for one in kept.record["contenders"]}
        if kept.customer_id != customer_id or before != set(surveys):
            raise ProblemError(
                409,
                "not-now",
                "The slot is taken",
                f"Slot {slot} was decided for another customer or among other surveys; give each its own.",
            )
        return kept

    async def get(self, tenant_id: str, slot: str) -> Kept:
        async with self._database.tenant(tenant_id) as c:
            kept = await self._choices.get(c, tenant_id, slot)
        if kept is None:
            raise not_found(f"A choice for slot {slot}")
        return kept


def _contender(survey: str, plan: Plan | None, people: int, answered: int, response: float) -> Contender:
    if plan is None:
        needed = answers_needed(UNPLANNED, people)
        return Contender(survey, UNPLANNED, people, answered, needed, response)
    # A plan that has what it needs, or cannot get it, wants no more answers.
    needed = plan.size.answers if plan.state == "running" else 0
    return Contender(survey, plan.size.target, people, answered, needed, response, plan.weight, plan.id)


def shown(kept: Kept) -> dict[str, Any]:
    return {**kept.record, "customer_id": kept.customer_id, "at": kept.at, "asked_by": kept.asked_by}
