"""How a customer is to be treated: notes for colleagues, who to go to, what success is, and the contract."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from heardback_ingest.app.accept import subject_of_customer
from heardback_ingest.customer_ports import HandlingStore, Policies, Profiles, classes_of
from heardback_ingest.domain.classes_policy import PARTS
from heardback_ingest.domain.customer import snapshot_fields
from heardback_ingest.domain.handling import ContractVersion, in_force, missing
from heardback_ingest.ports import Vault
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database

SCANNED = 2_000
"""Customers one question about completeness looks at."""


class ContractRefusedError(Exception):
    """The version cannot be added. (`pointer`, `detail`) says what to mend."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for a customer at a moment. `handling` is None where nothing was written, or was erased."""

    handling: Mapping[str, Any] | None
    handling_version: int | None
    handling_by: str | None
    handling_since: datetime | None
    contract: ContractVersion | None
    contracts: tuple[ContractVersion, ...]


@dataclass(frozen=True, slots=True)
class Incomplete:
    customer_id: str
    tier: str | None
    missing: tuple[str, ...]


class KeepHandling:
    def __init__(
        self,
        database: Database,
        store: HandlingStore,
        profiles: Profiles,
        vault: Vault,
        policies: Policies,
        clock: Clock,
    ) -> None:
        self._database = database
        self._store = store
        self._profiles = profiles
        self._vault = vault
        self._policies = policies
        self._clock = clock

    async def write(self, tenant_id: str, customer_id: str, handling: Mapping[str, Any], actor: str) -> int:
        """Replaces the whole; the version before stays readable for what was opened under it. Sealed with the
        customer's data key, since notes on people are personal."""
        now = self._clock.now()
        subject = subject_of_customer(customer_id)
        async with self._database.tenant(tenant_id) as c:
            await self._store.lock(c, tenant_id, customer_id)
            sealed = await self._vault.seal(c, tenant_id, {subject: orjson.dumps(handling)}, now)
            parts = [name for name in PARTS if handling.get(name)]
            return await self._store.add_handling(
                c, tenant_id, customer_id, sealed[subject], parts, actor, now
            )

    async def agree(
        self,
        tenant_id: str,
        customer_id: str,
        number: str,
        effective_from: datetime,
        effective_to: datetime | None,
        terms: Mapping[str, Any],
        actor: str,
        expected_version: int | None,
    ) -> ContractVersion:
        """Adds the next version of a contract. `expected_version` is the one it is meant to become; the same
        version told again with the same content is the same version. Raises ContractRefusedError."""
        now = self._clock.now()
        async with self._database.tenant(tenant_id) as c:
            await self._store.lock(c, tenant_id, customer_id)
            known = [v for v in await self._store.contracts(c, tenant_id, customer_id) if v.number == number]
            version = ContractVersion(
                number, len(known) + 1, effective_from, effective_to, dict(terms), actor, now
            )
            if expected_version is not None and expected_version != version.version:
                told = next((v for v in known if v.version == expected_version), None)
                if told is not None and _same(told, version):
                    return told
                raise ContractRefusedError("/version", f"would be {version.version}; look at what is there")
            await self._store.add_contract(c, tenant_id, customer_id, version)
        return version

    async def rules(self, tenant_id: str, customer_id: str, at: datetime | None) -> Rules:
        """What holds at a moment: what was opened before an amendment keeps what held then."""
        moment = at or self._clock.now()
        subject = subject_of_customer(customer_id)
        async with self._database.tenant(tenant_id) as c:
            handled = await self._store.handling(c, tenant_id, customer_id, moment)
            contracts = await self._store.contracts(c, tenant_id, customer_id)
            opened = await self._vault.open(c, tenant_id, {subject: handled[1]}) if handled else {}
        plain = opened.get(subject)
        return Rules(
            handling=orjson.loads(plain) if plain is not None else None,
            handling_version=handled[0] if handled else None,
            handling_by=handled[2] if handled else None,
            handling_since=handled[3] if handled else None,
            contract=in_force(contracts, moment),
            contracts=tuple(contracts),
        )

    async def incomplete(
        self, tenant_id: str, tier: str | None, after: str, limit: int
    ) -> tuple[list[Incomplete], str | None]:
        """Customers of whom something required is not known, in order of id, and where to go on."""
        now = self._clock.now()
        found: list[Incomplete] = []
        looked = 0
        async with self._database.tenant(tenant_id) as c:
            policy = await classes_of(self._policies, c, tenant_id)
            while looked < SCANNED:
                page = await self._profiles.page(c, tenant_id, after, 500)
                if not page:
                    return found, None
                parts = await self._store.known_parts(c, tenant_id, [p.customer_id for p in page], now)
                for profile in page:
                    after, looked = profile.customer_id, looked + 1
                    fields = snapshot_fields(profile.fields, policy.ages, now, profile.settled)
                    of = fields.get("tier")
                    gaps = missing(policy, of, {*fields, *parts.get(profile.customer_id, ())})
                    if gaps and tier in (None, of):
                        found.append(Incomplete(profile.customer_id, of, gaps))
                    if len(found) == limit:
                        return found, after
        return found, after


def _same(told: ContractVersion, version: ContractVersion) -> bool:
    return (told.effective_from, told.effective_to, told.terms) == (
        version.effective_from,
        version.effective_to,
        version.terms,
    )
