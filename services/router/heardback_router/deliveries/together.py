"""Doing at once what many ask for one at a time: one transaction for all of them instead of one for each."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

AT_ONCE = 64


class Together(Generic[Asked, Answer]):
    """`work` is given a tenant and what was asked of it, in the order it was asked, and answers each.

    A round begins a moment (`linger_seconds`) after the first asked; what is asked while work is under way
    goes into the next.
    When a round of several fails, each is done by itself, and only whose own round fails is told so.
    """

    def __init__(
        self, work: Callable[[str, Sequence[Asked]], Awaitable[Sequence[Answer]]], linger_seconds: float = 0.0
    ) -> None:
        self._work = work
        self._linger = linger_seconds
        self._waiting: dict[str, list[tuple[Asked, asyncio.Future[Answer]]]] = defaultdict(list)
        self._rounds: dict[str, asyncio.Task[None]] = {}

    async def ask(self, tenant_id: str, asked: Asked) -> Answer:
        """Who stops waiting does not stop the work."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[tenant_id].append((asked, answer))
        if tenant_id not in self._rounds:
            self._rounds[tenant_id] = asyncio.create_task(self._go_round(tenant_id), name="together")
        return await answer

    async def finish(self) -> None:
        """Returns when nothing is under way any more."""
        while self._rounds:
            await asyncio.wait(self._rounds.values())

    async def _go_round(self, tenant_id: str) -> None:
        try:
            await asyncio.sleep(self._linger)  # who is ready by then comes along
            while waiting := self._waiting[tenant_id]:
                self._waiting[tenant_id] = waiting[AT_ONCE:]
                await self._do(tenant_id, waiting[:AT_ONCE])
        finally:
            del self._rounds[tenant_id]
            for _, answer in self._waiting.pop(tenant_id, ()):
                answer.cancel()

    async def _do(self, tenant_id: str, some: Sequence[tuple[Asked, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._work(tenant_id, [asked for asked, _ in some])
        except Exception as error:
            if len(some) > 1:
                for one in some:
                    await self._do(tenant_id, [one])
            else:
                _tell(some, error)
            return
        except BaseException as error:  # the process is to end: nobody may wait for what never comes
            _tell(some, error)
            raise
        for (_, future), answer in zip(some, answers, strict=True):
            if not future.done():
                future.set_result(answer)


def _tell(some: Sequence[tuple[Any, asyncio.Future[Any]]], error: BaseException) -> None:
    for _, answer in some:
        if not answer.done():
            answer.set_exception(error)
