"""When the embedded broker may be restarted empty: it never frees a record by itself."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from heardback_local.broker import EmbeddedBroker
from heardback_local.child import Say

LOOKS_OF_REST = 60
"""After a restart, so that a limit which is too low does not keep the broker restarting."""


class Decision(Enum):
    LEAVE = "leave"
    RESTART = "restart"
    RESTART_FULL = "restart although in flight"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the broker still holds that somebody needs."""

    in_flight: int
    """Accepted and not settled. The ledger sends them again if they are forgotten."""
    unread: int
    """Records some group has not committed, of any topic."""
    unread_submitted: int
    """Those handed in over Kafka and not read yet. These are nowhere else."""


def decide(memory_bytes: int, limit_bytes: int, traffic: Traffic) -> Decision:
    """Below the limit nothing happens. Above it the broker restarts once nobody needs what is in it;
    above twice the limit, as soon as all that is in it could be sent again."""
    if memory_bytes <= limit_bytes:
        return Decision.LEAVE
    if traffic.in_flight == 0 and traffic.unread == 0:
        return Decision.RESTART
    if memory_bytes > 2 * limit_bytes and traffic.unread_submitted == 0:
        return Decision.RESTART_FULL
    return Decision.WAIT


class BrokerMemoryGuard:
    """Looks now and then, and acts on the decision. `measure` tells the traffic of this moment."""

    def __init__(
        self, broker: EmbeddedBroker, limit_bytes: int, measure: Callable[[], Awaitable[Traffic]], say: Say
    ) -> None:
        self._broker = broker
        self._limit = limit_bytes
        self._measure = measure
        self._rest = 0
        self._say = say

    async def look(self) -> Decision:
        memory = self._broker.memory_bytes
        self._rest -= 1
        if memory <= self._limit or self._rest > 0:
            return Decision.LEAVE
        decision = decide(memory, self._limit, await self._measure())
        if decision in (Decision.RESTART, Decision.RESTART_FULL):
            self._say(f"the broker holds {memory // 2**20} MB; restarting it empty")
            await self._broker.restart_empty()
            self._rest = LOOKS_OF_REST
        return decision
