"""A candidate in a process of its own: at a low priority, with one core, and free to crash."""

import asyncio
import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Self, cast

from heardback_scoring.adapters.models import open_exactly
from heardback_scoring.adapters.py3langid_guesser import Py3langidGuesser
from heardback_scoring.app.policies import Policies
from heardback_scoring.app.ports import CandidateFailed
from heardback_scoring.app.score_batch import understand_batch
from heardback_scoring.app.taught import Taught
from heardback_scoring.app.understanding import Understanding, teaching, understanding_of
from heardback_scoring.domain.registry import Registered
from heardback_shared.contracts.events import FeedbackAccepted
from heardback_shared.contracts.score import ModelRef, Score
from heardback_shared.logs import configure_logs

NICE = 10
"""A tenth of the time of a core that others want as well."""
PATIENCE_SECONDS = 300.0

_Question = tuple[list[FeedbackAccepted], Sequence[str | None] | None]


@dataclass(frozen=True, slots=True)
class CandidateJob:
    """What to open: `name` as the registry locates it, with the policies of the model in force.

    What tenants teach later, the candidate learns when it is opened again.
    """

    model: Registered
    name: str
    policies: Policies
    taught: Mapping[str, Taught] = field(default_factory=dict)
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

    async def score(
        self, feedbacks: Sequence[FeedbackAccepted], tenants: Sequence[str | None] | None = None
    ) -> list[Score]:
        return cast("list[Score]", await asyncio.to_thread(self._ask, (list(feedbacks), tenants)))

    def _ask(self, question: _Question) -> Any:
        with self._asking:
            try:
                self._pipe.send(question)
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


def _answer(runner: asyncio.Runner, question: _Question, by: Understanding) -> list[Score] | CandidateFailed:
    feedbacks, tenants = question
    try:
        return [one.score for one in runner.run(understand_batch(feedbacks, by, tenants=tenants))]
    except Exception as error:  # told by its name: a message or a trace may hold what a customer said
        return CandidateFailed(f"it failed ({type(error).__name__})")


def _understanding(job: CandidateJob) -> Understanding:
    sha256 = job.model.ref.sha256 if job.model.pinned else None
    opened = open_exactly(job.name, sha256, threads=1)
    base = understanding_of(
        job.policies,
        Py3langidGuesser(),
        opened.reader,
        opened.fallback,
        opened.why_degraded,
        opened.satisfaction,
    )
    return teaching(base, job.taught)
