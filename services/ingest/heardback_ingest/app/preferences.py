"""What customers wish, what they agreed to, and who must not be written to by a machine just now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from heardback_shared.clock import Clock
from heardback_shared.contact.domain import ContactRules, Recipient
from heardback_shared.contact.holds import PostgresHolds, Stop
from heardback_shared.contact.store import PostgresContacts
from heardback_shared.contact.wish_store import Due, Line, PostgresWishes, consent_id
from heardback_shared.contact.wishes import Consent, Telling, Told, in_force
from heardback_shared.db.database import Database
from heardback_shared.policies.in_force import PoliciesInForce

AHEAD = timedelta(minutes=5)
"""How far a source's clock may run before ours."""


class FromTheFutureError(Exception):
    """What was told claims to be from a time that has not come."""


@dataclass(frozen=True, slots=True)
class Known:
    """`told` has every telling, `recipient` what follows from them."""

    told: Told
    recipient: Recipient
    at: datetime


@dataclass(frozen=True, slots=True)
class Stops:
    """Whether the last line still holds, and the whole history."""

    history: Sequence[Stop]

    @property
    def now(self) -> Stop | None:
        return self.history[-1] if self.history and self.history[-1].held else None


class KeepPreferences:
    def __init__(
        self,
        database: Database,
        contacts: PostgresContacts,
        wishes: PostgresWishes,
        holds: PostgresHolds,
        policies: PoliciesInForce,
        clock: Clock,
    ) -> None:
        self._database = database
        self._contacts = contacts
        self._wishes = wishes
        self._holds = holds
        self._policies = policies
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now()

    async def known(self, tenant_id: str, customer_id: str) -> Known:
        now = self._clock.now()
        async with self._database.tenant(tenant_id) as c:
            told = (await self._contacts.told(c, tenant_id, [customer_id]))[customer_id]
            found = await self._contacts.recipients(c, tenant_id, [customer_id], now)
        return Known(told, found[customer_id], now)

    async def tell(self, tenant_id: str, customer_id: str, wishes: Sequence[Telling]) -> None:
        """One that says nothing of when it is due to be asked again is due as the contact policy says.

        Raises FromTheFutureError.
        """
        self._refuse_future(wish.confirmed_at for wish in wishes)
        async with self._database.tenant(tenant_id) as c:
            rules: ContactRules = await self._policies.of(c, tenant_id, "contact")
            after = timedelta(days=rules.refresh_days)
            await self._wishes.tell(c, tenant_id, customer_id, [_due(wish, after) for wish in wishes])

    async def record(
        self, tenant_id: str, customer_id: str, consent: Consent, proof: str | None, by: str
    ) -> Consent:
        """The line of the ledger, with its id. It counts in every transaction that looks from now on.

        Raises FromTheFutureError.
        """
        self._refuse_future([consent.at])
        kept = replace(consent, id=consent_id(customer_id, consent))
        async with self._database.tenant(tenant_id) as c:
            line = Line(kept, proof, by, self._clock.now())
            await self._wishes.record(c, tenant_id, customer_id, [line])
        return kept

    async def ledger(self, tenant_id: str, customer_id: str) -> Sequence[Line]:
        async with self._database.tenant(tenant_id) as c:
            return await self._wishes.ledger(c, tenant_id, customer_id)

    async def hold(self, tenant_id: str, customer_id: str, *, held: bool, because: str, by: str) -> Stops:
        async with self._database.tenant(tenant_id) as c:
            at = self._clock.now()
            await self._holds.hold(c, tenant_id, customer_id, held=held, because=because, by=by, at=at)
            return Stops(await self._holds.of_customer(c, tenant_id, customer_id))

    async def holds(self, tenant_id: str, customer_id: str) -> Stops:
        async with self._database.tenant(tenant_id) as c:
            return Stops(await self._holds.of_customer(c, tenant_id, customer_id))

    async def stop_sending(self, tenant_id: str, *, stopped: bool, because: str, by: str) -> Stops:
        async with self._database.tenant(tenant_id) as c:
            at = self._clock.now()
            await self._holds.stop_all(c, tenant_id, stopped=stopped, because=because, by=by, at=at)
            return Stops(await self._holds.of_tenant(c, tenant_id))

    async def sending(self, tenant_id: str) -> Stops:
        async with self._database.tenant(tenant_id) as c:
            return Stops(await self._holds.of_tenant(c, tenant_id))

    async def due(self, tenant_id: str, after: Due | None, limit: int) -> tuple[Sequence[Due], Due | None]:
        """Preferences that count and are due to be asked again, and the last looked at where more follow.

        One that another telling outdoes need not be asked again, and is left out.
        """
        async with self._database.tenant(tenant_id) as c:
            found = await self._wishes.due(c, tenant_id, self._clock.now(), limit + 1, after)
            page = found[:limit]
            told = await self._contacts.told(c, tenant_id, sorted({due.customer_id for due in page}))
        counting = {
            (customer_id, wish.name): wish
            for customer_id, known in told.items()
            for wish in in_force(known.tellings).values()
        }
        due = [d for d in page if counting.get((d.customer_id, d.wish.name)) == d.wish]
        return due, page[-1] if len(found) > limit else None

    def _refuse_future(self, told: Iterable[datetime]) -> None:
        latest = self._clock.now() + AHEAD
        if any(at > latest for at in told):
            raise FromTheFutureError


def _due(wish: Telling, after: timedelta) -> Telling:
    return wish if wish.refresh_by else replace(wish, refresh_by=wish.confirmed_at + after)
