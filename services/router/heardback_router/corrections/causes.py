"""Which causes a correction may name: those of the taxonomy in force, as scoring tells."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Protocol

import httpx
import orjson
import structlog

from heardback_shared.clock import Clock

KEPT_FOR = timedelta(seconds=30)
PATIENCE_SECONDS = 3.0

_log = structlog.get_logger(__name__)


class KnownCauses(Protocol):
    async def of(self, tenant_id: str, bearer: str) -> frozenset[str] | None:
        """domain/category of every category the tenant's taxonomy has; None where nobody can tell now."""
        ...


class AskScoring:
    """Over HTTP, with the caller's own key. `url` is None where scoring's address is not set.

    A correction must not be lost because scoring is away: then nobody can tell, and it is taken.
    """

    def __init__(
        self, url: str | None, clock: Clock, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._url = url
        self._clock = clock
        self._transport = transport
        self._known: dict[str, tuple[datetime, frozenset[str]]] = {}

    async def of(self, tenant_id: str, bearer: str) -> frozenset[str] | None:
        now = self._clock.now()
        known = self._known.get(tenant_id)
        if known is not None and now - known[0] < KEPT_FOR:
            return known[1]
        found = await self._asked(bearer)
        if found is not None:
            self._known[tenant_id] = (now, found)
        return found

    async def _asked(self, bearer: str) -> frozenset[str] | None:
        if self._url is None:
            return None
        try:
            async with httpx.AsyncClient(
                base_url=self._url, timeout=PATIENCE_SECONDS, trust_env=False, transport=self._transport
            ) as client:
                answer = await client.get("/v1/taxonomy", headers={"Authorization": bearer})
                answer.raise_for_status()
                return frozenset(one["path"] for one in orjson.loads(answer.content)["categories"])
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
            _log.warning("corrections.causes_unknown", error=type(error).__name__)
            return None


def strangers(field: str, paths: Iterable[str], known: frozenset[str]) -> list[tuple[str, str]]:
    """(pointer, mend) of each path that the taxonomy does not have."""
    faults = []
    for number, path in enumerate(paths):
        if path not in known:
            alike = get_close_matches(path, sorted(known), n=3, cutoff=0.5)
            mend = f"did you mean {' or '.join(alike)}?" if alike else "GET /v1/taxonomy of scoring names all"
            faults.append((f"/{field}/{number}", f"is not in the taxonomy in force; {mend}"))
    return faults
