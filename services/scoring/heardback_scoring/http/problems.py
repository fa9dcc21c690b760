"""What callers are told when the model cannot answer now."""

from collections.abc import Iterator
from contextlib import contextmanager

from heardback_scoring.inference.thread import InferenceBusy, InferenceClosed, TextsRefused
from heardback_shared.errors import ProblemError

RETRY_SECONDS = 2


@contextmanager
def told_when_busy() -> Iterator[None]:
    """Turns a model that is full, closing or failing into a problem that says when to come again."""
    try:
        yield
    except (InferenceBusy, InferenceClosed) as error:
        raise _unavailable("More texts wait for the model than it can take.") from error
    except TextsRefused as error:
        raise _unavailable("The model failed on a text.") from error


def _unavailable(why: str) -> ProblemError:
    return ProblemError(
        503,
        "unavailable",
        "Scoring is not available just now",
        f"{why} Send the request again in {RETRY_SECONDS} s.",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )
