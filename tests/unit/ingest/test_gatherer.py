"""Single posts become batches; nobody waits for ever, whatever happens to a batch."""

import asyncio
from collections.abc import Sequence

import pytest
from tests.support.feedback import survey

from heardback_ingest.app.accept import Result, Submitted
from heardback_ingest.app.gather import Gatherer, GatherPolicy, OverloadedError
from heardback_shared.contracts.feedback import SurveyIn


def submitted(number: int) -> Submitted:
    return Submitted(SurveyIn.model_validate(survey(number)))


class Recorder:
    """Accepts at once, or when told to."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, list[str]]] = []
        self.go = asyncio.Event()
        self.go.set()
        self.failure: BaseException | None = None

    async def __call__(self, tenant_id: str, batch: Sequence[Submitted]) -> list[Result]:
        names = [s.submission.external_id for s in batch]
        self.batches.append((tenant_id, names))
        await self.go.wait()
        if self.failure:
            raise self.failure
        return [Result("accepted", name) for name in names]


async def test_posts_that_come_together_go_together_by_tenant() -> None:
    recorder = Recorder()
    gatherer = Gatherer(recorder, GatherPolicy(wait_seconds=0.001))
    results = await asyncio.gather(*(gatherer.submit("a" if n % 2 else "b", submitted(n)) for n in range(6)))
    assert [r.id for r in results] == [f"r-{n}" for n in range(6)]
    assert sorted(recorder.batches) == [("a", ["r-1", "r-3", "r-5"]), ("b", ["r-0", "r-2", "r-4"])]


async def test_a_full_batch_does_not_wait() -> None:
    recorder = Recorder()
    gatherer = Gatherer(recorder, GatherPolicy(wait_seconds=3_600, rows=2))
    async with asyncio.timeout(5):
        await asyncio.gather(*(gatherer.submit("a", submitted(n)) for n in range(4)))
    assert [len(names) for _, names in recorder.batches] == [2, 2]


async def test_a_failure_reaches_every_waiter() -> None:
    recorder = Recorder()
    recorder.failure = OSError("the database is away")
    gatherer = Gatherer(recorder, GatherPolicy(wait_seconds=0))
    waiting = [asyncio.ensure_future(gatherer.submit("a", submitted(n))) for n in range(3)]
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(f) for f in found] == [OSError] * 3


async def test_too_few_results_are_an_error_for_whoever_got_none() -> None:
    async def short(tenant_id: str, batch: Sequence[Submitted]) -> list[Result]:
        return [Result("accepted", "one")]

    gatherer = Gatherer(short, GatherPolicy(wait_seconds=0))
    found = await asyncio.gather(
        *(gatherer.submit("a", submitted(n)) for n in range(2)), return_exceptions=True
    )
    assert found[0] == Result("accepted", "one")
    assert isinstance(found[1], ValueError)


async def test_too_many_waiting_are_turned_away_and_room_comes_back() -> None:
    recorder = Recorder()
    recorder.go.clear()
    gatherer = Gatherer(recorder, GatherPolicy(wait_seconds=0, rows=1, waiting=2, batches=1))
    waiting = [asyncio.ensure_future(gatherer.submit("a", submitted(n))) for n in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(OverloadedError) as turned_away:
        await gatherer.submit("a", submitted(3))
    assert turned_away.value.retry_after == 1
    recorder.go.set()
    await asyncio.gather(*waiting)
    assert (await gatherer.submit("a", submitted(4))).id == "r-4"


async def test_no_more_batches_at_once_than_allowed_and_tenants_take_turns() -> None:
    recorder = Recorder()
    recorder.go.clear()
    gatherer = Gatherer(recorder, GatherPolicy(wait_seconds=0, rows=2, batches=1))
    waiting = [asyncio.ensure_future(gatherer.submit("a", submitted(n))) for n in range(6)]
    waiting.append(asyncio.ensure_future(gatherer.submit("b", submitted(9))))
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(recorder.batches) == 1
    recorder.go.set()
    await asyncio.gather(*waiting)
    assert [tenant for tenant, _ in recorder.batches][:3] == ["a", "a", "b"] or [
        tenant for tenant, _ in recorder.batches
    ][:3] == ["a", "b", "a"]


async def test_a_waiter_that_leaves_does_not_disturb_the_others() -> None:
    recorder = Recorder()
    gatherer = Gatherer(recorder, GatherPolicy(wait_seconds=0.001))
    leaver = asyncio.ensure_future(gatherer.submit("a", submitted(1)))
    stayer = asyncio.ensure_future(gatherer.submit("a", submitted(2)))
    await asyncio.sleep(0)
    leaver.cancel()
    assert (await stayer).id == "r-2"
    assert recorder.batches == [("a", ["r-2"])]
