"""InferenceThread: every waiter gets a result or an exception, whatever fails and whenever it closes."""

import asyncio
import threading
from collections.abc import Iterator, Sequence

import pytest

from heardback_scoring.inference.ports import TextReading
from heardback_scoring.inference.thread import (
    InferenceBusy,
    InferenceClosed,
    InferenceThread,
    TextsRefused,
    read_apart,
)
from heardback_shared.contracts.score import ModelRef


class LengthScorer:
    """Reads a text as its length; fails on texts that hold "poison"; waits at the gate when it is shut."""

    degraded = False
    model = ModelRef(name="length", revision="1", sha256="0" * 64)

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.started = threading.Event()
        self.batches: list[list[str]] = []
        self.threads: set[str] = set()
        self.closed = 0
        self.short_by = 0

    def lengths(self, texts: Sequence[str]) -> list[int]:
        return [len(text) for text in texts]

    def read(self, texts: Sequence[str]) -> list[TextReading]:
        self.started.set()
        assert self.gate.wait(timeout=10)
        self.threads.add(threading.current_thread().name)
        self.batches.append(list(texts))
        if any("poison" in text for text in texts):
            raise ValueError("cannot read this")
        return [TextReading(float(len(text)), 0.0, 0.0, None) for text in texts][self.short_by :]

    def warm_up(self) -> None: ...

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def scorer() -> Iterator[LengthScorer]:
    made = LengthScorer()
    yield made
    made.gate.set()


async def started(scorer: LengthScorer) -> None:
    assert await asyncio.to_thread(scorer.started.wait, 10)


async def test_readings_come_back_in_the_order_of_the_texts(scorer: LengthScorer) -> None:
    thread = InferenceThread(scorer, texts_per_turn=4)
    texts = ["x" * length for length in (5, 1, 9, 3, 7, 2, 8, 8, 1)]
    assert [reading.negative for reading in await thread.read(texts)] == [len(text) for text in texts]
    assert len(scorer.batches) == 3
    assert len(scorer.threads) == 1
    await thread.close()


async def test_no_texts_need_no_model(scorer: LengthScorer) -> None:
    thread = InferenceThread(scorer)
    assert await thread.read([]) == []
    assert scorer.batches == []
    await thread.close()


async def test_many_callers_at_once_each_get_their_own(scorer: LengthScorer) -> None:
    thread = InferenceThread(scorer, texts_per_turn=8)
    questions = [["a" * (n + 1), "b" * (n + 2)] for n in range(20)]
    answers = await asyncio.gather(*(thread.read(texts) for texts in questions))
    assert [[r.negative for r in answer] for answer in answers] == [[len(t) for t in q] for q in questions]
    assert len(scorer.batches) < len(questions)
    await thread.close()


async def test_a_large_batch_does_not_hold_up_a_single_question(scorer: LengthScorer) -> None:
    thread = InferenceThread(scorer, texts_per_turn=4)
    scorer.gate.clear()
    large = asyncio.create_task(thread.read(["long text"] * 40))
    await started(scorer)
    single = asyncio.create_task(thread.read(["now?"]))
    await asyncio.sleep(0)
    scorer.gate.set()
    await single
    assert "now?" in scorer.batches[1]
    assert len(await large) == 40
    await thread.close()


async def test_a_text_that_cannot_be_read_does_not_take_the_others_with_it(scorer: LengthScorer) -> None:
    thread = InferenceThread(scorer)
    with pytest.raises(TextsRefused) as refused:
        await thread.read(["one", "poison", "three", "four"])
    assert list(refused.value.failures) == [1]
    assert isinstance(refused.value.failures[1], ValueError)
    assert [r and r.negative for r in refused.value.readings] == [3, None, 5, 4]
    await thread.close()


async def test_another_callers_poison_is_not_mine(scorer: LengthScorer) -> None:
    thread = InferenceThread(scorer)
    mine, theirs = await asyncio.gather(
        thread.read(["mine"]), thread.read(["poison"]), return_exceptions=True
    )
    assert isinstance(mine, list)
    assert isinstance(theirs, TextsRefused)
    await thread.close()


async def test_a_scorer_that_gives_too_few_readings_is_an_error_not_a_mix_up(scorer: LengthScorer) -> None:
    scorer.short_by = 1
    thread = InferenceThread(scorer)
    with pytest.raises(TextsRefused):
        await thread.read(["a", "b"])
    await thread.close()


async def test_too_many_waiting_texts_are_refused(scorer: LengthScorer) -> None:
    thread = InferenceThread(scorer, texts_per_turn=1, max_waiting_texts=3)
    scorer.gate.clear()
    waiting = asyncio.create_task(thread.read(["a", "b", "c"]))
    await started(scorer)
    with pytest.raises(InferenceBusy):
        await thread.read(["d", "e"])
    scorer.gate.set()
    assert len(await waiting) == 3
    assert thread.waiting_texts == 0
    assert len(await thread.read(["d", "e"])) == 2
    await thread.close()


async def test_a_cancelled_caller_leaves_nothing_behind(scorer: LengthScorer) -> None:
    thread = InferenceThread(scorer, texts_per_turn=1)
    scorer.gate.clear()
    cancelled = asyncio.create_task(thread.read(["text 1", "text 2", "text 3"]))
    await started(scorer)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert thread.waiting_texts == 0
    scorer.gate.set()
    assert len(await thread.read(["next"])) == 1
    assert scorer.batches == [["text 1"], ["next"]]
    await thread.close()


async def test_closing_ends_every_wait_and_frees_the_model_once(scorer: LengthScorer) -> None:
    thread = InferenceThread(scorer, texts_per_turn=1)
    scorer.gate.clear()
    waiting = [asyncio.create_task(thread.read([f"text {n}", "more"])) for n in range(3)]
    await started(scorer)
    closing = asyncio.create_task(thread.close())
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(result, InferenceClosed) for result in results)
    scorer.gate.set()
    await closing
    await thread.close()
    assert scorer.closed == 1
    assert len(scorer.batches) == 1
    with pytest.raises(InferenceClosed):
        await thread.read(["late"])


def test_reading_apart_finds_each_text_that_fails_by_itself(scorer: LengthScorer) -> None:
    texts = [f"text {n}" for n in range(16)]
    texts[3] = texts[11] = "poison"
    outcomes = read_apart(scorer, texts)
    assert [n for n, outcome in enumerate(outcomes) if isinstance(outcome, Exception)] == [3, 11]


async def test_every_turn_is_told_with_its_texts(scorer: LengthScorer) -> None:
    turns: list[int] = []
    thread = InferenceThread(scorer, texts_per_turn=4, on_turn=lambda texts, _: turns.append(texts))
    await thread.read([f"text {n}" for n in range(10)])
    await thread.close()
    assert turns == [4, 4, 2]
