"""Use cases: how many to ask for a precision, and asking them in waves until there are enough answers."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.app.sampling.ports import Asking, OpenedWave, Plan, Plans, State, Tally
from heardback_ingest.domain.sampling.plan import ASSURANCE, Size, size
from heardback_ingest.domain.sampling.precision import Target, half_width
from heardback_ingest.domain.sampling.response import Rate, learned
from heardback_ingest.domain.sampling.waves import Wave, next_wave
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.errors import ProblemError
from heardback_shared.http.problems import invalid, not_found
from heardback_shared.ids import new_id

PRIOR = Rate(0.15, 40.0)
"""What is thought of a survey that nobody was asked yet."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be known of whom. `population` None: counted. `rate` None: learned from what was sent."""

    survey: str
    segment: str | None
    target: Target
    assurance: float = ASSURANCE
    population: int | None = None
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """`allowed`: the invites of the waves opened so far. `rate`: re-estimated from what this plan sent."""

    plan: Plan
    waves: tuple[OpenedWave, ...]
    allowed: int
    tally: Tally
    rate: Rate
    half_width: float


class SamplingPlans:
    """Everything raises ProblemError for what the caller can mend, and then changes nothing."""

    def __init__(self, database: Database, plans: Plans, asking: Asking, clock: Clock) -> None:
        self._database = database
        self._plans = plans
        self._asking = asking
        self._clock = clock

    async def size(self, tenant_id: str, wanted: Wanted) -> tuple[Size, str]:
        """The size, and where the response rate is from."""
        async with self._database.tenant(tenant_id) as c:
            return await self._size(c, tenant_id, wanted)

    async def make(
        self,
        tenant_id: str,
        by: str,
        wanted: Wanted,
        *,
        weight: float,
        wait_days: float,
        best_effort: bool,
    ) -> Progress:
        """A plan of which no wave is open yet. One that cannot reach its target only as a best effort."""
        async with self._database.tenant(tenant_id) as c:
            found, _ = await self._size(c, tenant_id, wanted)
            if not found.reachable and not best_effort:
                raise _unreachable(found)
            plan = Plan(
                new_id("sp"),
                wanted.survey,
                wanted.segment,
                weight,
                wait_days,
                found,
                "running",
                by,
                self._clock.now(),
            )
            if not await self._plans.add(c, tenant_id, plan):
                whom = f"segment {wanted.segment}" if wanted.segment else "everybody"
                raise _conflict(f"A plan for survey {wanted.survey} and {whom} is running; stop it first.")
            return await self._progress(c, tenant_id, plan)

    async def get(self, tenant_id: str, plan_id: str) -> Progress:
        async with self._database.tenant(tenant_id) as c:
            return await self._progress(c, tenant_id, await self._get(c, tenant_id, plan_id))

    async def newest(self, tenant_id: str, limit: int) -> list[Plan]:
        async with self._database.tenant(tenant_id) as c:
            return await self._plans.newest(c, tenant_id, limit)

    async def next_wave(self, tenant_id: str, by: str, plan_id: str, number: int) -> Progress:
        """Opens wave `number`, or ends the plan where none is needed or possible. Asked again, the same."""
        async with self._database.tenant(tenant_id) as c:
            plan = await self._get(c, tenant_id, plan_id, for_update=True)
            progress = await self._progress(c, tenant_id, plan)
            done, now = len(progress.waves), self._clock.now()
            if number <= done:
                return progress
            if plan.state != "running":
                raise _conflict(f"The plan has ended: {plan.state}.")
            if number != done + 1:
                raise invalid((("/wave", f"the next wave is {done + 1}"),))
            out, answered, found = progress.tally.out, progress.tally.answered, plan.size
            wave = next_wave(done, out, answered, found.invites, found.answers, found.rate)
            if wave.why == "reached":  # enough answers are enough at once
                return await self._ended(c, tenant_id, plan, "reached", _told(wave, progress), by)
            if wave.why != "first":
                _refuse_early(progress, now)
            if wave.why == "all_sent":
                return await self._ended(c, tenant_id, plan, "all_sent", _told(wave, progress), by)
            opened = OpenedWave(number, wave.invites, _record(wave, progress), by, now)
            await self._plans.open_wave(c, tenant_id, plan_id, opened)
            return await self._progress(c, tenant_id, plan)

    async def stop(self, tenant_id: str, by: str, plan_id: str, because: str) -> Progress:
        """The plan governs no longer: its survey is asked by the rules alone, as before it."""
        async with self._database.tenant(tenant_id) as c:
            plan = await self._get(c, tenant_id, plan_id, for_update=True)
            if plan.state == "stopped":
                return await self._progress(c, tenant_id, plan)
            return await self._ended(c, tenant_id, plan, "stopped", because, by)

    async def _size(self, c: AsyncConnection, tenant_id: str, wanted: Wanted) -> tuple[Size, str]:
        population = wanted.population
        if population is None:
            population = await self._asking.population(c, tenant_id, wanted.segment)
            if population == 0:
                raise invalid((("/population", "nobody is known of this segment; say how many there are"),))
        rate, origin = wanted.rate, "told"
        if rate is None:
            past = await self._asking.past(c, tenant_id, wanted.survey, wanted.segment, self._clock.now())
            rate, origin = learned(PRIOR, past), "learned" if past else "prior"
        return size(wanted.target, population, rate, wanted.assurance), origin

    async def _get(
        self, c: AsyncConnection, tenant_id: str, plan_id: str, *, for_update: bool = False
    ) -> Plan:
        plan = await self._plans.get(c, tenant_id, plan_id, for_update=for_update)
        if plan is None:
            raise not_found(f"Sampling plan {plan_id}")
        return plan

    async def _progress(self, c: AsyncConnection, tenant_id: str, plan: Plan) -> Progress:
        waves = tuple(await self._plans.waves(c, tenant_id, plan.id))
        tally = await self._asking.tally(c, tenant_id, plan.survey, plan.segment, plan.made_at)
        rate = plan.size.rate.seen(tally.out, tally.answered) if tally.out else plan.size.rate
        reached = half_width(plan.size.target, plan.size.population, tally.answered)
        return Progress(plan, waves, sum(wave.invites for wave in waves), tally, rate, reached)

    async def _ended(
        self, c: AsyncConnection, tenant_id: str, plan: Plan, state: State, because: str, by: str
    ) -> Progress:
        now = self._clock.now()
        await self._plans.end(c, tenant_id, plan.id, state, because, by, now)
        after = replace(plan, state=state, because=because, ended_at=now, ended_by=by)
        return await self._progress(c, tenant_id, after)


def _refuse_early(progress: Progress, now: datetime) -> None:
    """A wave is judged when it is out and its answers had time to come."""
    tally, plan = progress.tally, progress.plan
    if tally.out < progress.allowed:
        raise _conflict(
            f"{tally.out} of the {progress.allowed} invites allowed so far are out; the next wave opens when "
            "all are, so that it can be made as small as the answers allow."
        )
    if tally.last_out_at is not None and now < tally.last_out_at + timedelta(days=plan.wait_days):
        until = tally.last_out_at + timedelta(days=plan.wait_days)
        raise _conflict(f"Answers to the last invites may still come; ask again after {until.isoformat()}.")


def _record(wave: Wave, progress: Progress) -> dict[str, Any]:
    """From this the wave's size can be computed again."""
    return {
        "done": len(progress.waves),
        "sent": progress.tally.out,
        "answered": progress.tally.answered,
        "invites": progress.plan.size.invites,
        "answers": progress.plan.size.answers,
        "prior": asdict(progress.plan.size.rate),
        "rate": asdict(wave.rate),
        "why": wave.why,
        "because": _told(wave, progress),
    }


def _told(wave: Wave, progress: Progress) -> str:
    found, tally = progress.plan.size, progress.tally
    if wave.why == "first":
        return f"The first wave is 60 % of the {found.invites} invites planned for {found.answers} answers."
    came = f"{tally.answered} of {tally.out} answered"
    if wave.why == "reached":
        return f"{came}; {found.answers} are enough."
    if wave.why == "all_sent":
        return f"{came}; {found.answers} were wanted, and all {found.invites} planned invites are out."
    missing = found.answers - tally.answered
    return f"{came}, so {missing} answers are missing, for which {wave.invites} more invites are opened."


def _unreachable(found: Size) -> ProblemError:
    detail = (
        f"{found.answers} answers are needed, and asking all {found.population} brings about "
        f"{found.expected.answers}: ±{found.expected.half_width * 100:.2f} points "
        f"(±{found.assured.half_width * 100:.2f} with {found.assurance:.0%} assurance). Ask for that, or "
        'send "best_effort": true.'
    )
    return invalid((("/half_width", detail),), "The target cannot be reached.")


def _conflict(detail: str) -> ProblemError:
    return ProblemError(409, "not-now", "The plan does not allow this now", detail)
