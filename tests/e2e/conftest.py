"""The whole stack as processes, on free ports and a throw-away folder."""

import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from heardback_local.stack import LocalStack

QUICK = {
    "HEARDBACK_INGEST_REDRIVE_AFTER_SECONDS": "3",
    "HEARDBACK_KAFKA_SESSION_TIMEOUT_MS": "6000",
    "HEARDBACK_DRAIN_SECONDS": "10",
}


@dataclass
class Running:
    stack: LocalStack
    ingest: httpx.AsyncClient
    router: httpx.AsyncClient

    async def ledger(self) -> dict[str, int]:
        answer = await self.ingest.get("/v1/ledger")
        answer.raise_for_status()
        return dict(answer.json())


StackFactory = Callable[..., AbstractAsyncContextManager[Running]]


@asynccontextmanager
async def running(environment: Mapping[str, str] | None = None) -> AsyncIterator[Running]:
    with tempfile.TemporaryDirectory(prefix="hb-e2e-") as folder:
        Path(folder).chmod(0o755)
        settings = {**QUICK, **(environment or {})}
        async with LocalStack(Path(folder) / "data", environment=settings, durable=False) as stack:
            headers = {"Authorization": f"Bearer {stack.admin_key}"}
            async with (
                httpx.AsyncClient(base_url=stack.ingest_url, headers=headers, timeout=30) as ingest,
                httpx.AsyncClient(base_url=stack.router_url, headers=headers, timeout=30) as router,
            ):
                yield Running(stack, ingest, router)


@pytest.fixture
def start_stack() -> StackFactory:
    return running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/e2e/" in str(item.path):
            item.add_marker(pytest.mark.e2e)
