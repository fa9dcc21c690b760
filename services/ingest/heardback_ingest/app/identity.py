"""Who is one person: suggested by what customers share, decided by people, and every decision reversible."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.app.cards import WriteCards
from heardback_ingest.customer_ports import Links, Profiles
from heardback_ingest.domain.identity import (
    Change,
    IdentityEvent,
    Kind,
    can_undo,
    changes,
    followed,
    persons,
)
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.ids import new_id


class UnknownCustomerError(Exception):
    """No such customer. `pointer` names the field."""

    def __init__(self, pointer: str) -> None:
        super().__init__(pointer)
        self.pointer = pointer


class NothingToDoError(Exception):
    """The event would change nothing. The message says why."""


@dataclass(frozen=True, slots=True)
class Suggestions:
    """`shown` are (kind, digest, customer ids); `last` is where to go on, None at the end. A page may show
    few although more follow."""

    shown: tuple[tuple[str, bytes, tuple[str, ...]], ...]
    last: tuple[str, bytes] | None


class Identity:
    def __init__(
        self, database: Database, links: Links, profiles: Profiles, cards: WriteCards, clock: Clock
    ) -> None:
        self._database = database
        self._links = links
        self._profiles = profiles
        self._cards = cards
        self._clock = clock

    async def merge(
        self, tenant_id: str, customer_id: str, into_id: str, actor: str, reason: str
    ) -> tuple[IdentityEvent, tuple[Change, ...]]:
        """Raises UnknownCustomerError, and NothingToDoError where they are one person already."""
        return await self._add(tenant_id, "merge", actor, reason, customer_id=customer_id, into_id=into_id)

    async def split(
        self, tenant_id: str, customer_id: str, actor: str, reason: str
    ) -> tuple[IdentityEvent, tuple[Change, ...]]:
        """Raises UnknownCustomerError, and NothingToDoError where the id stands for itself already."""
        return await self._add(tenant_id, "split", actor, reason, customer_id=customer_id)

    async def undo(
        self, tenant_id: str, event_id: str, actor: str, reason: str
    ) -> tuple[IdentityEvent, tuple[Change, ...]]:
        """As if the event had never been. Raises NothingToDoError where it is unknown or undone already."""
        return await self._add(tenant_id, "undo", actor, reason, undoes=event_id)

    async def events(self, tenant_id: str, after: int, limit: int) -> list[IdentityEvent]:
        """Oldest first, those after this sequence number."""
        async with self._database.tenant(tenant_id) as c:
            return await self._links.identity_events(c, tenant_id, after, limit)

    async def person(self, tenant_id: str, customer_id: str) -> Change:
        """Whose person the id is, and which ids are. Unknown ids stand for themselves."""
        async with self._database.tenant(tenant_id) as c:
            found = await self._links.people(c, tenant_id, [customer_id])
        return found.get(customer_id) or Change(customer_id, customer_id, (customer_id,))

    async def suggestions(self, tenant_id: str, after: tuple[str, bytes] | None, limit: int) -> Suggestions:
        """Customers that share an e-mail address or telephone number, and are not known to be one person."""
        async with self._database.tenant(tenant_id) as c:
            found = await self._links.alike(c, tenant_id, after, limit)
            ids = sorted({i for _, _, shared in found for i in shared})
            people = await self._links.people(c, tenant_id, ids) if ids else {}
        person = {i: x.person_id for i, x in people.items()}
        shown = tuple(x for x in found if len({person.get(i, i) for i in x[2]}) > 1)
        return Suggestions(shown, found[-1][:2] if len(found) == limit else None)

    async def _add(
        self,
        tenant_id: str,
        kind: Kind,
        actor: str,
        reason: str,
        *,
        customer_id: str | None = None,
        into_id: str | None = None,
        undoes: str | None = None,
    ) -> tuple[IdentityEvent, tuple[Change, ...]]:
        now = self._clock.now()
        async with self._database.tenant(tenant_id) as c:
            await self._must_exist(c, tenant_id, {"/customer_id": customer_id, "/into": into_id})
            await self._links.lock_identity(c, tenant_id)
            sequence = await self._links.last_identity_event(c, tenant_id) + 1
            event = IdentityEvent(
                sequence, new_id("ie"), kind, customer_id, into_id, undoes, actor, reason, now
            )
            changed = await self._changed(c, tenant_id, event)
            if not changed and kind != "undo":
                raise NothingToDoError(
                    "they are one person already" if kind == "merge" else "it is a person of its own already"
                )
            await self._links.add_identity_event(c, tenant_id, event)
            await self._links.keep_identity(c, tenant_id, changed)
            await self._tell(c, tenant_id, [x.customer_id for x in changed], now)
        return event, changed

    async def _changed(self, c: AsyncConnection, tenant_id: str, event: IdentityEvent) -> tuple[Change, ...]:
        """Undoing needs all that ever was of everybody concerned."""
        if event.undoes is None:
            named = sorted({i for i in (event.customer_id, event.into_id) if i is not None})
            return followed((await self._links.people(c, tenant_id, named)).values(), event)
        events = await self._links.related_events(c, tenant_id, event.undoes)
        if not can_undo(events, event.undoes):
            raise NothingToDoError("there is no such event, or it is undone already")
        return changes(persons(events), persons([*events, event]))

    async def _must_exist(self, c: AsyncConnection, tenant_id: str, named: Mapping[str, str | None]) -> None:
        ids = sorted({i for i in named.values() if i is not None})
        known = await self._profiles.read(c, tenant_id, ids) if ids else {}
        for pointer, customer_id in named.items():
            if customer_id is not None and customer_id not in known:
                raise UnknownCustomerError(pointer)

    async def _tell(self, c: AsyncConnection, tenant_id: str, ids: Sequence[str], now: datetime) -> None:
        profiles = await self._profiles.read(c, tenant_id, ids) if ids else {}
        await self._cards.write(c, tenant_id, list(profiles.values()), now)


def view(event: IdentityEvent) -> dict[str, Any]:
    shown = {
        "id": event.id,
        "kind": event.kind,
        "customer_id": event.customer_id,
        "into": event.into_id,
        "undoes": event.undoes,
        "by": event.actor,
        "reason": event.reason,
        "at": event.at.isoformat(),
    }
    return {name: value for name, value in shown.items() if value is not None}
