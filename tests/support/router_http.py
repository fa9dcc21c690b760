"""The router's HTTP app on a real database, without a socket, called with real keys."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from heardback_router.deliveries.settings import WebhookSettings
from heardback_router.loops.settings import LoopSettings
from heardback_router.main import Core, Settings
from heardback_router.settings import RouterSettings
from heardback_shared.access.store import ApiKeys
from heardback_shared.db.database import Database
from heardback_shared.health import Readiness
from heardback_shared.keyring import Keyring
from heardback_shared.metrics import Metrics
from heardback_shared.settings import ServiceSettings
from tests.support.clock import FakeClock
from tests.support.router import Router


class Caller:
    """One API key. Answers come back as they are; `act` sends the item's ETag along."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self._client.get(path, params=params, headers=self._headers)

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._client.post(path, json=body, headers={**self._headers, **sent})

    async def put(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._client.put(path, json=body, headers={**self._headers, **sent})

    async def delete(self, path: str, params: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._client.delete(path, params=params, headers={**self._headers, **sent})

    async def act(self, item_id: str, command: str, body: Any = None) -> httpx.Response:
        tag = (await self.get(f"/v1/items/{item_id}")).headers["ETag"]
        return await self.post(f"/v1/items/{item_id}:{command}", body or {}, If_Match=tag)


class RouterApp:
    """`policies` is a folder of policy files that take the place of the packaged ones."""

    def __init__(
        self,
        database: Database,
        scoring_url: str | None = None,
        policies: Path | None = None,
        ingest_url: str | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.database = database
        service = ServiceSettings(secret_key=base64.b64encode(b"k" * 32).decode())
        metrics = Metrics()
        router = RouterSettings(scoring_url=scoring_url, policies=policies, ingest_url=ingest_url)
        settings = Settings(service, router, LoopSettings(), WebhookSettings())
        self.core = Core(database, self.clock, metrics, Readiness(), settings)
        self.router = Router(database, self.clock, metrics, self.core.route)
        self._keys = ApiKeys(database, Keyring(service.master_key), self.clock)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.core.http), base_url="http://router"
        )

    async def key(self, tenant: str, *scopes: str, name: str) -> str:
        return (await self._keys.create(tenant, name, scopes))[1]

    async def caller(self, tenant: str = "default", *scopes: str, name: str = "ana") -> Caller:
        return Caller(
            self.client, await self.key(tenant, *(scopes or ("items:read", "items:write")), name=name)
        )


@asynccontextmanager
async def router_app(
    database: Database,
    scoring_url: str | None = None,
    policies: Path | None = None,
    ingest_url: str | None = None,
) -> AsyncIterator[RouterApp]:
    app = RouterApp(database, scoring_url, policies, ingest_url)
    async with app.client:
        yield app
