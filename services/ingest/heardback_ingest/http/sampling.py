"""How many to ask, plans of asking in waves, and which survey gets a moment."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import Field, model_validator

from heardback_ingest.app.sampling.arms import KeepExperiments
from heardback_ingest.app.sampling.choosing import CompetingSurveys, shown
from heardback_ingest.app.sampling.fatigue import Fatigue
from heardback_ingest.app.sampling.plans import Progress, SamplingPlans, Wanted
from heardback_ingest.app.sampling.ports import Plan
from heardback_ingest.domain.sampling.plan import ASSURANCE, Size
from heardback_ingest.domain.sampling.precision import Target
from heardback_ingest.domain.sampling.response import Rate
from heardback_shared.access.keys import Principal
from heardback_shared.clock import Clock
from heardback_shared.contracts.base import Instant, Label, ShortText, Submission
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid

MOST_PEOPLE = 10_000_000
# Beyond these, the sums of a plan lose themselves in rounding, and nobody means them.
HalfWidth = Annotated[float, Field(ge=0.0001, lt=1)]
Share = Annotated[float, Field(ge=0.001, le=0.999)]
Expected = Annotated[float, Field(ge=0.0001, le=0.9999)]
PlanId = Annotated[str, Path(max_length=64, pattern=r"^[^\x00]+$")]
Slot = Annotated[str, Path(max_length=200, pattern=r"^[^\x00]+$")]
Why = Annotated[str, Field(min_length=1, max_length=1_000, pattern=r"^[^\x00]+$")]
Name = Annotated[Label, Field(pattern=r"^[^\x00]+$")]


class RateIn(Submission):
    """What share of those asked answers. `kappa` says how many asked customers that is worth; it halves with
    every 90 days since `as_of`."""

    expected: Expected
    kappa: Annotated[float, Field(ge=1, le=1_000_000)] = 40.0
    as_of: Instant | None = None


class SizeIn(Submission):
    survey: Name
    segment: Name | None = None
    half_width: HalfWidth = 0.05
    confidence: Annotated[float, Field(ge=0.5, le=0.999)] = 0.90
    share: Share = 0.5
    assurance: Annotated[float, Field(ge=0.5, le=0.999)] = ASSURANCE
    population: Annotated[int, Field(ge=1, le=MOST_PEOPLE)] | None = None
    response: RateIn | None = None


class PlanIn(SizeIn):
    weight: Annotated[float, Field(gt=0, le=1_000)] = 1.0
    wait_days: Annotated[float, Field(ge=0, le=60)] = 3.0
    best_effort: bool = False


class NextWaveIn(Submission):
    wave: Annotated[int, Field(ge=1, le=100)]


class StopIn(Submission):
    reason: Why


class ChooseIn(Submission):
    slot: Annotated[ShortText, Field(pattern=r"^[^\x00]+$")]
    customer_id: Annotated[ShortText, Field(pattern=r"^[^\x00]+$")]
    surveys: Annotated[tuple[Name, ...], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        if len(set(self.surveys)) != len(self.surveys):
            raise ValueError("name each survey once")
        return self


@dataclass(frozen=True, slots=True)
class Sampling:
    """The use cases of this page and of the one about fatigue."""

    plans: SamplingPlans
    competing: CompetingSurveys
    experiments: KeepExperiments
    fatigue: Fatigue
    clock: Clock


def routes(guard: Guard, use: Sampling) -> APIRouter:
    api = APIRouter(prefix="/v1", tags=["sampling"])
    _add_sizes(api, guard, use.plans, use.clock)
    _add_plans(api, guard, use.plans, use.clock)
    _add_choices(api, guard, use.competing)
    return api


def _add_sizes(api: APIRouter, guard: Guard, plans: SamplingPlans, clock: Clock) -> None:
    readers = Annotated[Principal, Depends(guard.needs("surveys:write", "policies:read"))]

    @api.post("/sampling:plan", summary="How many to ask for a precision; nothing is stored")
    async def size(body: SizeIn, who: readers) -> dict[str, Any]:
        """Where not even asking everybody brings enough answers, `reachable` is false, and `expected` and
        `assured` say what asking everybody gives."""
        found, origin = await plans.size(who.tenant_id, _wanted(body, clock))
        return _size(found, origin)


def _add_plans(api: APIRouter, guard: Guard, plans: SamplingPlans, clock: Clock) -> None:
    readers = Annotated[Principal, Depends(guard.needs("surveys:write", "policies:read"))]
    writers = Annotated[Principal, Depends(guard.needs("surveys:write"))]

    @api.post("/sampling-plans", status_code=201, summary="Plan to ask until there are enough answers")
    async def make(body: PlanIn, who: writers, response: Response) -> dict[str, Any]:
        """No wave is open yet."""
        made = await plans.make(
            who.tenant_id,
            who.name,
            _wanted(body, clock),
            weight=body.weight,
            wait_days=body.wait_days,
            best_effort=body.best_effort,
        )
        response.headers["Location"] = f"/v1/sampling-plans/{made.plan.id}"
        return _progress(made)

    @api.get("/sampling-plans", summary="Plans, the newest first")
    async def newest(who: readers, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> dict[str, Any]:
        return {"plans": [_plan(plan) for plan in await plans.newest(who.tenant_id, limit)]}

    @api.get("/sampling-plans/{plan_id}", summary="A plan with its waves and what came in")
    async def one(plan_id: PlanId, who: readers) -> dict[str, Any]:
        return _progress(await plans.get(who.tenant_id, plan_id))

    @api.post("/sampling-plans/{plan_id}/next-wave", summary="Open the next wave, or end where enough is in")
    async def next_wave(plan_id: PlanId, body: NextWaveIn, who: writers) -> dict[str, Any]:
        """Asked again for the same wave, the same answer."""
        return _progress(await plans.next_wave(who.tenant_id, who.name, plan_id, body.wave))

    @api.post("/sampling-plans/{plan_id}/stop", summary="Let the survey be asked without a plan again")
    async def stop(plan_id: PlanId, body: StopIn, who: writers) -> dict[str, Any]:
        return _progress(await plans.stop(who.tenant_id, who.name, plan_id, body.reason))


def _add_choices(api: APIRouter, guard: Guard, competing: CompetingSurveys) -> None:
    readers = Annotated[Principal, Depends(guard.needs("surveys:write", "policies:read"))]
    writers = Annotated[Principal, Depends(guard.needs("surveys:write"))]

    @api.post("/sampling:choose", summary="Which of the surveys that may ask gets this moment")
    async def choose(body: ChooseIn, who: writers) -> dict[str, Any]:
        """The answer is kept with its runners-up; the same slot always gets the same."""
        kept = await competing.choose(who.tenant_id, who.name, body.slot, body.customer_id, body.surveys)
        return shown(kept)

    @api.get("/sampling/choices/{slot:path}", summary="Which survey got a moment, and why")
    async def one(slot: Slot, who: readers) -> dict[str, Any]:
        return shown(await competing.get(who.tenant_id, slot))


def _wanted(body: SizeIn, clock: Clock) -> Wanted:
    rate = None
    if body.response is not None:
        rate = Rate(body.response.expected, body.response.kappa)
        if body.response.as_of is not None:
            days = (clock.now() - body.response.as_of).total_seconds() / 86_400
            if days < 0:
                raise invalid((("/response/as_of", "must not lie in the future"),))
            rate = rate.aged(days)
    target = Target(body.half_width, body.confidence, body.share)
    return Wanted(body.survey, body.segment, target, body.assurance, body.population, rate)


def _size(found: Size, origin: str | None = None) -> dict[str, Any]:
    response = {**asdict(found.rate), **({"from": origin} if origin else {})}
    return {
        "answers": found.answers,
        "invites": found.invites,
        "reachable": found.reachable,
        "expected": asdict(found.expected),
        "assured": asdict(found.assured),
        "assumed": {
            **asdict(found.target),
            "population": found.population,
            "assurance": found.assurance,
            "response": response,
            "not_in_the_interval": "Those who do not answer may think otherwise than those who do.",
        },
    }


def _plan(plan: Plan) -> dict[str, Any]:
    return {**asdict(plan), "size": _size(plan.size)}


def _progress(progress: Progress) -> dict[str, Any]:
    return {
        **_plan(progress.plan),
        "waves": [asdict(wave) for wave in progress.waves],
        "progress": {
            "allowed": progress.allowed,
            "out": progress.tally.out,
            "held": progress.tally.held,
            "answered": progress.tally.answered,
            "last_out_at": progress.tally.last_out_at,
            "response": asdict(progress.rate),
            "half_width": progress.half_width,
        },
    }
