"""One step of a run: some feedback or items read, decided under both policies, in bounded memory."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import RowMapping

from heardback_router.configuration.domain import Text
from heardback_router.configuration.kinds import KINDS, SCORING_KINDS
from heardback_router.configuration.policies import Policies
from heardback_router.configuration.ports import Scoring
from heardback_router.routing.domain import RoutingPolicy
from heardback_router.whatif.domain import Case
from heardback_router.whatif.feedback import (
    Judged,
    Stored,
    asked_of,
    came_out_again,
    corrected,
    judged,
    routed,
    scored_of,
)
from heardback_router.whatif.items import clocked, timed, weighed
from heardback_router.whatif.ports import Clocks, Corrections
from heardback_router.whatif.store import PostgresWhatIfs, Window
from heardback_shared.contracts.events import Embedding, FeedbackScored
from heardback_shared.db.database import Database

T = TypeVar("T")
TOGETHER = 10
ROWS = 200
"""Looked at in one step; scoring judges no more than 500 at once."""


class StrangeAnswerError(Exception):
    """Scoring judged something else than what it was asked."""


@dataclass(frozen=True, slots=True)
class Job:
    """`base` are the policies in force; `base_text` those of the candidate's kind, None where only scoring
    knows them. `bearer` is the key that scoring is asked with."""

    kind: str
    candidate: Text
    base: Policies
    base_text: Text | None
    window: Window
    bearer: str


@dataclass(frozen=True, slots=True)
class Step:
    """`place` is where the next step begins; None at the end."""

    cases: tuple[Case, ...]
    place: list[str] | None


class Steps:
    def __init__(
        self,
        database: Database,
        store: PostgresWhatIfs,
        scoring: Scoring,
        corrections: Corrections,
        clocks: Clocks,
    ) -> None:
        self._database = database
        self._store = store
        self._scoring = scoring
        self._corrections = corrections
        self._clocks = clocks

    async def next(self, job: Job, place: Sequence[str]) -> Step:
        """No transaction is open while scoring is asked. Raises ProblemError when it cannot be."""
        if job.kind in SCORING_KINDS or job.kind == "routing":
            return await self._feedback(job, place)
        return await self._items(job, place)

    async def _feedback(self, job: Job, place: Sequence[str]) -> Step:
        tenant_id, keyed = job.window.tenant_id, job.kind in SCORING_KINDS
        after = (datetime.fromisoformat(place[0]), place[1])
        async with self._database.tenant(tenant_id) as connection:
            rows = await self._store.feedback(connection, job.window, after, ROWS, whole=keyed)
            ids = [row["feedback_id"] for row in rows]
            held = await self._corrections.held(connection, tenant_id, ids) if keyed else {}
        if keyed:
            cases = await self._judged(job, rows, held)
        else:
            candidate: RoutingPolicy = KINDS["routing"](job.candidate.text)
            cases = [
                routed(_stored(tenant_id, row), job.base.routing, candidate) async for row in unhurried(rows)
            ]
        cases = await self._with_clocks(job, cases)
        last = [rows[-1]["accepted_at"].isoformat(), rows[-1]["feedback_id"]] if len(rows) == ROWS else None
        return Step(tuple(cases), last)

    async def _with_clocks(self, job: Job, cases: Sequence[Case]) -> list[Case]:
        """Each item is seen once, with the feedback that opened it."""
        opened = [case.item_id for case in cases if case.opened]
        async with self._database.tenant(job.window.tenant_id) as connection:
            logs = await self._store.logs(connection, job.window, opened)
        return [
            timed(case, logs[case.item_id], job.base.sla, self._clocks, job.window.until)
            if case.opened and logs.get(case.item_id)
            else case
            async for case in unhurried(cases)
        ]

    async def _judged(
        self, job: Job, rows: Sequence[RowMapping], held: Mapping[str, frozenset[str]]
    ) -> list[Case]:
        scored = [scored_of(dict(row)) async for row in unhurried(rows)]
        asked = [asked_of(row["score"], one, _embedding(row)) for row, one in zip(rows, scored, strict=True)]
        after = await self._ask(job, job.candidate, asked)
        if job.base_text is None:
            before = [Judged.stored(one.score) for one in scored]
        elif job.base_text.digest == job.candidate.digest:
            before = after
        else:
            before = await self._ask(job, job.base_text, asked)
        return [
            self._case(job, row, one, old, new, held.get(row["feedback_id"], frozenset()))
            async for row, one, old, new in unhurried(list(zip(rows, scored, before, after, strict=True)))
        ]

    def _case(
        self,
        job: Job,
        row: RowMapping,
        scored: FeedbackScored,
        before: Judged,
        after: Judged,
        held: frozenset[str],
    ) -> Case:
        found = Judged.stored(scored.score)
        case = judged(
            _stored(job.window.tenant_id, row),
            scored,
            corrected(before, found, held),
            corrected(after, found, held),
            job.base.routing,
        )
        again = None
        if not held:
            again = came_out_again(job.kind, after, scored.score, job.candidate.policy)
            if again is None and job.base_text is not None:
                again = came_out_again(job.kind, before, scored.score, job.base_text.policy)
        return case.told(replayed=again, held=bool(held))

    async def _ask(self, job: Job, text: Text, asked: Sequence[Mapping[str, Any]]) -> list[Judged]:
        answer = await self._scoring.judge({job.kind: text.text}, asked, job.bearer)
        try:
            ids = [row["feedback_id"] for row in answer]
            found = [Judged.of(row) for row in answer]
        except (ValueError, KeyError, TypeError) as error:
            raise StrangeAnswerError("scoring's answer does not have the shape it should have") from error
        if ids != [row["accepted"]["feedback_id"] for row in asked]:
            raise StrangeAnswerError("scoring judged other feedback than it was asked about")
        return found

    async def _items(self, job: Job, place: Sequence[str]) -> Step:
        window = job.window
        async with self._database.tenant(window.tenant_id) as connection:
            items = await self._store.items(connection, window, place[0], ROWS)
            logs = {}
            if job.kind == "sla":
                logs = await self._store.logs(connection, window, [item.id for item in items])
        candidate = KINDS[job.kind](job.candidate.text)
        if job.kind == "weighing":
            cases = [
                weighed(item, job.base.weighing, candidate, window.until) async for item in unhurried(items)
            ]
        else:
            cases = [
                clocked(item, logs[item.id], job.base.sla, candidate, self._clocks, window.until)
                async for item in unhurried(items)
                if logs.get(item.id)
            ]
        return Step(tuple(cases), [items[-1].id] if len(items) == ROWS else None)


async def unhurried(many: Sequence[T]) -> AsyncIterator[T]:
    """One after the other, giving way to whatever else the process has to do: it routes at the same time."""
    for place, one in enumerate(many):
        if place % TOGETHER == 0:
            await asyncio.sleep(0)
        yield one


def _stored(tenant_id: str, row: RowMapping) -> Stored:
    return Stored(
        tenant_id,
        row["feedback_id"],
        row["item_id"],
        row["decision"],
        row["item_team"],
        row["item_state"],
        row["item_touched"],
    )


def _embedding(row: RowMapping) -> Embedding | None:
    if row["embedding"] is None or row["embedding_model"] is None:
        return None
    return Embedding.of(row["embedding_model"], row["embedding"])
