"""The one thread on which the model runs, and the turns that callers take on it."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

from heardback_scoring.inference.ports import Scorer, TextReading

Outcome = TextReading | Exception


class InferenceClosed(Exception):  # noqa: N818  (a state, not a failure of the caller)
    """The thread is closed or closing; nothing more is read."""


class InferenceBusy(Exception):  # noqa: N818
    """More texts wait than the limit allows. Try again later."""


class TextsRefused(Exception):  # noqa: N818
    """Some texts made the model fail, each by itself. The others were read.

    `failures` by position in the texts given; `readings` in order, None where a text failed.
    """

    def __init__(self, failures: dict[int, Exception], readings: list[TextReading | None]) -> None:
        first = next(iter(failures.values()))
        super().__init__(f"{len(failures)} of {len(readings)} texts could not be read; the first: {first!r}")
        self.failures = failures
        self.readings = readings


class _Request:
    """One caller's texts, longest first, so that each turn takes texts of about equal length."""

    __slots__ = ("done", "order", "outcomes", "texts")

    def __init__(self, texts: Sequence[str], done: asyncio.Future[None]) -> None:
        self.texts = texts
        self.order = deque(sorted(range(len(texts)), key=lambda index: -len(texts[index])))
        self.outcomes: dict[int, Outcome] = {}
        self.done = done


class InferenceThread:
    """Runs a scorer on one thread for many callers at once.

    Each turn takes at most `texts_per_turn` texts, spread evenly over the callers that wait, so that a large
    batch from the stream does not hold up a person's single question for long. While a turn runs, the next
    ones gather. Every caller gets its readings or an exception, whatever fails.
    """

    def __init__(
        self,
        scorer: Scorer,
        *,
        texts_per_turn: int = 32,
        max_waiting_texts: int = 20_000,
        on_turn: Callable[[int, float], None] | None = None,
    ) -> None:
        """`on_turn` is told of every turn: how many texts, how many seconds."""
        self._scorer = scorer
        self._on_turn = on_turn
        self._texts_per_turn = texts_per_turn
        self._max_waiting = max_waiting_texts
        self._waiting: deque[_Request] = deque()
        self._waiting_texts = 0
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="inference")
        self._turns: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def scorer(self) -> Scorer:
        return self._scorer

    @property
    def waiting_texts(self) -> int:
        """Texts given and not yet taken by the model: the figure to watch for load."""
        return self._waiting_texts

    async def read(self, texts: Sequence[str]) -> list[TextReading]:
        """One reading per text, in order.

        Raises TextsRefused if some texts cannot be read, InferenceBusy if too many wait already,
        InferenceClosed after close().
        """
        if self._closed:
            raise InferenceClosed("the inference thread is closed")
        if not texts:
            return []
        if self._waiting_texts and self._waiting_texts + len(texts) > self._max_waiting:
            raise InferenceBusy(f"{self._waiting_texts} texts wait already, the limit is {self._max_waiting}")
        request = _Request(texts, asyncio.get_running_loop().create_future())
        self._waiting.append(request)
        self._waiting_texts += len(texts)
        if self._turns is None:
            self._turns = asyncio.create_task(self._take_turns(), name="inference-turns")
        try:
            await request.done
        finally:
            self._forget(request)
        return _readings(request)

    async def close(self) -> None:
        """Wait for the running turn, refuse what still waits, free the model. Closing twice is allowed."""
        if self._closed:
            return
        self._closed = True
        turns = self._turns
        self._refuse(InferenceClosed("the inference thread was closed before this text was read"))
        if turns is not None:
            await asyncio.wait([turns])
        await asyncio.get_running_loop().run_in_executor(self._executor, self._scorer.close)
        self._executor.shutdown(wait=True)

    async def _take_turns(self) -> None:
        loop = asyncio.get_running_loop()
        failure: Exception = InferenceClosed("the inference thread stopped")
        try:
            while turn := self._next_turn():
                texts = [request.texts[index] for request, index in turn]
                started = perf_counter()
                outcomes = await loop.run_in_executor(self._executor, read_apart, self._scorer, texts)
                if self._on_turn is not None:
                    self._on_turn(len(texts), perf_counter() - started)
                for (request, index), outcome in zip(turn, outcomes, strict=True):
                    request.outcomes[index] = outcome
                    if len(request.outcomes) == len(request.texts) and not request.done.done():
                        request.done.set_result(None)
        except Exception as error:  # told to every caller; nobody may be left waiting
            failure = error
        finally:
            self._turns = None
            self._refuse(failure)

    def _next_turn(self) -> list[tuple[_Request, int]]:
        turn: list[tuple[_Request, int]] = []
        requests = [request for request in self._waiting if request.order]
        share = max(1, self._texts_per_turn // len(requests)) if requests else 0
        while requests and len(turn) < self._texts_per_turn:
            for request in requests:
                for _ in range(min(share, len(request.order), self._texts_per_turn - len(turn))):
                    turn.append((request, request.order.popleft()))
            requests = [request for request in requests if request.order]
        self._waiting_texts -= len(turn)
        return turn

    def _forget(self, request: _Request) -> None:
        self._waiting_texts -= len(request.order)
        request.order.clear()
        if request in self._waiting:
            self._waiting.remove(request)

    def _refuse(self, error: Exception) -> None:
        for request in self._waiting:
            self._waiting_texts -= len(request.order)
            request.order.clear()
            if not request.done.done():
                request.done.set_exception(error)
                # A caller that was cancelled meanwhile will not look at it.
                request.done.exception()


def read_apart(scorer: Scorer, texts: Sequence[str]) -> list[Outcome]:
    """Read a batch; if it fails, halve it until every text that fails stands alone."""
    try:
        readings = scorer.read(texts)
        if len(readings) != len(texts):
            raise RuntimeError(f"the scorer gave {len(readings)} readings for {len(texts)} texts")
    except Exception as error:
        if len(texts) == 1:
            return [error]
        half = len(texts) // 2
        return read_apart(scorer, texts[:half]) + read_apart(scorer, texts[half:])
    return list(readings)


def _readings(request: _Request) -> list[TextReading]:
    outcomes = [request.outcomes[index] for index in range(len(request.texts))]
    failures = {index: outcome for index, outcome in enumerate(outcomes) if isinstance(outcome, Exception)}
    readings = [outcome for outcome in outcomes if isinstance(outcome, TextReading)]
    if failures:
        kept = [outcome if isinstance(outcome, TextReading) else None for outcome in outcomes]
        raise TextsRefused(failures, kept)
    return readings
