"""The customer's side of a webhook: a small HTTP server that checks signatures and remembers what came."""

import asyncio
import contextlib
import json
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from standardwebhooks import Webhook, WebhookVerificationError

from heardback_local.addresses import HOST

PATH = "/heardback"


@dataclass(frozen=True, slots=True)
class Received:
    """One POST as it came. `data` is the payload's; what is in it is for the story to read."""

    webhook_id: str
    type: str
    data: dict[str, Any]
    raw: bytes
    verified: bool


@dataclass
class Receiver:
    """Listens on 127.0.0.1 at a free port. Answers 204 to what verifies under `secret`, 401 to the rest."""

    secret: str | None = None
    received: list[Received] = field(default_factory=list)
    port: int = 0
    _server: uvicorn.Server | None = None
    _task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}{PATH}"

    async def start(self) -> None:
        app = FastAPI(openapi_url=None)
        app.add_api_route(PATH, self._agree, methods=["OPTIONS"])
        app.add_api_route(PATH, self._take, methods=["POST"])
        self._server = _Quiet(uvicorn.Config(app, host=HOST, port=0, log_level="critical", lifespan="off"))
        self._task = asyncio.create_task(self._server.serve(), name="webhook receiver")
        while not self._server.started:  # noqa: ASYNC110 -- uvicorn offers a flag and nothing to await
            await asyncio.sleep(0.01)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task

    async def _agree(self, request: Request) -> Response:
        """The handshake of CloudEvents webhooks: whoever asks may send."""
        origin = request.headers.get("webhook-request-origin", "*")
        return Response(status_code=200, headers={"WebHook-Allowed-Origin": origin})

    async def _take(self, request: Request) -> Response:
        raw = await request.body()
        verified = self._verifies(raw, dict(request.headers))
        try:
            payload: Any = json.loads(raw)
        except ValueError:
            payload = {}
        body = payload if isinstance(payload, dict) else {}
        self.received.append(
            Received(
                webhook_id=request.headers.get("webhook-id", ""),
                type=str(body.get("type", "")),
                data=body.get("data") or {},
                raw=raw,
                verified=verified,
            )
        )
        return Response(status_code=204 if verified else 401)

    def _verifies(self, raw: bytes, headers: dict[str, str]) -> bool:
        if self.secret is None:
            return False
        try:
            Webhook(self.secret).verify(raw, headers)
        except WebhookVerificationError:
            return False
        return True


class _Quiet(uvicorn.Server):
    """Leaves signals to whoever runs us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield
