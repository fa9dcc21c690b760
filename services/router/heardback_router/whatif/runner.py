"""Background task: carries out what-if runs step by step, so that any process can go on where one ended.

What a step found, what was counted so far and where the next begins are stored in one transaction. A run
whose process ended goes on in another, except where scoring has to be asked: then the caller's key is gone
with the process, and the run is marked as failed, to be resumed by somebody with a key.
"""

import asyncio
import traceback
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import RowMapping

from heardback_router.configuration.app import Versions
from heardback_router.configuration.domain import Text
from heardback_router.configuration.kinds import ALL_KINDS, SCORING_KINDS
from heardback_router.whatif.domain import Tally, digest_of, report_of
from heardback_router.whatif.steps import Job, Step, Steps, StrangeAnswerError
from heardback_router.whatif.store import PostgresWhatIfs, Window
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database, is_unavailable
from heardback_shared.errors import ProblemError
from heardback_shared.ids import new_id

LEASE = timedelta(minutes=5)
"""Longer than any step takes, scoring's answers included."""
POLL_SECONDS = 2.0
LOST_KEY = "The process that ran it ended, and the caller's key with it; resume it to go on where it stopped."
CHANGED = "What is in force has changed since the run was made; run it again to compare with what is now."
_log = structlog.get_logger(__name__)


class Runner:
    def __init__(
        self,
        database: Database,
        store: PostgresWhatIfs,
        versions: Versions,
        steps: Steps,
        clock: Clock,
    ) -> None:
        self.id = new_id("rn")
        self._database = database
        self._store = store
        self._versions = versions
        self._steps = steps
        self._clock = clock
        self._keys: dict[tuple[str, str], str] = {}
        self._waiting = asyncio.Event()

    def lease(self, now: datetime) -> datetime:
        return now + LEASE

    def take(self, tenant_id: str, run_id: str, bearer: str | None) -> None:
        """A run waits; `bearer` is kept in memory alone, until the run has ended."""
        if bearer is not None:
            self._keys[tenant_id, run_id] = bearer
        self._waiting.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Runs until told to stop; a run in hand goes on later. An unavailable database only delays it."""
        while not stop.is_set():
            try:
                if await self.once(stop):
                    continue
            except Exception as error:
                if not is_unavailable(error):
                    raise
                _log.warning("what_if.database_unavailable", error=type(error).__name__)
            await self._pause(stop)

    async def once(self, stop: asyncio.Event | None = None) -> bool:
        """Carries out one run, or as much of it as there is time for; False if none waits."""
        now = self._clock.now()
        async with self._database.worker() as connection:
            await self._store.hold(connection, self.id, self.lease(now))
            await self._store.fail_orphans(connection, self.id, now, SCORING_KINDS, LOST_KEY)
            found = await self._store.claim(connection, self.id, now, self.lease(now), SCORING_KINDS)
        if found is None:
            return False
        try:
            await self._carry_out(*found, stop or asyncio.Event())
        except ProblemError as error:
            await self._fail(*found, error.detail)
        except StrangeAnswerError as error:
            await self._fail(*found, str(error))
        except Exception as error:
            if is_unavailable(error):
                raise
            _log.error("what_if.failed", run=found[1], error=type(error).__name__, where=_where(error))
            await self._fail(*found, "It failed on our side; the log of the router says where.")
        return True

    async def _carry_out(self, tenant_id: str, run_id: str, stop: asyncio.Event) -> None:
        while not stop.is_set():
            async with self._database.tenant(tenant_id) as connection:
                run = await self._store.get(connection, tenant_id, run_id)
                if run is None or run["state"] != "running":
                    return
                job = await self._job(connection, run)
            if job is None:
                await self._fail(tenant_id, run_id, CHANGED)
                return
            step = await self._steps.next(job, run["progress"]["place"])
            if not await self._store_step(run, step) or step.place is None:
                self._keys.pop((tenant_id, run_id), None)
                return

    async def _job(self, connection: Any, run: RowMapping) -> Job | None:
        """None where something else is in force by now."""
        tenant_id, kind = run["tenant_id"], run["kind"]
        source = self._versions.source
        theirs = await source.in_force(connection, tenant_id)
        for one in ALL_KINDS:
            found = theirs[one].digest if one in theirs else self._versions.own_digest(one)
            if run["base"].get(one, found) != found:
                return None
        active = await self._versions.store.active(connection, tenant_id, kind) if kind in theirs else None
        own = source.deployment.own.get(kind)
        base_text = active.content if active else own.content if own else None
        return Job(
            kind,
            Text(run["policy"], run["text"], run["digest"]),
            await source.as_in(connection, tenant_id, theirs.values()),
            base_text,
            Window(tenant_id, run["since"], run["until"]),
            self._keys.get((tenant_id, run["id"]), ""),
        )

    async def _store_step(self, run: RowMapping, step: Step) -> bool:
        progress, now = run["progress"], self._clock.now()
        tally = Tally.of(progress["tally"])
        found = [shown for case in step.cases if (shown := tally.add(case)) is not None]
        values: dict[str, Any] = {
            "progress": {
                "days": progress["days"],
                "done": progress["done"] + len(step.cases),
                "place": step.place,
                "tally": tally.data,
            },
            "changes": tally.changed,
            "lease_until": self.lease(now),
        }
        if step.place is None:
            values |= self._finished(run, tally, now)
        async with self._database.tenant(run["tenant_id"]) as connection:
            return await self._store.advance(connection, run["tenant_id"], run["id"], self.id, found, values)

    def _finished(self, run: RowMapping, tally: Tally, now: datetime) -> dict[str, Any]:
        kind = run["kind"]
        candidate = {"policy": run["policy"], "digest": run["digest"]}
        base = {"digest": run["base"][kind]}
        unit = "items" if kind in {"weighing", "sla"} else "feedbacks"
        report = report_of(tally, kind, candidate, base, unit, run["progress"]["days"])
        return {
            "state": "done",
            "ended_at": now,
            "runner": None,
            "report": report,
            "report_digest": digest_of(report),
        }

    async def _fail(self, tenant_id: str, run_id: str, problem: str) -> None:
        self._keys.pop((tenant_id, run_id), None)
        async with self._database.tenant(tenant_id) as connection:
            await self._store.move(
                connection,
                tenant_id,
                run_id,
                ("waiting", "running"),
                state="failed",
                ended_at=self._clock.now(),
                problem=problem,
                runner=None,
            )

    async def _pause(self, stop: asyncio.Event) -> None:
        waits = [asyncio.create_task(stop.wait()), asyncio.create_task(self._waiting.wait())]
        try:
            await asyncio.wait(waits, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        self._waiting.clear()


def _where(error: Exception) -> str:
    """File and line where it was raised."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename}:{frame.lineno}"
