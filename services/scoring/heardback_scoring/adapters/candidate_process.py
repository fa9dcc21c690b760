"""A candidate in a process of its own: at a low priority, with one core, and free to crash."""

import asyncio
import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Self, cast

from heardback_scoring.adapters.models import open_exactly
from heardback_scoring.adapters.py3langid_guesser import Py3langidGuesser
from heardback_scoring.app.policies import Policies
from heardback_scoring.app.ports import CandidateFailed
from heardback_scoring.app.score_batch import score_batch
from heardback_scoring.app.understanding import Understanding, understanding_of
from heardback_scoring.domain.registry import Registered
from heardback_shared.contracts.events import FeedbackAccepted
from heardback_shared.contracts.score import ModelRef, Score
from heardback_shared.logs import configure_logs

NICE = 10
"""A tenth of the time of a core that others want as well."""
PATIENCE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class CandidateJob:
    """What to open: `name` as the registry locates it, and the policies of the model in force."""

    model: Registered
    name: str
    policies: Policies
    log_level: str = "INFO"


class CandidateProcess:
    """Ends with its parent: whatever ends that one closes the pipe."""

    def __init__(self, process: Any, pipe: "Connection[Any, Any]", model: ModelRef) -> None:
        self._process = process
        self._pipe = pipe
        self._model = model
        self._asking = threading.Lock()

    @classmethod
    async def open(cls, job: CandidateJob) -> Self:
        """The candidate loaded and warm. Raises CandidateFailed."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, job), name="candidate", daemon=True)
        await asyncio.to_thread(process.start)
        theirs.close()
        opening = asyncio.create_task(asyncio.to_thread(_receive, ours))
        try:
            return cls(process, ours, await asyncio.shield(opening))
        except BaseException:
            process.kill()
            await asyncio.gather(opening, return_exceptions=True)
            await asyncio.to_thread(process.join)
            ours.close()
            raise

    @property
    def model(self) -> ModelRef:
        return self._model

    async def score(self, feedbacks: Sequence[FeedbackAccepted]) -> list[Score]:
        return cast("list[Score]", await asyncio.to_thread(self._ask, list(feedbacks)))

    def _ask(self, feedbacks: list[FeedbackAccepted]) -> Any:
        with self._asking:
            try:
                self._pipe.send(feedbacks)
            except OSError as error:
                raise CandidateFailed("its process ended") from error
            return _receive(self._pipe)

    async def close(self) -> None:
        self._process.kill()
        await asyncio.to_thread(self._join)

    def _join(self) -> None:
        self._process.join()
        with self._asking:  # whoever still asks is told that the process ended
            self._pipe.close()


def _receive(pipe: "Connection[Any, Any]") -> Any:
    try:
        if not pipe.poll(PATIENCE_SECONDS):
            raise CandidateFailed(f"it did not answer within {PATIENCE_SECONDS:g} s")
        answer = pipe.recv()
    except (EOFError, OSError) as error:
        raise CandidateFailed("its process ended") from error
    if isinstance(answer, Exception):
        raise answer
    return answer


def _serve(pipe: "Connection[Any, Any]", job: CandidateJob) -> None:
    """The life of the process: answers with its model, then to every list of feedback with their scores."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the parent, which ends us
    configure_logs("scoring-candidate", job.log_level)
    try:
        by = _understanding(job)
    except Exception as error:  # whatever a model runtime raises is told to the parent
        pipe.send(CandidateFailed(str(error)))
        return
    with asyncio.Runner() as runner, contextlib.suppress(EOFError, OSError):
        os.nice(NICE)  # for reading only: it should be there soon
        pipe.send(by.reader.scorer.model)
        while True:
            pipe.send(_answer(runner, pipe.recv(), by))


def _answer(
    runner: asyncio.Runner, feedbacks: list[FeedbackAccepted], by: Understanding
) -> list[Score] | CandidateFailed:
    try:
        return runner.run(score_batch(feedbacks, by))
    except Exception as error:  # told by its name: a message or a trace may hold what a customer said
        return CandidateFailed(f"it failed ({type(error).__name__})")


def _understanding(job: CandidateJob) -> Understanding:
    sha256 = job.model.ref.sha256 if job.model.pinned else None
    opened = open_exactly(job.name, sha256, threads=1)
    return understanding_of(
        job.policies,
        Py3langidGuesser(),
        opened.reader,
        opened.fallback,
        opened.why_degraded,
        opened.satisfaction,
    )
