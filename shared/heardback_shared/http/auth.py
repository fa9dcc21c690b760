"""Who is calling and what they may do, as a FastAPI dependency."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Protocol

import structlog
from fastapi import Security
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials

from heardback_shared.access.keys import Principal
from heardback_shared.errors import ProblemError
from heardback_shared.http.rate_limit import RateLimiter

_bearer = HTTPBearer(auto_error=False, scheme_name="key", description="API key: `Authorization: Bearer hb_…`")


class KeyVerifier(Protocol):
    async def verify(self, token: str) -> Principal | None: ...


class Guard:
    """Turns a bearer key into a Principal, or a 401/403/429 problem."""

    def __init__(self, keys: KeyVerifier, limiter: RateLimiter) -> None:
        self._keys = keys
        self._limiter = limiter

    def needs(self, *scopes: str) -> Callable[..., Awaitable[Principal]]:
        """A dependency that lets through only keys with one of these scopes (or `admin`)."""

        async def dependency(
            credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
        ) -> Principal:
            principal = await self._identify(credentials)
            if not any(principal.may(scope) for scope in scopes):
                held = ", ".join(sorted(principal.scopes))
                raise ProblemError(
                    403,
                    "forbidden",
                    "The key may not do this",
                    f"This needs the scope {' or '.join(scopes)}; the key has: {held}.",
                )
            return principal

        return dependency

    async def _identify(self, credentials: HTTPAuthorizationCredentials | None) -> Principal:
        principal = await self._keys.verify(credentials.credentials) if credentials else None
        if principal is None:
            raise ProblemError(
                401,
                "unauthorized",
                "A valid API key is needed",
                "Send Authorization: Bearer hb_…; keys are made with `heardback keys create`.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        self._limiter.spend(principal.key_id)
        structlog.contextvars.bind_contextvars(tenant_id=principal.tenant_id)
        return principal
