"""The HTTP application, put together from its routes."""

from dataclasses import dataclass

from fastapi import APIRouter, FastAPI, Request, Response

from heardback_ingest.app.accept import Accept
from heardback_ingest.app.gather import Gatherer, OverloadedError
from heardback_ingest.app.idempotency import Idempotent
from heardback_ingest.app.policies import READERS
from heardback_ingest.app.preferences import KeepPreferences
from heardback_ingest.app.replay import Replay
from heardback_ingest.app.show import Show
from heardback_ingest.customer_master import CustomerMaster
from heardback_ingest.http import (
    accounts,
    classes,
    cloud_events,
    customer_imports,
    customer_rules,
    customers,
    fatigue,
    feedback,
    holds,
    identity,
    ledger,
    openapi,
    policies,
    preferences,
    sampling,
    survey_log,
    survey_shapes,
    survey_stops,
    surveys,
)
from heardback_ingest.settings import IngestSettings
from heardback_shared.contracts.feedback import SurveyIn, TranscriptIn
from heardback_shared.db.database import Database
from heardback_shared.health import Readiness
from heardback_shared.http.app import create_app, serve_routes
from heardback_shared.http.auth import Guard
from heardback_shared.http.outages import busy
from heardback_shared.http.problems import problem_response
from heardback_shared.metrics import Metrics
from heardback_shared.policies.in_force import PoliciesInForce

AGAIN = "what may have been stored already is not stored twice"
TITLE = "heardback ingest"
DESCRIPTION = """Hand in survey answers and support conversations, and see what became of them.

`202` means: it is on disk. The same source, external id and revision is the same feedback, however often it
is sent. An `Idempotency-Key` header makes any POST repeatable; keys are remembered for 24 hours unless set
otherwise.
"""


@dataclass(frozen=True)
class UseCases:
    accept: Accept
    gatherer: Gatherer
    idempotent: Idempotent
    show: Show
    customers: CustomerMaster
    preferences: KeepPreferences
    replay: Replay
    surveys: surveys.Surveys
    sampling: sampling.Sampling
    database: Database
    policies: PoliciesInForce


def build_app(
    use: UseCases, guard: Guard, settings: IngestSettings, metrics: Metrics, readiness: Readiness
) -> FastAPI:
    app = create_app(
        TITLE,
        DESCRIPTION,
        metrics=metrics,
        readiness=readiness,
        max_body_bytes=settings.max_batch_bytes,
        again=AGAIN,
    )
    serve_routes(
        app,
        feedback.routes(
            guard,
            use.accept,
            use.gatherer,
            use.idempotent,
            use.show,
            max_rows=settings.max_batch_rows,
            max_bytes=settings.max_batch_bytes,
        ),
        cloud_events.routes(guard, use.accept, use.idempotent, max_rows=settings.max_batch_rows),
        # Before customers: a customer's own address takes whatever follows /v1/customers/.
        preferences.routes(guard, use.preferences),
        holds.routes(guard, use.preferences),
        *_customer_routes(use.customers, guard, settings),
        ledger.routes(guard, use.show, use.replay),
        policies.routes(guard, use.database, READERS, use.policies),
        surveys.routes(guard, use.surveys, use.idempotent),
        survey_log.routes(guard, use.surveys.explain),
        survey_stops.routes(guard, use.surveys.halt),
        sampling.routes(guard, use.sampling),
        fatigue.routes(guard, use.sampling.experiments, use.sampling.fatigue),
    )
    said = (cloud_events, customers, preferences, holds, survey_shapes)
    openapi.install(app, [SurveyIn, TranscriptIn, *(model for module in said for model in module.MODELS)])
    _add_overloaded(app)
    return app


def _customer_routes(master: CustomerMaster, guard: Guard, settings: IngestSettings) -> tuple[APIRouter, ...]:
    return (
        customer_imports.routes(guard, master.imports, max_rows=settings.max_import_rows),
        customer_rules.routes(guard, master.handling),
        classes.routes(guard, master.classes),
        accounts.routes(guard, master.accounts),
        identity.routes(guard, master.identity),
        customers.routes(guard, master.keep, master.sources),
    )


def _add_overloaded(app: FastAPI) -> None:
    @app.exception_handler(OverloadedError)
    async def _overloaded(request: Request, error: OverloadedError) -> Response:
        return problem_response(request, busy(error.retry_after, AGAIN))
