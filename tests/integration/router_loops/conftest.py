"""A house per test: real database, real receiver, a clock that stands at the present until moved."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from tests.integration.router_loops.house import HURRIED, House, build_house, living_in
from tests.integration.router_loops.receiver import Receiver

from heardback_shared.db.database import Database


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    started = Receiver()
    await started.start()
    yield started
    await started.stop()


@pytest.fixture
async def house(database: Database, receiver: Receiver) -> AsyncIterator[House]:
    built = build_house(database, receiver, datetime.now(UTC).replace(microsecond=0))
    async with living_in(built):
        yield built


@pytest.fixture
async def hurried(database: Database, receiver: Receiver) -> AsyncIterator[House]:
    built = build_house(database, receiver, datetime.now(UTC).replace(microsecond=0), HURRIED)
    async with living_in(built):
        yield built
