"""Use cases: ask what a policy would have changed, look at the answer, stop it, let it go on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.configuration.app import Caller, Versions
from heardback_router.configuration.check import check
from heardback_router.configuration.domain import Text
from heardback_router.configuration.kinds import ALL_KINDS, SCORING_KINDS
from heardback_router.configuration.ports import Readers
from heardback_router.whatif.runner import Runner
from heardback_router.whatif.store import PostgresWhatIfs, Window
from heardback_shared.clock import Clock
from heardback_shared.errors import ProblemError
from heardback_shared.http.problems import invalid, not_found
from heardback_shared.ids import new_id

MOST_AT_ONCE = 4
"""Unfinished runs of one tenant."""
FEEDBACK_KINDS = frozenset({"severity", "taxonomy", "routing"})
"""Kinds that decide feedback by feedback; the others are seen item by item."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A candidate, as text or as the number of a version, and what to run it over.

    `limit`: at most so many of the newest feedbacks, or any number of them.
    """

    kind: str
    text: str | None
    version: int | None
    days: int
    until: datetime | None
    limit: int | None


class WhatIfs:
    """Everything raises ProblemError for what the caller can mend."""

    def __init__(
        self, versions: Versions, store: PostgresWhatIfs, runner: Runner, readers: Readers, clock: Clock
    ) -> None:
        self._versions = versions
        self._database = versions.database
        self._store = store
        self._runner = runner
        self._readers = readers
        self._clock = clock

    async def start(self, who: Caller, asked: Asked) -> RowMapping:
        """A run that waits to be carried out in the background."""
        self._refuse_kind(asked.kind)
        now = self._clock.now()
        until = asked.until or now
        if until > now:
            raise invalid((("/until", "must not lie in the future"),))
        content = await self._candidate(who, asked)
        run_id = new_id("wi")
        window = Window(who.tenant_id, until - timedelta(days=asked.days), until)
        async with self._database.tenant(who.tenant_id) as connection:
            if await self._store.unfinished(connection, who.tenant_id) >= MOST_AT_ONCE:
                raise ProblemError(
                    409,
                    "not-now",
                    "Other runs are not finished",
                    f"At most {MOST_AT_ONCE} runs wait or run at once; wait for one, or cancel it.",
                )
            total, start = await self._extent(connection, window, asked)
            keyed = asked.kind in SCORING_KINDS
            row = {
                "tenant_id": who.tenant_id,
                "id": run_id,
                "kind": asked.kind,
                "policy": content.policy,
                "text": content.text,
                "digest": content.digest,
                "base": await self.bases(connection, who.tenant_id),
                "since": window.since,
                "until": window.until,
                "limit": asked.limit,
                "made_by": who.actor,
                "made_at": now,
                "state": "waiting",
                "total": total,
                "progress": {"days": asked.days, "done": 0, "place": start, "tally": {}},
                "changes": 0,
                "runner": self._runner.id if keyed else None,
                "lease_until": self._runner.lease(now) if keyed else None,
            }
            await self._store.add(connection, row)
            made = await self._get(connection, who.tenant_id, run_id)
        self._runner.take(who.tenant_id, run_id, who.bearer if keyed else None)
        return made

    async def bases(self, connection: AsyncConnection, tenant_id: str) -> dict[str, str]:
        """Digest of what is in force, by kind."""
        return {kind: await self._versions.base_of(connection, tenant_id, kind) for kind in ALL_KINDS}

    async def get(self, tenant_id: str, run_id: str) -> RowMapping:
        async with self._database.tenant(tenant_id) as connection:
            return await self._get(connection, tenant_id, run_id)

    async def newest(self, tenant_id: str, kind: str | None, limit: int) -> Sequence[RowMapping]:
        async with self._database.tenant(tenant_id) as connection:
            return await self._store.newest(connection, tenant_id, kind, limit)

    async def page(self, tenant_id: str, run_id: str, after: int, limit: int) -> list[str]:
        async with self._database.tenant(tenant_id) as connection:
            await self._get(connection, tenant_id, run_id)
            return await self._store.page(connection, tenant_id, run_id, after, limit)

    async def cancel(self, tenant_id: str, run_id: str) -> RowMapping:
        """What was found so far stays; it is no report."""
        values: dict[str, Any] = {"state": "cancelled", "ended_at": self._clock.now(), "runner": None}
        return await self._move(tenant_id, run_id, ("waiting", "running"), values, "cancelled")

    async def resume(self, who: Caller, run_id: str) -> RowMapping:
        """A run that failed goes on where it stopped, with the caller's key where scoring is asked."""
        keyed = (await self.get(who.tenant_id, run_id))["kind"] in SCORING_KINDS
        values: dict[str, Any] = {
            "state": "waiting",
            "ended_at": None,
            "problem": None,
            "runner": self._runner.id if keyed else None,
            "lease_until": self._runner.lease(self._clock.now()) if keyed else None,
        }
        run = await self._move(who.tenant_id, run_id, ("failed",), values, "resumed")
        self._runner.take(who.tenant_id, run_id, who.bearer if keyed else None)
        return run

    async def _move(
        self, tenant_id: str, run_id: str, froms: Sequence[Any], values: Mapping[str, Any], deed: str
    ) -> RowMapping:
        async with self._database.tenant(tenant_id) as connection:
            run = await self._get(connection, tenant_id, run_id)
            if not await self._store.move(connection, tenant_id, run_id, froms, **values):
                raise ProblemError(
                    409,
                    "not-now",
                    "The run does not allow this now",
                    f"The run is {run['state']}; it can be {deed} only while it is {' or '.join(froms)}.",
                )
            return await self._get(connection, tenant_id, run_id)

    async def _get(self, connection: AsyncConnection, tenant_id: str, run_id: str) -> RowMapping:
        row = await self._store.get(connection, tenant_id, run_id) if "\x00" not in run_id else None
        if row is None:
            raise not_found(f"What-if {run_id}")
        return row

    async def _candidate(self, who: Caller, asked: Asked) -> Text:
        if asked.text is not None:
            return (await check(asked.kind, asked.text, self._readers, who.bearer))[0]
        number = asked.version or 0
        async with self._database.tenant(who.tenant_id) as connection:
            version = await self._versions.store.get(connection, who.tenant_id, asked.kind, number)
        if version is None:
            raise invalid((("/version", f"there is no version {number} of {asked.kind}"),))
        return version.content

    async def _extent(
        self, connection: AsyncConnection, window: Window, asked: Asked
    ) -> tuple[int, list[str]]:
        """How many there are to look at, and the place before the first of them."""
        if asked.kind not in FEEDBACK_KINDS:
            return await self._store.item_count(connection, window), [""]
        total = await self._store.feedback_count(connection, window)
        if asked.limit is not None and total > asked.limit:
            place = await self._store.last_but(connection, window, asked.limit)
            if place is not None:
                return asked.limit, [place[0].isoformat(), place[1]]
        return total, [window.since.isoformat(), ""]

    def _refuse_kind(self, kind: str) -> None:
        if kind not in ALL_KINDS:
            raise invalid((("/kind", f"must be one of {', '.join(ALL_KINDS)}"),))
        if kind not in self._versions.replayed:
            known = ", ".join(sorted(self._versions.replayed))
            detail = f"what {kind} would change cannot be told from stored feedback; it can for {known}"
            raise invalid((("/kind", detail),))
