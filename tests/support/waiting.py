"""Waiting for what other processes do: a condition and a deadline, never a fixed sleep."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx


async def until(condition: Callable[[], bool], seconds: float = 90, every: float = 0.05) -> None:
    """Returns once the condition holds; raises TimeoutError when it does not hold in time."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(every)


async def until_async(
    condition: Callable[[], Awaitable[bool]], seconds: float = 90, every: float = 0.2
) -> None:
    """As `until`, for a condition that has to ask someone; one that cannot answer yet counts as no."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                if await condition():
                    return
            except (OSError, httpx.HTTPError, KeyError):
                pass
            await asyncio.sleep(every)
