"""Waiting until an HTTP service says that it is ready."""

import asyncio
from collections.abc import Callable

import httpx

from heardback_local.failures import MendableError


class NotReadyError(MendableError):
    """A part did not come up in time. The message holds what it said last."""


async def wait_until_ready(
    client: httpx.AsyncClient, url: str, *, within_seconds: float, gave_up: Callable[[], str | None]
) -> None:
    """Returns once `url`/readyz answers 200. `gave_up` may end the wait early with a reason.

    Raises NotReadyError.
    """
    last = "no answer"
    try:
        async with asyncio.timeout(within_seconds):
            while True:
                if reason := gave_up():
                    raise NotReadyError(reason)
                try:
                    answer = await client.get(f"{url}/readyz")
                    if answer.status_code == httpx.codes.OK:
                        return
                    last = f"{answer.status_code} {answer.text[:500]}"
                except httpx.HTTPError as error:
                    last = str(error) or type(error).__name__
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise NotReadyError(f"{url} was not ready within {within_seconds:g} s: {last}") from None
