"""One run of one clock: how much of its target is used, and when it ran out. Microseconds throughout."""

from dataclasses import dataclass, field
from typing import Literal

from heardback_router.sla.domain import ClockKind, SlaPolicy, Target, TargetRule
from heardback_router.sla.working import MICROSECOND, WorkingTime


@dataclass(frozen=True, slots=True)
class Aim:
    """A target as it holds for one item now: the rule and the policy it comes from, and its working time."""

    policy: str
    rule: TargetRule
    target: Target
    time: WorkingTime
    within: int
    zone: str | None
    """The customer's time zone."""
    warn_at: tuple[int, ...]

    @classmethod
    def of(
        cls, policy: SlaPolicy, rule: TargetRule, target: Target, time: WorkingTime, zone: str | None
    ) -> "Aim":
        return cls(policy.name, rule, target, time, target.within // MICROSECOND, zone, policy.warn_at)


@dataclass(slots=True)
class Run:
    """Counts while it is neither held nor ended and has an aim. `looked` is up to when `used` is known."""

    kind: ClockKind
    number: int
    started: int
    looked: int
    aim: Aim | None = None
    used: int = 0
    held: bool = False
    ended: int | None = None
    how: Literal["met", "stopped"] | None = None
    due: int | None = None
    """When it ran out, or would have when it ended."""
    last: Aim | None = None
    """What it aimed at last, if it ever had an aim."""
    breached: bool = False
    warned: list[int] = field(default_factory=list)
    told: bool = False
    """A `clock_breached` entry says that it ran out."""

    @property
    def counts(self) -> bool:
        return self.ended is None and not self.held and self.aim is not None

    def advance(self, at: int) -> None:
        """Counts what was worked until then. It runs out if its time is up before that instant."""
        # The clocks of two processes differ a little; what was counted once is not counted again.
        if at <= self.looked:
            return
        aim = self.aim
        if self.counts and aim is not None:
            used = self.used + aim.time.worked(self.looked, at)
            if not self.breached and used >= aim.within:
                due = self.due_from(self.looked)
                if due is not None and due < at:
                    self.due, self.breached = due, True
            self.used = used
        self.looked = at

    def due_from(self, at: int) -> int | None:
        """When it runs out if it counts on from then; None without an aim."""
        return self.aim.time.reached(at, self.aim.within - self.used) if self.aim else None

    def _sooner(self, one: Aim, other: Aim) -> bool:
        ends = [aim.time.reached(self.looked, aim.within - self.used) for aim in (one, other)]
        return ends[0] < ends[1]

    def reaches(self, percent: int) -> int | None:
        """When so much of its target is used if it counts on from when it was last looked at."""
        if self.aim is None:
            return None
        wanted = -(-self.aim.within * percent // 100)
        return self.aim.time.reached(self.looked, wanted - self.used)

    def end(self, at: int, how: Literal["met", "stopped"]) -> None:
        if self.ended is not None:
            return
        self.advance(at)
        if not self.breached:
            self.due = self.due_from(self.looked) if how == "met" and not self.held else None
        self.ended, self.how = self.looked, how

    def go_on(self, at: int) -> None:
        """Ended after all not; what passed since is not counted."""
        if not self.breached:
            self.due = None
        self.ended = self.how = None
        self.looked = max(self.looked, at)

    def take(self, aim: Aim | None, *, may_loosen: bool) -> None:
        """Aims so from now on; what is used stays used, and what ran out stays so. Without leave a later end
        is not taken."""
        if self.breached or self.ended is not None:
            return
        if not may_loosen and (aim is None or (self.aim is not None and not self._sooner(aim, self.aim))):
            return
        self.aim = aim
        self.last = aim or self.last
