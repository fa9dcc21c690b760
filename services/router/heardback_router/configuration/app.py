"""Use cases: what people do to policies' versions, each deed in one transaction with its place in history."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.configuration import domain
from heardback_router.configuration.announce import policy_activated
from heardback_router.configuration.applying import ApplyToOpen
from heardback_router.configuration.check import check, read_here
from heardback_router.configuration.domain import (
    Activation,
    ApplyTo,
    RefusedError,
    Review,
    Text,
    Version,
)
from heardback_router.configuration.kinds import KINDS, SCORING_KINDS, TOLD_INGEST
from heardback_router.configuration.ports import Readers, Reports
from heardback_router.configuration.store import PostgresVersions
from heardback_router.configuration.stored import StoredPolicies
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox
from heardback_shared.errors import ProblemError
from heardback_shared.http.problems import invalid, not_found
from heardback_shared.policies.in_force import put_in_force, take_out_of_force

OWN = "own"
"""The digest that stands for the own policy of another service, whose text router does not know."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who acts; `bearer` is the Authorization header they came with."""

    tenant_id: str
    actor: str
    bearer: str


class Versions:
    """Everything raises ProblemError for what the caller can mend, and then changes nothing.

    `replayed` are the kinds whose activation needs a what-if.
    """

    def __init__(
        self,
        database: Database,
        store: PostgresVersions,
        source: StoredPolicies,
        readers: Readers,
        reports: Reports,
        applying: ApplyToOpen,
        outbox: Outbox,
        clock: Clock,
        *,
        replayed: frozenset[str],
    ) -> None:
        self.store = store
        self.source = source
        self.database = database
        self.replayed = replayed
        self._readers = readers
        self._reports = reports
        self._outbox = outbox
        self._clock = clock
        self._applying = applying

    async def propose(
        self, who: Caller, kind: str, text: str, reason: str
    ) -> tuple[Version, tuple[str, ...]]:
        """A new draft, and what its author may want to look at again."""
        content, warnings = await check(kind, text, self._readers, who.bearer)
        async with self.database.tenant(who.tenant_id) as connection:
            await self.store.lock(connection, who.tenant_id, kind)
            number = await self.store.next_number(connection, who.tenant_id, kind)
            await self._refuse_namesake(connection, who, kind, content, number)
            at = self._clock.now()
            version = domain.drafted(kind, number, content, who.actor, reason, at)
            await self.store.add(connection, who.tenant_id, version)
            await self._note(connection, who, version, "made", reason)
        return version, warnings

    async def edit(
        self,
        who: Caller,
        kind: str,
        number: int,
        text: str,
        reason: str | None,
        editions: frozenset[int] | None,
    ) -> tuple[Version, tuple[str, ...]]:
        content, warnings = await check(kind, text, self._readers, who.bearer)
        async with self.database.tenant(who.tenant_id) as connection:
            version = await self._locked(connection, who, kind, number)
            if editions is not None and version.edition not in editions:
                raise _stale(version)
            await self._refuse_namesake(connection, who, kind, content, number)
            with _refusals():
                after = domain.edited(version, content, who.actor, reason, self._clock.now())
            await self.store.save(connection, who.tenant_id, after)
            await self._note(connection, who, after, "edited", reason)
        return after, warnings

    async def review(self, who: Caller, kind: str, number: int, *, approve: bool, words: str) -> Version:
        async with self.database.tenant(who.tenant_id) as connection:
            version = await self._locked(connection, who, kind, number)
            with _refusals():
                after = domain.reviewed(version, Review(approve, who.actor, words, self._clock.now()))
            await self.store.save(connection, who.tenant_id, after)
            await self._note(connection, who, after, "approved" if approve else "sent back", words)
        return after

    async def activate(
        self, who: Caller, kind: str, number: int, *, apply_to: ApplyTo, reason: str | None
    ) -> Version:
        """In force for every transaction that begins after this one is committed."""
        self._refuse_open(kind, apply_to)
        async with self.database.tenant(who.tenant_id) as connection:
            version = await self._locked(connection, who, kind, number)
            before = await self.store.active(connection, who.tenant_id, kind)
            report = await self._report(connection, who, version, before)
            activation = Activation(
                who.actor,
                self._clock.now(),
                reason,
                apply_to,
                report,
                before.number if before else None,
            )
            with _refusals():
                after = domain.activated(version, activation)
            await self._put_in_force(connection, who, kind, before, after, "activated", reason, apply_to)
        self._outbox.wake()
        self._applying.wake()
        return after

    async def roll_back(
        self, who: Caller, kind: str, to: int | None, reason: str, apply_to: ApplyTo
    ) -> Version | None:
        """To version `to`, or to what was in force before; None: the deployment's own. Needs no what-if."""
        self._refuse_open(kind, apply_to)
        async with self.database.tenant(who.tenant_id) as connection:
            await self.store.lock(connection, who.tenant_id, kind)
            before = await self.store.active(connection, who.tenant_id, kind)
            if to is None and before is None:
                raise _conflict(f"No version of {kind} is in force, so there is nothing to roll back.")
            number = to if to is not None else _replaced_by(before)
            after = None
            if number is not None:
                target = await self.store.get(connection, who.tenant_id, kind, number)
                if target is None:
                    raise not_found(f"Version {number} of {kind}")
                with _refusals():
                    after = domain.restored(target, who.actor, reason, self._clock.now(), apply_to)
                if kind in KINDS:
                    read_here(kind, after.content.text)
            await self._put_in_force(connection, who, kind, before, after, "rolled back", reason, apply_to)
        self._outbox.wake()
        self._applying.wake()
        return after

    async def base_of(self, connection: AsyncConnection, tenant_id: str, kind: str) -> str:
        """The digest of what is in force; OWN for the own policy of the service that reads the kind."""
        active = await self.store.active(connection, tenant_id, kind)
        return self._base(kind, active)

    def own_digest(self, kind: str) -> str:
        """Of the deployment's own policy; OWN where only the service that reads it knows it."""
        return self._base(kind, None)

    async def _put_in_force(
        self,
        connection: AsyncConnection,
        who: Caller,
        kind: str,
        before: Version | None,
        after: Version | None,
        deed: str,
        words: str | None,
        apply_to: ApplyTo,
    ) -> None:
        if before is not None:
            await self.store.save(connection, who.tenant_id, domain.retired(before))
        if after is not None:
            await self.store.save(connection, who.tenant_id, after)
        at = after.activation.at if after and after.activation else self._clock.now()
        await self.store.note(
            connection,
            who.tenant_id,
            kind,
            deed,
            number=after.number if after else None,
            actor=who.actor,
            at=at,
            words=words,
            data={
                "from": before.number if before else None,
                "digest": after.content.digest if after else None,
                "what_if": after.activation.what_if if after and after.activation else None,
                "apply_to": apply_to,
            },
            to_apply=apply_to == "open",
        )
        content = after.content if after else None
        if kind in SCORING_KINDS:
            await self._outbox.add(connection, [policy_activated(who.tenant_id, kind, content, at)])
        if kind in TOLD_INGEST:
            await _tell_ingest(connection, who.tenant_id, kind, content, at)

    def _refuse_open(self, kind: str, apply_to: ApplyTo) -> None:
        if apply_to == "open" and kind not in self._applying.kinds:
            raise _only_new(kind, tuple(self._applying.kinds))

    async def _report(
        self, connection: AsyncConnection, who: Caller, version: Version, before: Version | None
    ) -> str | None:
        kind = version.kind
        if kind not in self.replayed or version.state != "reviewed":
            return None
        found = await self._reports.latest(
            connection, who.tenant_id, kind, version.content.digest, self._base(kind, before)
        )
        if found is None:
            raise ProblemError(
                409,
                "what-if-required",
                "What would it change?",
                f"A what-if is required before activation: none was finished for this text of version "
                f"{version.number} against what is in force now. Run one with POST /v1/what-if "
                f'{{"kind": "{kind}", "version": {version.number}, "days": 30}}, '
                "look at what it says, and activate then.",
            )
        return found

    def _base(self, kind: str, active: Version | None) -> str:
        if active is not None:
            return active.content.digest
        own = self.source.deployment.own.get(kind)
        return own.content.digest if own else OWN

    async def _refuse_namesake(
        self, connection: AsyncConnection, who: Caller, kind: str, content: Text, number: int
    ) -> None:
        """Decision records name a policy by name@version, so one name has one text."""
        other = await self.store.namesake(connection, who.tenant_id, kind, content, number)
        own = self.source.deployment.own.get(kind)
        whose = f"version {other}" if other else None
        if own and own.content.policy == content.policy and own.content.digest != content.digest:
            whose = "the deployment's own policy"
        if whose:
            detail = f"{content.policy} names {whose}, which has another text; raise what follows the @"
            raise invalid((("/text/policy", detail),))

    async def _locked(self, connection: AsyncConnection, who: Caller, kind: str, number: int) -> Version:
        await self.store.lock(connection, who.tenant_id, kind)
        version = await self.store.get(connection, who.tenant_id, kind, number)
        if version is None:
            raise not_found(f"Version {number} of {kind}")
        return version

    async def _note(
        self, connection: AsyncConnection, who: Caller, version: Version, deed: str, words: str | None
    ) -> None:
        await self.store.note(
            connection,
            who.tenant_id,
            version.kind,
            deed,
            number=version.number,
            actor=who.actor,
            at=self._clock.now(),
            words=words,
            data={"digest": version.content.digest, "edition": version.edition},
        )


async def _tell_ingest(
    connection: AsyncConnection, tenant_id: str, kind: str, content: Text | None, at: datetime
) -> None:
    """Its next transaction works by it. None: by the deployment's own."""
    if content is None:
        await take_out_of_force(connection, tenant_id, kind)
    else:
        await put_in_force(connection, tenant_id, kind, content.policy, content.text, content.digest, at)


def _replaced_by(version: Version | None) -> int | None:
    return version.activation.replaced if version and version.activation else None


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except domain.FourEyesError as error:
        raise ProblemError(403, "four-eyes", "Somebody else has to do this", str(error)) from error
    except RefusedError as error:
        raise _conflict(str(error)) from error


def _conflict(detail: str) -> ProblemError:
    return ProblemError(409, "not-now", "The version does not allow this now", detail)


def _stale(version: Version) -> ProblemError:
    return ProblemError(
        412,
        "stale-version",
        "The draft has changed since you saw it",
        f"It is at edition {version.edition} now; GET it, look again, and send the new ETag.",
        headers={"ETag": f'"{version.edition}"'},
    )


def _only_new(kind: str, possible: tuple[str, ...]) -> ProblemError:
    others = f" Only {', '.join(possible)} can be applied to open items." if possible else ""
    return invalid(
        (("/apply_to", f'must be "new" for {kind}: it decides about what comes from now on.{others}'),)
    )
