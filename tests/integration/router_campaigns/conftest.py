"""A router on a real database, and two people who use it."""

from collections.abc import AsyncIterator

import pytest
from tests.integration.router_campaigns.stage import Stage
from tests.support.router_http import RouterApp, router_app

from heardback_shared.db.database import Database


@pytest.fixture
async def app(database: Database) -> AsyncIterator[RouterApp]:
    async with router_app(database) as opened:
        yield opened


@pytest.fixture
async def stage(app: RouterApp) -> Stage:
    ana, bo = await app.caller(name="ana"), await app.caller(name="bo")
    return Stage(app.core, app.clock, app.database, ana, bo)
