"""The embedded broker is emptied only when nobody needs what is in it, or all of it can be sent again."""

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heardback_local.broker import EmbeddedBroker
from heardback_local.broker_memory import LOOKS_OF_REST, BrokerMemoryGuard, Decision, Traffic, decide

LIMIT = 1000
COUNTS = st.integers(0, 5)


@pytest.mark.parametrize(
    ("memory", "traffic", "decision"),
    [
        (1000, Traffic(0, 0, 0), Decision.LEAVE),
        (1001, Traffic(0, 0, 0), Decision.RESTART),
        (1001, Traffic(1, 0, 0), Decision.WAIT),
        (1001, Traffic(0, 1, 0), Decision.WAIT),
        (2001, Traffic(7, 7, 0), Decision.RESTART_FULL),
        (2001, Traffic(0, 1, 1), Decision.WAIT),
    ],
)
def test_cases(memory: int, traffic: Traffic, decision: Decision) -> None:
    assert decide(memory, LIMIT, traffic) is decision


@given(st.integers(0, 10 * LIMIT), COUNTS, COUNTS, COUNTS)
def test_what_is_nowhere_else_is_never_forgotten(
    memory: int, flying: int, unread: int, submitted: int
) -> None:
    decision = decide(memory, LIMIT, Traffic(flying, unread + submitted, submitted))
    if submitted:
        assert decision in (Decision.LEAVE, Decision.WAIT)


class _FullBroker:
    """Full again at once, whatever is done about it."""

    memory_bytes = LIMIT + 1

    def __init__(self) -> None:
        self.restarts = 0

    async def restart_empty(self) -> None:
        self.restarts += 1


async def test_a_limit_that_is_too_low_does_not_keep_the_broker_restarting() -> None:
    broker = _FullBroker()

    async def idle() -> Traffic:
        return Traffic(0, 0, 0)

    guard = BrokerMemoryGuard(cast("EmbeddedBroker", broker), LIMIT, idle, lambda _: None)
    for _ in range(LOOKS_OF_REST):
        await guard.look()
    assert broker.restarts == 1
    await guard.look()
    assert broker.restarts == 2
