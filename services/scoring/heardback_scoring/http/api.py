"""The HTTP door of scoring: one question, answered at once."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, FastAPI, Query
from pydantic import ValidationError

from heardback_scoring.app.score_rows import ScoreRow, score_rows
from heardback_scoring.app.serving import Serving
from heardback_scoring.http.problems import told_when_busy
from heardback_scoring.http.schemas import EXAMPLES, ModelInUse, ModelsAnswer, ScoredAnswer
from heardback_shared.access.keys import Principal
from heardback_shared.clock import Clock
from heardback_shared.http.app import serve_routes
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import field_errors, invalid
from heardback_shared.metrics import Metrics


def add_routes(app: FastAPI, serving: Serving, guard: Guard, clock: Clock, metrics: Metrics) -> None:
    router = APIRouter(prefix="/v1", tags=["scoring"])
    may_score = guard.needs("score:write")

    @router.post(
        "/score", summary="Score one text, conversation, survey or transcript", response_model=ScoredAnswer
    )
    async def score(
        who: Annotated[Principal, Depends(may_score)],
        body: Annotated[dict[str, Any], Body(openapi_examples=EXAMPLES)],
        explain: Annotated[bool, Query(description="Say which words carried the score.")] = False,
    ) -> dict[str, Any]:
        """Nothing is stored. The answer is what was sent, with `score` added."""
        try:
            row = ScoreRow.model_validate(body)
        except ValidationError as error:
            raise invalid(field_errors(error), "The row cannot be scored.") from error
        with told_when_busy(), serving.borrowed() as base:
            by = base.for_tenant(who.tenant_id)
            [answer] = await score_rows([(body, row)], by, clock.now(), "all" if explain else None)
        metrics.scored.labels(answer["score"]["status"]).inc()
        return answer

    @router.get("/models", summary="The models in use, and the policies in force for the caller")
    async def models(who: Annotated[Principal, Depends(may_score)]) -> ModelsAnswer:
        by = serving.understanding.for_tenant(who.tenant_id)
        return ModelsAnswer(
            models=tuple(_in_use(serving)),
            problem=serving.problem,
            policies=by.versions,
            taxonomy=by.taxonomy_version,
            languages=tuple(sorted(by.policies.language.scored)),
        )

    serve_routes(app, router)


def _in_use(serving: Serving) -> Iterator[ModelInUse]:
    by = serving.understanding
    scorer = by.reader.scorer
    yield ModelInUse(model=scorer.model, use="reads", degraded=scorer.degraded, because=by.why_degraded)
    yield ModelInUse(model=by.fallback.model, use="fallback", degraded=True)
    if serving.watching is not None:
        yield ModelInUse(
            model=serving.watching, use="watches", degraded=False, because=serving.watching_problem
        )
    if serving.refused is not None:
        yield ModelInUse(model=serving.refused, use="refused", degraded=False, because=serving.problem)
