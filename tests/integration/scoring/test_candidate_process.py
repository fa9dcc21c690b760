"""A real candidate in its own process: reads as it would alone, is refused in words, and may be killed."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.support.registry import registered, second_model
from tests.support.scoring import POLICIES, survey, transcript

from heardback_scoring.adapters.candidate_process import NICE, CandidateJob, CandidateProcess
from heardback_scoring.adapters.models import open_exactly
from heardback_scoring.adapters.py3langid_guesser import Py3langidGuesser
from heardback_scoring.app.ports import CandidateFailed
from heardback_scoring.app.score_batch import score_batch
from heardback_scoring.app.understanding import understanding_of
from heardback_scoring.domain.registry import Registered

FEEDBACK = [
    survey("The invoice is wrong and nobody answers my mails."),
    transcript(("customer", "I want to cancel."), ("agent", "Sorry."), ("customer", "Thanks, great help!")),
]


def candidate_of() -> psutil.Process:
    found = [p for p in psutil.Process().children(recursive=True) if "spawn_main" in " ".join(p.cmdline())]
    [process] = found
    return process


@pytest.mark.timeout(300)  # it yields to whatever else runs on the machine
async def test_it_reads_as_the_model_does_at_a_low_priority(tmp_path: Path) -> None:
    manifest = str(second_model(tmp_path))
    opened = open_exactly(manifest, None, threads=1)
    model = Registered(model=manifest, ref=opened.reader.scorer.model)
    by = understanding_of(POLICIES, Py3langidGuesser(), opened.reader, opened.fallback)
    candidate = await CandidateProcess.open(CandidateJob(model, manifest, POLICIES))
    try:
        assert candidate.model == model.ref
        assert candidate_of().nice() == min(psutil.Process().nice() + NICE, 19)
        for _ in range(2):
            assert await candidate.score(FEEDBACK) == await score_batch(FEEDBACK, by)
    finally:
        await candidate.close()
        await opened.reader.close()


async def test_a_model_that_is_not_the_one_decided_on_is_refused(tmp_path: Path) -> None:
    manifest = str(second_model(tmp_path))
    with pytest.raises(CandidateFailed, match="was decided on"):
        await CandidateProcess.open(CandidateJob(registered(manifest, "0"), manifest, POLICIES))


async def test_what_it_fails_on_is_told_without_the_text() -> None:
    candidate = await CandidateProcess.open(CandidateJob(registered("lexicon", "0"), "lexicon", POLICIES))
    nonsense: Any = ["my secret"]
    with pytest.raises(CandidateFailed, match=r"^it failed \(AttributeError\)$"):
        await candidate.score(nonsense)
    assert len(await candidate.score(FEEDBACK)) == len(FEEDBACK)
    await candidate.close()


async def test_killed_it_fails_at_once_and_closes() -> None:
    candidate = await CandidateProcess.open(CandidateJob(registered("lexicon", "0"), "lexicon", POLICIES))
    os.kill(candidate_of().pid, signal.SIGKILL)
    with pytest.raises(CandidateFailed, match="ended"):
        await asyncio.wait_for(candidate.score(FEEDBACK), 90)
    await candidate.close()


async def test_closed_while_it_reads_the_reading_fails() -> None:
    candidate = await CandidateProcess.open(CandidateJob(registered("lexicon", "0"), "lexicon", POLICIES))
    os.kill(candidate_of().pid, signal.SIGSTOP)
    reading = asyncio.create_task(candidate.score(FEEDBACK))
    await asyncio.sleep(0)
    await asyncio.wait_for(candidate.close(), 90)
    with pytest.raises(CandidateFailed, match="ended"):
        await reading
