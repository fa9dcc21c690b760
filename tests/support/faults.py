"""Kills a process at a chosen step: the call fails once in a way that nothing in the code catches."""

from collections.abc import Callable
from typing import Any, Literal

import pytest

When = Literal["before", "after"]


class Killed(BaseException):
    """As if the process were gone: no handler for errors sees it."""


def kill_at(patch: pytest.MonkeyPatch, owner: type, method: str, when: When) -> Callable[[], bool]:
    """The next call of the method dies before or after its effect; what is returned says whether it has."""
    real = getattr(owner, method)
    died: list[bool] = []

    async def dying(self: Any, *args: Any, **more: Any) -> Any:
        if died:
            return await real(self, *args, **more)
        if when == "after":
            await real(self, *args, **more)
        died.append(True)
        raise Killed(f"{owner.__name__}.{method}")

    patch.setattr(owner, method, dying)
    return lambda: bool(died)
