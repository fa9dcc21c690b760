"""Readiness: a service says it is ready only while everything it leans on answers."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

Check = Callable[[], Awaitable[str | None]]
"""None when well, otherwise what is wrong in plain words."""


@dataclass
class Readiness:
    checks: Mapping[str, Check] = field(default_factory=dict)
    draining: bool = False
    running: bool = False

    async def problems(self) -> dict[str, str]:
        if self.draining:
            return {"service": "draining"}
        if not self.running:
            return {"service": "starting"}
        found = {}
        for name, check in self.checks.items():
            problem = await check()
            if problem:
                found[name] = problem
        return found
