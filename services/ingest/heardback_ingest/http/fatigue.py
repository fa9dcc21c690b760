"""Experiments with how often to ask, what asking does to customers, and caps suggested from it."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field, field_validator

from heardback_ingest.app.sampling.arms import KeepExperiments
from heardback_ingest.app.sampling.fatigue import Fatigue, Report
from heardback_ingest.app.sampling.ports import Running
from heardback_ingest.domain.sampling.arms import GAPS, SHARE
from heardback_ingest.domain.sampling.fatigue import Effect
from heardback_ingest.domain.sampling.suggesting import Bearable
from heardback_shared.access.keys import Principal
from heardback_shared.contracts.base import Submission
from heardback_shared.http.auth import Guard

Part = Annotated[float, Query(gt=0, lt=1)]
_BEARABLE = Bearable()


class StartIn(Submission):
    """A tenth of the customers, spread by lot over the gaps in days, unless told otherwise."""

    gaps: Annotated[tuple[Annotated[int, Field(ge=1, le=365)], ...], Field(min_length=2, max_length=5)] = GAPS
    share: Annotated[float, Field(gt=0, le=0.5)] = SHARE
    reason: Annotated[str, Field(min_length=1, max_length=1_000, pattern=r"^[^\x00]+$")]

    @field_validator("gaps")
    @classmethod
    def _different(cls, gaps: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(gaps)) != len(gaps):
            raise ValueError("name each gap once")
        return gaps


class SuggestIn(Submission):
    """What a company wants its customers to bear: the part of answers that asking may cost, and the share of
    customers that may refuse in a year."""

    fall: Annotated[float, Field(gt=0, lt=1)] = _BEARABLE.fall
    opt_outs: Annotated[float, Field(gt=0, lt=1)] = _BEARABLE.opt_outs


def routes(guard: Guard, experiments: KeepExperiments, fatigue: Fatigue) -> APIRouter:
    api = APIRouter(prefix="/v1/fatigue", tags=["fatigue"])
    _add_experiments(api, guard, experiments)
    readers = Annotated[Principal, Depends(guard.needs("surveys:write", "policies:read"))]
    proposers = Annotated[Principal, Depends(guard.needs("policies:write"))]

    @api.get("", summary="What asking does to customers, where an experiment tells")
    async def report(
        who: readers, fall: Part = _BEARABLE.fall, opt_outs: Part = _BEARABLE.opt_outs
    ) -> dict[str, Any]:
        """Without an experiment nothing is said of what asking does, and what is seen is labelled
        `not randomised`."""
        return _report(await fatigue.report(who.tenant_id, Bearable(fall, opt_outs)))

    @api.post("/suggestions", status_code=201, summary="Propose the suggested distance as a policy draft")
    async def suggest(request: Request, body: SuggestIn, who: proposers) -> dict[str, Any]:
        """The draft is a version of policy `surveys`; somebody else approves it, or nothing changes."""
        bearer = request.headers.get("Authorization", "")
        bearable = Bearable(body.fall, body.opt_outs)
        return asdict(await fatigue.suggest(who.tenant_id, who.name, bearer, bearable))

    @api.get("/suggestions", summary="What was suggested, with its evidence, the newest first")
    async def suggestions(who: readers, limit: Annotated[int, Query(ge=1, le=200)] = 20) -> dict[str, Any]:
        found = await fatigue.suggestions(who.tenant_id, limit)
        return {"suggestions": [asdict(one) for one in found]}

    return api


def _add_experiments(api: APIRouter, guard: Guard, experiments: KeepExperiments) -> None:
    readers = Annotated[Principal, Depends(guard.needs("surveys:write", "policies:read"))]
    approvers = Annotated[Principal, Depends(guard.needs("policies:approve"))]

    @api.get("/experiment", summary="The newest experiment, and how many people are in each arm")
    async def current(who: readers) -> dict[str, Any]:
        found, sizes = await experiments.current(who.tenant_id)
        return {"experiment": _experiment(found), "people": {f"gap-{gap}": n for gap, n in sizes.items()}}

    @api.post("/experiment", status_code=201, summary="Ask some customers at distances drawn by lot")
    async def start(body: StartIn, who: approvers) -> dict[str, Any]:
        found = await experiments.start(who.tenant_id, who.name, body.gaps, body.share, body.reason)
        return {"experiment": _experiment(found)}

    @api.post("/experiment:end", summary="Ask everybody by the same rules again")
    async def end(who: approvers) -> dict[str, Any]:
        return {"experiment": _experiment(await experiments.end(who.tenant_id, who.name))}


def _experiment(found: Running | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {**asdict(found.experiment), **{k: v for k, v in asdict(found).items() if k != "experiment"}}


def _report(report: Report) -> dict[str, Any]:
    effect: dict[str, Any] = {"refused": None, **asdict(report.effect)}
    if isinstance(report.effect, Effect):
        effect["verdict"] = report.effect.verdict
    else:
        effect = {"refused": effect["code"], "detail": effect["detail"]}
    return {
        "experiment": _experiment(report.experiment),
        "since": report.since,
        "until": report.until,
        "asks": report.asks,
        "shortened": report.shortened,
        "effect": effect,
        "monitors": [asdict(report.by_lot), asdict(report.others)],
        "suggestion": asdict(report.suggestion) if report.suggestion else None,
        "policy_changed_at": report.changed_at,
        "check": asdict(report.check) if report.check else None,
    }
