"""Named comparisons of what must be with what is. The demo succeeds only if every one holds."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    expected: Any
    found: Any

    @property
    def ok(self) -> bool:
        return bool(self.expected == self.found)


@dataclass
class Checks:
    done: list[Check] = field(default_factory=list)

    def equal(self, name: str, expected: Any, found: Any) -> None:
        self.done.append(Check(name, expected, found))

    def true(self, name: str, found: bool) -> None:
        self.done.append(Check(name, True, found))

    @property
    def ok(self) -> bool:
        return bool(self.done) and all(check.ok for check in self.done)
