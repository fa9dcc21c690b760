"""Errors a person can mend: their message is all that is shown, without a traceback."""


class MendableError(RuntimeError):
    """Something around us is not as it must be. The message says what it is and what to do."""
