"""Use cases: what asking does to customers, a cap suggested from it, and whether the cap helped."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.app.sampling.ports import (
    Asking,
    Drafts,
    Experiments,
    MadeSuggestion,
    Running,
    Sent,
)
from heardback_ingest.domain.sampling.arms import NONE
from heardback_ingest.domain.sampling.drafting import with_gap
from heardback_ingest.domain.sampling.exposure import Ask, Asks, columns
from heardback_ingest.domain.sampling.fatigue import Effect, Refused, estimate
from heardback_ingest.domain.sampling.monitors import Monitor, monitors
from heardback_ingest.domain.sampling.suggesting import Bearable, Checked, Suggestion, checked, suggest
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.errors import ProblemError
from heardback_shared.ids import new_id
from heardback_shared.policies.in_force import PoliciesInForce

DAYS = 365
SETTLED_AFTER = timedelta(days=7)
"""Answers to what was sent since may still come."""
MOST_ASKS = 300_000
"""The newest so many are looked at."""
KIND = "surveys"
SAME_IN_A_ROW = 3


@dataclass(frozen=True, slots=True)
class Report:
    """`effect` says what asking does, or why that cannot be told. `shortened`: there were more asks than are
    looked at, so the oldest are left out."""

    experiment: Running | None
    since: datetime
    until: datetime
    asks: int
    shortened: bool
    effect: Effect | Refused
    by_lot: Monitor
    others: Monitor
    suggestion: Suggestion | None
    changed_at: datetime | None
    check: Checked | None


class Fatigue:
    """Everything raises ProblemError for what the caller can mend."""

    def __init__(
        self,
        database: Database,
        asking: Asking,
        experiments: Experiments,
        policies: PoliciesInForce,
        drafts: Drafts,
        clock: Clock,
    ) -> None:
        self._database = database
        self._asking = asking
        self._experiments = experiments
        self._policies = policies
        self._drafts = drafts
        self._clock = clock

    async def report(self, tenant_id: str, bearable: Bearable) -> Report:
        """Over the last year. `check` compares before and after the surveys policy came in force."""
        until = self._clock.now() - SETTLED_AFTER
        since = until - timedelta(days=DAYS)
        async with self._database.tenant(tenant_id) as c:
            experiment = await self._experiments.newest(c, tenant_id)
            sent = await self._sent(c, tenant_id, experiment, since, until)
            changed_at = (await self._policies.deciding(c, tenant_id, KIND)).since
        return await asyncio.to_thread(_reported, experiment, sent, since, until, bearable, changed_at)

    async def suggest(self, tenant_id: str, by: str, bearer: str, bearable: Bearable) -> MadeSuggestion:
        """Proposes the suggested distance as a draft of the surveys policy; somebody else approves it."""
        report = await self.report(tenant_id, bearable)
        if isinstance(report.effect, Refused):
            raise _nothing(report.effect.detail)
        found = report.suggestion
        if found is None or found.gap is None or report.experiment is None:
            raise _nothing(found.because if found else "Nothing was watched yet.")
        async with self._database.tenant(tenant_id) as c:
            text = (await self._policies.deciding(c, tenant_id, KIND)).text
        policy = with_gap(text, found.gap, NONE)
        # No transaction is open while router is asked.
        number = await self._drafts.propose(KIND, policy, found.because, bearer)
        made = MadeSuggestion(
            new_id("fs"),
            report.experiment.experiment.id,
            found.gap,
            {"effect": asdict(report.effect), "suggestion": asdict(found), "bearable": asdict(bearable)},
            policy,
            number,
            by,
            self._clock.now(),
        )
        async with self._database.tenant(tenant_id) as c:
            await self._experiments.suggested(c, tenant_id, made)
        return made

    async def suggestions(self, tenant_id: str, limit: int) -> Sequence[MadeSuggestion]:
        async with self._database.tenant(tenant_id) as c:
            return await self._experiments.suggestions(c, tenant_id, limit)

    async def _sent(
        self,
        c: AsyncConnection,
        tenant_id: str,
        experiment: Running | None,
        since: datetime,
        until: datetime,
    ) -> list[Sent]:
        name = experiment.experiment.id if experiment else None
        return await self._asking.sent(c, tenant_id, name, since, until, MOST_ASKS + 1)


def asks_of(sent: Sequence[Sent]) -> Asks:
    """A refusal belongs to the last ask before it; so does the third same score in a row to its answer."""
    by_person: dict[str, list[Sent]] = {}
    for one in sorted(sent, key=lambda one: (one.person_id, one.at)):
        by_person.setdefault(one.person_id, []).append(one)
    return columns(ask for person in by_person.values() for ask in _person(person))


def _person(sent: Sequence[Sent]) -> list[Ask]:
    asks, runs = [], dict[str, tuple[float, int]]()
    for place, one in enumerate(sent):
        following = sent[place + 1].at if place + 1 < len(sent) else None
        left = one.refused_at is not None and (following is None or one.refused_at < following)
        again = None
        if one.answered and one.score is not None:
            score, length = runs.get(one.type, (one.score, 0))
            runs[one.type] = (one.score, length + 1 if score == one.score else 1)
            again = runs[one.type][1] >= SAME_IN_A_ROW
        asks.append(Ask(one.person_id, one.at, one.gap, one.answered, one.seen, left, again))
    return asks


def _reported(
    experiment: Running | None,
    sent: Sequence[Sent],
    since: datetime,
    until: datetime,
    bearable: Bearable,
    changed_at: datetime | None,
) -> Report:
    shortened = len(sent) > MOST_ASKS
    kept = sent[-MOST_ASKS:]
    start = min((one.at for one in kept), default=since)
    asks = asks_of(kept)
    watched = max(1.0, (until - start).total_seconds() / 86_400)
    effect = estimate(asks)
    by_lot, others = monitors(asks)
    check = None
    if changed_at is not None and start < changed_at < until:
        check = checked(asks, (changed_at - start).total_seconds() / 86_400)
    return Report(
        experiment,
        start if kept else since,
        until,
        len(kept),
        shortened,
        effect,
        by_lot,
        others,
        None if isinstance(effect, Refused) else suggest(effect, asks, watched, bearable),
        changed_at,
        check,
    )


def _nothing(because: str) -> ProblemError:
    return ProblemError(409, "not-now", "There is nothing to suggest", because)
