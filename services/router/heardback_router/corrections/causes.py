"""Which causes a correction may name: those of the taxonomy in force, as scoring tells."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Protocol

import structlog

from heardback_router.configuration.owners import ScoringClient
from heardback_shared.clock import Clock
from heardback_shared.errors import ProblemError

KEPT_FOR = timedelta(seconds=30)
PATIENCE_SECONDS = 3.0

_log = structlog.get_logger(__name__)


class KnownCauses(Protocol):
    async def of(self, tenant_id: str, bearer: str) -> frozenset[str] | None:
        """domain/category of every category the tenant's taxonomy has; None where nobody can tell now."""
        ...


class AskScoring:
    """Over HTTP, with the caller's own key.

    A correction must not be lost because scoring is away: then nobody can tell, and it is taken.
    """

    def __init__(self, scoring: ScoringClient, clock: Clock) -> None:
        self._scoring = scoring
        self._clock = clock
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
        try:
            said = await self._scoring.get("/v1/taxonomy", bearer, PATIENCE_SECONDS)
            return frozenset(one["path"] for one in said["categories"])
        except (ProblemError, KeyError, TypeError) as error:
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
