"""When the database cannot be asked just now: 503 with the time to wait, in every service alike."""

import structlog
from fastapi import FastAPI, Request, Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from heardback_shared.db.database import is_unavailable
from heardback_shared.errors import ProblemError
from heardback_shared.http.problems import problem_response

RETRY_SECONDS = 2
_log = structlog.get_logger(__name__)


def busy(seconds: int, again: str) -> ProblemError:
    """`again` says what a repeated request does."""
    return ProblemError(
        503,
        "busy",
        "Not now",
        f"Send it again in {seconds} s; {again}.",
        headers={"Retry-After": str(seconds)},
    )


def install_outage_handlers(app: FastAPI, again: str) -> None:
    """An outage, an exhausted pool, or a deed that met another halfway (deadlock) is answered 503.

    Any other fault of a statement stays an unexpected error.
    """

    @app.exception_handler(PoolTimeoutError)
    async def _no_connection(request: Request, error: PoolTimeoutError) -> Response:
        return problem_response(request, busy(1, again))

    @app.exception_handler(OSError)
    async def _no_network(request: Request, error: OSError) -> Response:
        return _told(request, error)

    @app.exception_handler(DBAPIError)
    async def _no_database(request: Request, error: DBAPIError) -> Response:
        return _told(request, error)

    def _told(request: Request, error: Exception) -> Response:
        if not is_unavailable(error):
            raise error
        _log.warning("http.database_unavailable", error=type(error).__name__)
        return problem_response(request, busy(RETRY_SECONDS, again))
