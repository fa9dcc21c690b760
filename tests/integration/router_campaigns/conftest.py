"""A router on a real database, and two people who use it."""

from collections.abc import AsyncIterator

import pytest
from tests.integration.router_campaigns.stage import Stage
from tests.support.router_http import router_app

from heardback_shared.db.database import Database


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with router_app(database) as app:
        yield Stage(app, database, await app.caller(name="ana"), await app.caller(name="bo"))
