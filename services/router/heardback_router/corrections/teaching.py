"""Background task: what was taught is announced again, for brokers that forget."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.corrections.announce import embedding_of, feedback_corrected
from heardback_router.corrections.domain import Word
from heardback_router.corrections.store import PostgresCorrections
from heardback_shared.db.database import Database, is_unavailable
from heardback_shared.db.outbox import Outbox
from heardback_shared.errors import TransientError
from heardback_shared.stream.ports import Outgoing

AT_ONCE = 500
LOOK_SECONDS = 3.0
AGAIN_SECONDS = 6 * 3600.0

_log = structlog.get_logger(__name__)

Place = tuple[str, str]
"""(tenant, whatever orders the rows of a tenant) of the last row of a page."""
START: Place = ("", "")
End = Callable[[], Awaitable[int]]
"""How many records the topic had ever, as its broker remembers. Raises TransientError."""


class Pages(Protocol):
    """Something that is in force, to be announced again: of every tenant, page by page."""

    async def page(
        self, connection: AsyncConnection, after: Place
    ) -> tuple[Sequence[Outgoing], Place | None]:
        """What comes after this place, and the place of the last; None where that was all.

        In a worker's transaction, in which what is returned goes into the outbox: rows that are locked in
        shared mode cannot change before they are announced.
        """
        ...


class Teaching:
    """Announces everything at the start, whenever the topic has lost records, and every few hours.

    Whoever learns takes the same announcement twice for one.
    """

    def __init__(self, database: Database, outbox: Outbox, pages: Sequence[Pages]) -> None:
        self._database = database
        self._outbox = outbox
        self._pages = pages
        self._end = -1
        self._announced_at: float | None = None

    async def run(self, end: End, stop: asyncio.Event) -> None:
        """Until told to stop. An unavailable database or broker only delays it."""
        while not stop.is_set():
            try:
                await self.look(end)
            except Exception as error:
                if not isinstance(error, TransientError) and not is_unavailable(error):
                    raise
                _log.warning("teaching.unavailable", error=type(error).__name__)
            try:
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue

    async def look(self, end: End) -> None:
        """Announces all, where it is time or records were lost."""
        now, before = asyncio.get_running_loop().time(), self._announced_at
        found = await end()
        if before is None or found < self._end or now - before >= AGAIN_SECONDS:
            count = await self.announce()
            self._announced_at = now
            _log.info("teaching.announced", events=count)
        self._end = found

    async def announce(self) -> int:
        """Puts everything that is in force into the outbox; how many events that were."""
        count = 0
        for pages in self._pages:
            place: Place | None = START
            while place is not None:
                async with self._database.worker() as connection:
                    outgoing, place = await pages.page(connection, place)
                    await self._outbox.add(connection, outgoing)
                count += len(outgoing)
                self._outbox.wake()
        return count


class CorrectionPages:
    def __init__(self, store: PostgresCorrections) -> None:
        self._store = store

    async def page(
        self, connection: AsyncConnection, after: Place
    ) -> tuple[Sequence[Outgoing], Place | None]:
        """With the embedding that the feedback has now: another model may have read it since."""
        rows = await self._store.page(connection, after, AT_ONCE)
        outgoing = []
        for row in rows:
            right = row["right_causes"]
            word = Word(None if right is None else tuple(right), tuple(row["wrong_causes"]))
            embedding = embedding_of(row["embedding"], row["embedding_model"])
            if word.about_causes:
                tenant_id, feedback_id = row["tenant_id"], row["feedback_id"]
                outgoing.append(feedback_corrected(tenant_id, feedback_id, word, row["at"], embedding))
        last = rows[-1] if len(rows) == AT_ONCE else None
        return outgoing, None if last is None else (last["tenant_id"], last["feedback_id"])
