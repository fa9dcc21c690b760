"""What many ask for at once is done at once, each is answered, and one that cannot be done harms no other."""

import asyncio
from collections.abc import Sequence

import pytest

from heardback_router.deliveries.together import AT_ONCE, Together

CULPRIT = -1


class Work:
    """Doubles numbers; fails where `CULPRIT` is among them."""

    def __init__(self) -> None:
        self.rounds: list[tuple[str, list[int]]] = []
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def __call__(self, tenant_id: str, asked: Sequence[int]) -> Sequence[int]:
        self.rounds.append((tenant_id, list(asked)))
        await self.go_on.wait()
        if CULPRIT in asked:
            raise ValueError("it cannot be done")
        return [2 * one for one in asked]


async def test_what_is_asked_during_a_round_goes_into_the_next() -> None:
    work = Work()
    work.go_on.clear()
    together = Together(work)
    first = asyncio.create_task(together.ask("acme", 1))
    while not work.rounds:
        await asyncio.sleep(0)
    rest = [asyncio.create_task(together.ask("acme", number)) for number in range(2, AT_ONCE + 5)]
    await asyncio.sleep(0)
    work.go_on.set()
    assert await asyncio.gather(first, *rest) == [2 * number for number in range(1, AT_ONCE + 5)]
    assert [len(asked) for _, asked in work.rounds] == [1, AT_ONCE, 3]


async def test_tenants_are_never_in_one_round() -> None:
    work = Work()
    together = Together(work)
    await asyncio.gather(*(together.ask(tenant, n) for n in range(3) for tenant in ("acme", "other")))
    assert sorted(work.rounds) == [("acme", [0, 1, 2]), ("other", [0, 1, 2])]


async def test_of_a_round_that_fails_only_the_culprit_is_told_so() -> None:
    work = Work()
    together = Together(work)
    answers = await asyncio.gather(
        *(together.ask("acme", n) for n in (1, CULPRIT, 3)), return_exceptions=True
    )
    assert (answers[0], answers[2]) == (2, 6)
    assert isinstance(answers[1], ValueError)
    assert [asked for _, asked in work.rounds] == [[1, CULPRIT, 3], [1], [CULPRIT], [3]]


async def test_who_stops_waiting_does_not_stop_the_work() -> None:
    work = Work()
    work.go_on.clear()
    together = Together(work)
    gone, stays = (asyncio.create_task(together.ask("acme", number)) for number in (1, 2))
    while not work.rounds:
        await asyncio.sleep(0)
    gone.cancel()
    work.go_on.set()
    assert await stays == 4
    with pytest.raises(asyncio.CancelledError):
        await gone
    await together.finish()
    assert work.rounds == [("acme", [1, 2])]


class EndsError(BaseException):
    """The process is to end."""


async def test_nobody_waits_for_a_round_that_ended_with_its_process() -> None:
    async def work(_: str, asked: Sequence[int]) -> Sequence[int]:
        raise EndsError

    together = Together(work)
    answers = await asyncio.gather(*(together.ask("acme", n) for n in range(3)), return_exceptions=True)
    assert [type(one) for one in answers] == [EndsError] * 3
    await together.finish()
