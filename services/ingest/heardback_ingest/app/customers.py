"""Keep what is known of customers: facts with source and age, personal ones encrypted, erased on request.

`KeepCustomers.tell` is the one way in, whichever door facts come through: lock, merge, settle the class,
write profile, ids elsewhere and card, all in one transaction.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.app.accept import subject_of_customer
from heardback_ingest.app.cards import WriteCards
from heardback_ingest.app.settling import SettleClasses
from heardback_ingest.app.sources import HearSources
from heardback_ingest.app.surveys.ports import SurveyLog
from heardback_ingest.customer_ports import Links, Policies, Profile, Profiles, classes_of
from heardback_ingest.domain.customer import PERSONAL, Ages, Facts, merged
from heardback_ingest.domain.identity import Change
from heardback_ingest.domain.likeness import SPELLINGS
from heardback_ingest.ports import Vault
from heardback_shared.clock import Clock
from heardback_shared.contact.domain import Provenance
from heardback_shared.db.database import Database
from heardback_shared.keyring import Keyring

AHEAD = timedelta(minutes=5)
"""How far a source's clock may run before ours."""
LIKENESS = "customer-likeness"

Finding = tuple[str, str]
"""(JSON pointer, what to send instead)."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What one source tells of one customer. `at` None: as of now."""

    customer_id: str
    facts: Mapping[str, Any] = field(repr=False)
    source: str
    at: datetime | None = None
    provenance: Provenance = "stated"


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a telling. `before` is None for a customer not known until then."""

    customer_id: str
    before: Facts | None = field(repr=False)
    after: Facts = field(repr=False)
    refused: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """All that is known of one customer, and by what it is told whether it may be used."""

    facts: Facts = field(repr=False)
    settled: Mapping[str, Any] | None
    person: Change
    ages: Ages
    now: datetime


class _OnlyTriedError(Exception):
    """Takes the transaction back."""


class KeepCustomers:
    def __init__(
        self,
        database: Database,
        profiles: Profiles,
        links: Links,
        vault: Vault,
        keyring: Keyring,
        *,
        classes: SettleClasses,
        cards: WriteCards,
        surveys: SurveyLog,
        sources: HearSources,
        policies: Policies,
        clock: Clock,
    ) -> None:
        self._database = database
        self._profiles = profiles
        self._links = links
        self._vault = vault
        self._keyring = keyring
        self._classes = classes
        self._cards = cards
        self._surveys = surveys
        self._sources = sources
        self._policies = policies
        self._clock = clock

    async def tell(self, tenant_id: str, tellings: Sequence[Telling], *, dry_run: bool = False) -> list[Told]:
        """Merges the facts in, in order; per fact and kind of knowledge the newer telling wins. One outcome
        per telling; a refused one changes nothing, the others count. `dry_run`: nothing is kept."""
        told: list[Told] = []
        try:
            async with self._database.tenant(tenant_id) as c:
                told = await self.tell_within(c, tenant_id, tellings)
                if dry_run:
                    raise _OnlyTriedError
        except _OnlyTriedError:
            return told
        self.measure([t for t, o in zip(tellings, told, strict=True) if not o.refused])
        return told

    def measure(self, tellings: Sequence[Telling]) -> None:
        """How late they came. For whoever used `tell_within`, after the commit."""
        self._sources.measure(tellings, self._clock.now())

    async def tell_within(
        self, c: AsyncConnection, tenant_id: str, tellings: Sequence[Telling]
    ) -> list[Told]:
        """As `tell`, in the caller's transaction."""
        now = self._clock.now()
        ids = sorted({t.customer_id for t in tellings})
        await self._profiles.lock(c, tenant_id, ids)
        policy = await classes_of(self._policies, c, tenant_id)
        profiles = await self._profiles.read(c, tenant_id, ids)
        known: dict[str, Facts] = await self._opened(c, tenant_id, list(profiles.values()))
        before = dict(known)
        owners = await self._owners(c, tenant_id, tellings)
        told = []
        for telling in tellings:
            was = known.get(telling.customer_id)
            if refused := _refusals(telling, owners, now):
                told.append(Told(telling.customer_id, was, was or {}, refused))
                continue
            at = telling.at or now
            after = merged(was or {}, telling.facts, telling.source, at, telling.provenance)
            known[telling.customer_id] = after
            told.append(Told(telling.customer_id, was, after))
        written = sorted({t.customer_id for t in told if not t.refused})
        changed = [i for i in written if known[i] != before.get(i)]
        await self._write(c, tenant_id, changed, before, known, profiles, now)
        taken = [t for t, o in zip(tellings, told, strict=True) if not o.refused]
        await self._sources.note(c, tenant_id, taken, policy, now)
        return told

    async def _write(
        self,
        c: AsyncConnection,
        tenant_id: str,
        ids: Sequence[str],
        before: Mapping[str, Facts],
        known: Mapping[str, Facts],
        profiles: Mapping[str, Profile],
        now: datetime,
    ) -> None:
        if not ids:
            return
        personal = {i: {n: f for n, f in known[i].items() if n in PERSONAL} for i in ids}
        sealed = await self._vault.seal(
            c,
            tenant_id,
            {subject_of_customer(i): orjson.dumps(facts) for i, facts in personal.items() if facts},
            now,
        )
        plain = {i: {n: f for n, f in known[i].items() if n not in PERSONAL} for i in ids}
        settled = await self._classes.of_changed(
            c, tenant_id, {i: (plain[i], profiles[i].settled if i in profiles else None) for i in ids}, now
        )
        stored = [Profile(i, plain[i], sealed.get(subject_of_customer(i)), settled[i]) for i in ids]
        await self._profiles.put(c, tenant_id, stored, now)
        await self._surveys.heard_again(c, tenant_id, ids)
        await self._link(c, tenant_id, ids, before, known)
        await self._cards.write(c, tenant_id, stored, now)
        await self._cards.write_addresses(c, tenant_id, ids, before, known, now)

    async def _link(
        self,
        c: AsyncConnection,
        tenant_id: str,
        ids: Sequence[str],
        before: Mapping[str, Facts],
        known: Mapping[str, Facts],
    ) -> None:
        mapped = {i: _value(known[i], "external_ids") or {} for i in ids}
        mapped = {i: m for i, m in mapped.items() if m != (_value(before.get(i, {}), "external_ids") or {})}
        if mapped:
            await self._links.map_ids(c, tenant_id, mapped)
        marks: defaultdict[str, dict[str, bytes]] = defaultdict(dict)
        for i in ids:
            if any(_value(known[i], n) != _value(before.get(i, {}), n) for n in SPELLINGS):
                marks[i] = self._marks(tenant_id, known[i])
        if marks:
            await self._links.liken(c, tenant_id, marks)

    def _marks(self, tenant_id: str, facts: Facts) -> dict[str, bytes]:
        marks = {}
        for name, spelled in SPELLINGS.items():
            value = _value(facts, name)
            normal = spelled(value) if isinstance(value, str) else None
            if normal is not None:
                marks[name] = self._keyring.digest(LIKENESS, f"{tenant_id}/{name}/{normal}")
        return marks

    async def _owners(
        self, c: AsyncConnection, tenant_id: str, tellings: Sequence[Telling]
    ) -> dict[tuple[str, str], str]:
        """Whose each told external id is: the customer it is stored for, else the first that tells it."""
        asked: dict[tuple[str, str], str] = {}
        for telling in tellings:
            for pair in (telling.facts.get("external_ids") or {}).items():
                asked.setdefault(pair, telling.customer_id)
        if not asked:
            return {}
        await self._links.lock_ids(c, tenant_id, sorted(asked))
        return asked | await self._links.owners(c, tenant_id, sorted(asked))

    async def show(self, tenant_id: str, customer_id: str) -> Shown | None:
        async with self._database.tenant(tenant_id) as c:
            found = await self._profiles.read(c, tenant_id, [customer_id])
            if customer_id not in found:
                return None
            profile = found[customer_id]
            facts = (await self._opened(c, tenant_id, [profile]))[customer_id]
            ages = (await classes_of(self._policies, c, tenant_id)).ages
            people = await self._links.people(c, tenant_id, [customer_id])
        person = people.get(customer_id) or Change(customer_id, customer_id, (customer_id,))
        return Shown(facts, profile.settled, person, ages, self._clock.now())

    async def lookup(self, tenant_id: str, source: str, external_id: str) -> str | None:
        """The customer with this id in that system."""
        async with self._database.tenant(tenant_id) as c:
            pair = (source, external_id)
            return (await self._links.owners(c, tenant_id, [pair])).get(pair)

    async def erase(self, tenant_id: str, customer_id: str) -> bool:
        """Destroys the customer's data key: original texts, contacts, personal facts and handling cannot be
        read again; likenesses and addresses are deleted.

        Router follows, and erases what was composed about them. The ledger and what was redacted stay. False
        when there was nothing to erase: no data key, and no feedback since the last time.
        """
        now = self._clock.now()
        async with self._database.tenant(tenant_id) as c:
            await self._profiles.lock(c, tenant_id, [customer_id])
            found = (await self._profiles.read(c, tenant_id, [customer_id])).get(customer_id)
            if found is not None:
                bare = Profile(customer_id, found.fields, None, found.settled)
                await self._profiles.put(c, tenant_id, [bare], now)
            await self._links.liken(c, tenant_id, {customer_id: {}})
            before = await self._cards.erase(c, tenant_id, customer_id, now)
            await self._surveys.erase(c, tenant_id, customer_id, now)
            wrote = await self._profiles.wrote_since(c, tenant_id, customer_id, before)
            return await self._vault.erase(c, tenant_id, subject_of_customer(customer_id)) or wrote

    async def _opened(
        self, c: AsyncConnection, tenant_id: str, profiles: Sequence[Profile]
    ) -> dict[str, Facts]:
        sealed = {subject_of_customer(p.customer_id): p.personal for p in profiles if p.personal is not None}
        plain = await self._vault.open(c, tenant_id, sealed) if sealed else {}
        return {
            p.customer_id: {
                **p.fields,
                **orjson.loads(plain.get(subject_of_customer(p.customer_id), b"{}")),
            }
            for p in profiles
        }


def _value(facts: Mapping[str, Any], name: str) -> Any:
    fact = facts.get(name)
    return fact["value"] if fact is not None else None


def _refusals(telling: Telling, owners: Mapping[tuple[str, str], str], now: datetime) -> tuple[Finding, ...]:
    refused: list[Finding] = []
    if telling.at is not None and telling.at > now + AHEAD:
        refused.append(("/at", "must not lie in the future"))
    for source, external_id in (telling.facts.get("external_ids") or {}).items():
        if owners[source, external_id] != telling.customer_id:
            pointer = "/external_ids/" + source.replace("~", "~0").replace("/", "~1")
            refused.append(
                (pointer, "is the id of another customer; merge the two, or take it from that one")
            )
    return tuple(refused)
