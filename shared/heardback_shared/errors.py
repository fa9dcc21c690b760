"""Errors as signals to the runtime: each type means one thing to whoever catches it."""


class PermanentError(Exception):
    """This input can never be handled; trying again changes nothing. Its message is safe to show."""


class TransientError(Exception):
    """Something around us is unavailable; the same input may be handled later."""


class ProblemError(Exception):
    """An error a caller caused and can mend, as RFC 9457 tells it.

    `errors` are (JSON pointer into the request, what to send instead).
    """

    def __init__(
        self,
        status: int,
        slug: str,
        title: str,
        detail: str,
        errors: tuple[tuple[str, str], ...] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.title = title
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}
