"""A mail server per test."""

from collections.abc import AsyncIterator

import pytest
from tests.support.mailbox import Mailbox


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with Mailbox() as box:
        yield box
