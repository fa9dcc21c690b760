"""The HTTP side of a station, as a person with a key and as a tenant's system without one see it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from tests.support.outreach import KEYRING, Station

from heardback_shared.access.store import ApiKeys
from heardback_shared.health import Readiness
from heardback_shared.http.app import create_app, serve_routes


@dataclass
class Desk:
    client: httpx.AsyncClient
    token: str

    async def get(self, path: str, **params: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return await self.client.get(path, params=params, headers=headers)

    async def message(self, message_id: str) -> dict[str, Any]:
        answer = await self.get(f"/v1/messages/{message_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@asynccontextmanager
async def desk_at(
    station: Station, tenant: str = "default", scopes: tuple[str, ...] = ("items:read",)
) -> AsyncIterator[Desk]:
    app = create_app("test", "test", metrics=station.metrics, readiness=Readiness(), max_body_bytes=1_000)
    serve_routes(app, station.messages.routes())
    _, token = await ApiKeys(station.database, KEYRING, station.clock).create(tenant, "ann", scopes)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://router") as client:
        yield Desk(client, token)
