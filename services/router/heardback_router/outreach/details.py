"""The text of a message behind its link: for the tenant's systems, for a time, and every read on record."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert

from heardback_router.loops.links import ExpiredError, TamperedError
from heardback_router.outreach.links import MessageAddresses
from heardback_router.outreach.reader import PostgresMessageReader
from heardback_router.outreach.tables import fetches
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.errors import ProblemError
from heardback_shared.http.rate_limit import RateLimiter
from heardback_shared.ids import new_id
from heardback_shared.keyring import Keyring

CALLERS = "details-callers"


class Details:
    def __init__(
        self,
        database: Database,
        reader: PostgresMessageReader,
        addresses: MessageAddresses,
        keyring: Keyring,
        limiter: RateLimiter,
        clock: Clock,
    ) -> None:
        self._database = database
        self._reader = reader
        self._addresses = addresses
        self._keyring = keyring
        self._limiter = limiter
        self._clock = clock

    async def fetch(self, token: str, caller: str) -> Mapping[str, Any]:
        """What was given to the channel. Nothing is shown whose read is not stored. `caller` is the network
        address, of which only a keyed hash is kept."""
        now = self._clock.now()
        try:
            tenant_id, handover_id = self._addresses.read_details(token, now)
        except TamperedError as error:
            raise _unknown() from error
        except ExpiredError as error:
            raise ProblemError(
                410,
                "link-expired",
                "The link has expired",
                "Texts can be fetched for a time only; GET /v1/messages shows them to your own people.",
            ) from error
        self._limiter.spend(tenant_id)
        async with self._database.tenant(tenant_id) as connection:
            found = await self._reader.handed(connection, tenant_id, handover_id)
            if found is None:
                raise _unknown()
            if found["erased_at"] is not None:
                raise ProblemError(
                    410,
                    "erased",
                    "The text was erased",
                    "The customer's personal data were erased, and this text with them.",
                )
            await connection.execute(
                insert(fetches).values(
                    tenant_id=tenant_id,
                    id=new_id("fe"),
                    handover_id=handover_id,
                    at=now,
                    outcome="shown",
                    caller=self._keyring.digest(CALLERS, f"{tenant_id}\x1f{caller}"),
                )
            )
        return found


def _unknown() -> ProblemError:
    return ProblemError(
        404, "not-found", "Not found", "This is none of our links, or it was changed on its way."
    )
