"""A look into one endpoint's deliveries for the receiver's own people, by a signed link that expires."""

from dataclasses import replace
from datetime import datetime, timedelta

from heardback_router.deliveries.endpoint import Endpoint
from heardback_router.deliveries.ports import EndpointEvent, Endpoints
from heardback_router.loops.links import ExpiredError, LinkClaim, TamperedError, read_link, sign_link
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.errors import ProblemError
from heardback_shared.http.problems import invalid, not_found
from heardback_shared.http.rate_limit import RateLimiter
from heardback_shared.keyring import Keyring

PURPOSE = "endpoint-portal"


class Portal:
    """Links are not stored. Each names a generation of the endpoint's links, and all of one end together.
    Whoever holds one may see this endpoint's deliveries and have them sent again, and nothing else."""

    def __init__(
        self,
        database: Database,
        endpoints: Endpoints,
        keyring: Keyring,
        clock: Clock,
        public_url: str,
        longest: timedelta,
        limiter: RateLimiter,
    ) -> None:
        self._database = database
        self._endpoints = endpoints
        self._key = keyring.key(PURPOSE)
        self._clock = clock
        self._public_url = public_url.rstrip("/")
        self._longest = longest
        self._limiter = limiter

    async def link(
        self, tenant_id: str, endpoint_id: str, hours: float | None, actor: str
    ) -> tuple[str, datetime]:
        """Its URL, and when it expires."""
        lasts = self._longest if hours is None else timedelta(hours=hours)
        if lasts > self._longest:
            most = self._longest / timedelta(hours=1)
            raise invalid((("/hours", f"at most {most:g}"),))
        now = self._clock.now()
        expires_at = (now + lasts).replace(microsecond=0)
        async with self._database.tenant(tenant_id) as connection:
            endpoint = await self._endpoints.find(connection, tenant_id, endpoint_id)
            if endpoint is None:
                raise not_found(f"The endpoint {endpoint_id}")
            said = f"until {expires_at.isoformat()}"
            event = EndpointEvent(now, "portal_link_made", said, actor)
            await self._endpoints.note(connection, tenant_id, endpoint_id, event)
        subject = f"{endpoint_id}:{endpoint.portal_generation}"
        token = sign_link(self._key, LinkClaim(tenant_id, subject, expires_at))
        return f"{self._public_url}/d/{token}", expires_at

    async def end_links(self, tenant_id: str, endpoint_id: str, actor: str) -> None:
        """Every link to this endpoint that was ever given out is dead from now on."""
        async with self._database.tenant(tenant_id) as connection:
            endpoint = await self._endpoints.find(connection, tenant_id, endpoint_id, lock=True)
            if endpoint is None:
                raise not_found(f"The endpoint {endpoint_id}")
            after = replace(endpoint, portal_generation=endpoint.portal_generation + 1)
            await self._endpoints.save(connection, tenant_id, after)
            event = EndpointEvent(self._clock.now(), "portal_links_ended", None, actor)
            await self._endpoints.note(connection, tenant_id, endpoint_id, event)

    async def open(self, token: str) -> tuple[str, Endpoint, datetime]:
        """(tenant, endpoint, until when). One problem for every token that opens nothing, so that none of
        them tells what exists; another one for a link that has merely expired, and for one used too often."""
        try:
            claim = read_link(self._key, token, self._clock.now())
        except ExpiredError as error:
            raise ProblemError(
                410, "link-expired", "The link has expired", "Ask whoever sent it for a new one."
            ) from error
        except TamperedError as error:
            raise _no_such_link() from error
        endpoint_id, _, generation = claim.loop_id.partition(":")
        self._limiter.spend(f"{claim.tenant_id}\x1f{endpoint_id}")
        async with self._database.tenant(claim.tenant_id) as connection:
            endpoint = await self._endpoints.find(connection, claim.tenant_id, endpoint_id)
        if endpoint is None or generation != str(endpoint.portal_generation):
            raise _no_such_link()
        return claim.tenant_id, endpoint, claim.expires_at


def _no_such_link() -> ProblemError:
    return ProblemError(404, "not-found", "Not found", "This link opens nothing, or has been ended.")
