"""Gathers single posts that arrive together into one batch, so that a hundred cost little more than one."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from heardback_ingest.app.accept import Result, Submitted

AcceptBatch = Callable[[str, Sequence[Submitted]], Awaitable[list[Result]]]
"""(tenant, submissions) → one result each, in order."""


class OverloadedError(Exception):
    """Too many posts wait already; come back after `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many posts are waiting; come back in {retry_after} s")
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class GatherPolicy:
    wait_seconds: float = 0.003
    rows: int = 200
    waiting: int = 4_000
    batches: int = 4


_Waiter = tuple[Submitted, "asyncio.Future[Result]"]


class Gatherer:
    """A batch goes when it is full or its first post has waited long enough; at most `batches` at a time.

    Every post gets its result or an exception, whatever happens to its batch.
    """

    def __init__(self, accept: AcceptBatch, policy: GatherPolicy = GatherPolicy()) -> None:
        self._accept = accept
        self._policy = policy
        self._queues: dict[str, deque[_Waiter]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._ready: dict[str, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting = 0

    async def submit(self, tenant_id: str, submitted: Submitted) -> Result:
        """Raises OverloadedError at once when too many wait; otherwise what the batch gave or raised."""
        if self._waiting >= self._policy.waiting:
            raise OverloadedError(retry_after=1)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        queue = self._queues.setdefault(tenant_id, deque())
        queue.append((submitted, future))
        self._waiting += 1
        try:
            if len(queue) >= self._policy.rows:
                self._due(tenant_id)
            elif tenant_id not in self._timers and tenant_id not in self._ready:
                self._timers[tenant_id] = loop.call_later(self._policy.wait_seconds, self._due, tenant_id)
            return await future
        finally:
            self._waiting -= 1

    def _due(self, tenant_id: str) -> None:
        timer = self._timers.pop(tenant_id, None)
        if timer is not None:
            timer.cancel()
        self._ready[tenant_id] = None
        self._start()

    def _start(self) -> None:
        """Takes the tenants that are ready in turn, while there is room for another batch."""
        while self._ready and len(self._tasks) < self._policy.batches:
            tenant_id = next(iter(self._ready))
            del self._ready[tenant_id]
            queue = self._queues[tenant_id]
            batch = [queue.popleft() for _ in range(min(len(queue), self._policy.rows))]
            if queue:
                self._ready[tenant_id] = None
            else:
                del self._queues[tenant_id]
            task = asyncio.create_task(self._run(tenant_id, batch), name="gather")
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._start()

    async def _run(self, tenant_id: str, batch: list[_Waiter]) -> None:
        failure: BaseException = RuntimeError("the batch ended without a result")
        try:
            wanted = [(s, f) for s, f in batch if not f.done()]
            if not wanted:
                return
            results = await self._accept(tenant_id, [s for s, _ in wanted])
            for (_, future), result in zip(wanted, results, strict=True):
                if not future.done():
                    future.set_result(result)
        except asyncio.CancelledError:
            failure = RuntimeError("the service stopped before the batch was written")
            raise
        except Exception as error:
            failure = error
        finally:
            for _, future in batch:
                if not future.done():
                    future.set_exception(failure)
