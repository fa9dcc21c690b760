"""How a worker rests: until it is woken, told to stop, or due for its next look."""

import asyncio


class Bell:
    def __init__(self, seconds: float) -> None:
        """`seconds` is how long it rests at most."""
        self._seconds = seconds
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def rest(self, stop: asyncio.Event) -> None:
        waiters = {asyncio.ensure_future(stop.wait()), asyncio.ensure_future(self._rung.wait())}
        try:
            await asyncio.wait(waiters, timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._rung.clear()
            for waiter in waiters:
                waiter.cancel()
