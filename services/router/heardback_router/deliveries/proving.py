"""Asks a receiver whether it wants webhooks, and whether a disabled one is back."""

import base64
import secrets
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.deliveries.domain import Response
from heardback_router.deliveries.endpoint import Endpoint, ProofMethod, proved
from heardback_router.deliveries.keys import Keys
from heardback_router.deliveries.ports import EndpointEvent, Endpoints, Sender, Waker
from heardback_router.deliveries.proof import (
    CHALLENGE_BYTES,
    REQUEST_ORIGIN,
    Proven,
    Unproven,
    judge_handshake,
    judge_ping,
    ping_body,
)
from heardback_router.deliveries.signing import signed_headers
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.errors import ProblemError
from heardback_shared.http.problems import not_found
from heardback_shared.ids import new_id
from heardback_shared.keyring import SealBrokenError

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pinged:
    response: Response
    challenge: str


class Prover:
    """`origin` is the DNS name we call ourselves by in the handshake. No transaction is open while a
    receiver is asked."""

    def __init__(
        self,
        database: Database,
        endpoints: Endpoints,
        keys: Keys,
        sender: Sender,
        waker: Waker,
        clock: Clock,
        origin: str,
    ) -> None:
        self._database = database
        self._endpoints = endpoints
        self._keys = keys
        self._sender = sender
        self._waker = waker
        self._clock = clock
        self._origin = origin

    async def prove(
        self, tenant_id: str, endpoint_id: str, method: ProofMethod | None, actor: str
    ) -> Endpoint:
        """The handshake first, then the ping, unless one of them is asked for. A proven endpoint that does
        not answer now stays proven."""
        endpoint, keys = await self._read(tenant_id, endpoint_id)
        verdict = await self._ask(endpoint, keys, method)
        async with self._database.tenant(tenant_id) as connection:
            current = await self._find(connection, tenant_id, endpoint_id, lock=True)
            if current.url != endpoint.url:
                raise ProblemError(
                    409,
                    "endpoint-changed",
                    "The endpoint was changed meanwhile",
                    "Its URL was changed while it was asked; ask again.",
                )
            after = await self._keep(connection, tenant_id, current, verdict, actor)
        self._waker.wake()
        return after

    async def ping(self, tenant_id: str, endpoint_id: str) -> tuple[Endpoint, Pinged]:
        """One signed ping; the endpoint is as it was when it was read."""
        endpoint, keys = await self._read(tenant_id, endpoint_id)
        return endpoint, await self._ping(endpoint, keys)

    async def _ask(
        self, endpoint: Endpoint, keys: list[str], method: ProofMethod | None
    ) -> Proven | Unproven:
        because = []
        if method != "ping":
            answer = await self._sender.ask(endpoint.url, {REQUEST_ORIGIN: self._origin})
            verdict = judge_handshake(answer, self._origin)
            if isinstance(verdict, Proven):
                return verdict
            because.append(verdict.because)
        if method != "handshake":
            pinged = await self._ping(endpoint, keys)
            verdict = judge_ping(pinged.response, pinged.challenge)
            if isinstance(verdict, Proven):
                return verdict
            because.append(verdict.because)
        return Unproven("; ".join(because))

    async def _ping(self, endpoint: Endpoint, keys: list[str]) -> Pinged:
        now = self._clock.now()
        challenge = base64.urlsafe_b64encode(secrets.token_bytes(CHALLENGE_BYTES)).decode()
        if not keys:
            return Pinged(Response(None, "the signing key cannot be read; rotate it", ours=True), challenge)
        body = ping_body(endpoint.id, challenge, now)
        headers = signed_headers(new_id("msg"), now, body, keys)
        return Pinged(await self._sender.send(endpoint.url, headers, body), challenge)

    async def _keep(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        endpoint: Endpoint,
        verdict: Proven | Unproven,
        actor: str,
    ) -> Endpoint:
        at = self._clock.now()
        if isinstance(verdict, Proven):
            after = proved(endpoint, verdict.method, verdict.rate_per_minute, at)
            await self._endpoints.save(connection, tenant_id, after)
            event = EndpointEvent(at, "proven", f"by {verdict.method}", actor)
        else:
            after = _refused(endpoint, verdict.because, at)
            await self._endpoints.save(connection, tenant_id, after)
            event = EndpointEvent(at, "proof_failed", verdict.because, actor)
        await self._endpoints.note(connection, tenant_id, endpoint.id, event)
        return after

    async def _read(self, tenant_id: str, endpoint_id: str) -> tuple[Endpoint, list[str]]:
        async with self._database.tenant(tenant_id) as connection:
            endpoint = await self._find(connection, tenant_id, endpoint_id)
            try:
                keys = await self._keys.signing(connection, tenant_id, endpoint_id, self._clock.now())
            except SealBrokenError as error:
                _log.error("endpoint.cannot_sign", endpoint=endpoint_id, error=type(error).__name__)
                keys = []
        return endpoint, keys

    async def _find(
        self, connection: AsyncConnection, tenant_id: str, endpoint_id: str, *, lock: bool = False
    ) -> Endpoint:
        endpoint = await self._endpoints.find(connection, tenant_id, endpoint_id, lock=lock)
        if endpoint is None:
            raise not_found(f"The endpoint {endpoint_id}")
        return endpoint


def _refused(endpoint: Endpoint, because: str, at: datetime) -> Endpoint:
    return endpoint if endpoint.proven else replace(endpoint, proof_because=because, changed_at=at)
