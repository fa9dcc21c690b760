"""Waiting for something that happens on its own time, with an end to the patience."""

import asyncio
from collections.abc import Callable


async def eventually(holds: Callable[[], bool], within_seconds: float = 20) -> None:
    async with asyncio.timeout(within_seconds):
        while True:
            if holds():
                return
            await asyncio.sleep(0.02)
