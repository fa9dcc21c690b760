"""Readiness: a service says it is ready only while everything it leans on answers."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

Check = Callable[[], Awaitable[str | None]]
"""None when well, otherwise what is wrong in plain words."""


@dataclass
class Readiness:
    checks: Mapping[str, Check] = field(default_factory=dict)
    notes: Mapping[str, Check] = field(default_factory=dict)
    """What a person should know although the service does its work."""
    draining: bool = False
    running: bool = False

    async def problems(self) -> dict[str, str]:
        if self.draining:
            return {"service": "draining"}
        if not self.running:
            return {"service": "starting"}
        return await _told(self.checks)

    async def remarks(self) -> dict[str, str]:
        """What is not as it should be, but does not stop the service."""
        return await _told(self.notes)


async def _told(checks: Mapping[str, Check]) -> dict[str, str]:
    return {name: told for name, check in checks.items() if (told := await check())}
