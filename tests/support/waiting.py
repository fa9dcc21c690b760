"""Waiting for what other processes do: a condition and a deadline, never a fixed sleep."""

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], bool], seconds: float = 30, every: float = 0.05) -> None:
    """Returns once the condition holds; raises TimeoutError when it does not hold in time."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(every)
