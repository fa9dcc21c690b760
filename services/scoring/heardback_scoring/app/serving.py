"""The understanding in use, which may be replaced while feedback is being scored."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from heardback_scoring.app.understanding import Understanding
from heardback_shared.contracts.score import ModelRef


class _Term:
    """One understanding's time in use. `returned` is set while nobody holds it."""

    def __init__(self, by: Understanding) -> None:
        self.by = by
        self.holders = 0
        self.returned = asyncio.Event()
        self.returned.set()


class Serving:
    """Whoever scores borrows the understanding for one whole batch or request.

    So no feedback is read by two models, and no model is closed while somebody reads with it.
    """

    def __init__(self, first: Understanding) -> None:
        self._term = _Term(first)
        self.refused: ModelRef | None = None
        """The model that should be in force but could not be opened."""
        self.watching: ModelRef | None = None
        """The candidate that reads along."""
        self.watching_problem: str | None = None
        """Why no candidate reads along although one should."""
        self.changing = asyncio.Lock()
        """Held by whoever makes the next understanding out of the present one."""
        self.problem: str | None = None
        """Why another model than the one decided on is in force, in plain words."""

    @property
    def understanding(self) -> Understanding:
        """The one in use just now, to look at; to score with it, borrow it."""
        return self._term.by

    @contextmanager
    def borrowed(self) -> Iterator[Understanding]:
        """The same understanding until the block ends, whatever is replaced meanwhile."""
        term = self._term
        term.holders += 1
        term.returned.clear()
        try:
            yield term.by
        finally:
            term.holders -= 1
            if term.holders == 0:
                term.returned.set()

    def amend(self, by: Understanding) -> None:
        """The same model from now on with other policies; nothing is closed."""
        self._term.by = by

    async def replace(self, by: Understanding) -> None:
        """Whoever borrows from now on gets the new one; returns when the old model is closed."""
        old, self._term = self._term, _Term(by)
        await old.returned.wait()
        await old.by.reader.close()

    async def close(self) -> None:
        await self._term.by.reader.close()
