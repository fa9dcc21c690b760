"""Loops: opened when feedback is routed, moved with their item, told through outreach, answered by customers.

Every method works in the caller's transaction and returns what belongs into its outbox.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.domain import ROUTER, Item, ItemEvent, Resolution
from heardback_router.campaigns.domain import ChangeRecord
from heardback_router.campaigns.ports import Changes
from heardback_router.loops.announce import loop_changed
from heardback_router.loops.domain import (
    Already,
    Answer,
    Refuse,
    Take,
    after,
    event_after,
    judge_answer,
)
from heardback_router.loops.drafting import Matter
from heardback_router.loops.outcomes import outcome_of
from heardback_router.loops.ports import Loop, LoopStep, LoopStore, Opening, Tellings
from heardback_router.loops.resolving import Resolving
from heardback_router.loops.review_store import PostgresReviews
from heardback_router.loops.saying import Saying
from heardback_router.loops.showing import shown
from heardback_router.loops.telling import TellingPolicy, may_tell
from heardback_router.loops.withdrawing import SOLVED_FIRST, Withdrawing
from heardback_router.outreach.domain import Standing
from heardback_router.outreach.ports import Outreach
from heardback_router.wording import CustomerText, InternalText
from heardback_shared.contracts.events import LoopRef, LoopState
from heardback_shared.metrics import Metrics
from heardback_shared.stream.ports import Outgoing

CUSTOMER = "customer"
PROMISE_OVER = "The promise it was about is kept, or is not owed any more."
_LEFT_IN_PEACE: frozenset[LoopState] = frozenset({"confirmed", "told"})
"""One customer's doubt is no news for those who have none."""
_REPLANNED: frozenset[LoopState] = frozenset({"acknowledged", "disputed", "not_told", "failed"})


class Loops:
    def __init__(
        self,
        store: LoopStore,
        tellings: Tellings,
        reviews: PostgresReviews,
        saying: Saying,
        outreach: Outreach,
        changes: Changes,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._tellings = tellings
        self._saying = saying
        self._resolving = Resolving(store, saying)
        self._withdrawing = Withdrawing(tellings, reviews, outreach)
        self._outreach = outreach
        self._changes = changes
        self._metrics = metrics

    async def open(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        openings: Sequence[Opening],
        items: Mapping[str, Item],
        policy: TellingPolicy,
        at: datetime,
    ) -> tuple[Mapping[str, LoopRef], Sequence[Outgoing]]:
        """The loop of each routed feedback: its customer's in that item, or a new one. A new one is not
        announced: what routing answers carries it.

        Who was told, or had confirmed, and writes again waits for what becomes of it from now on.
        """
        opened = dict(await self._store.open(connection, tenant_id, openings, at))
        again = {loop.id for loop in opened.values() if loop.state in _LEFT_IN_PEACE}
        outgoing, taken_up = await self._taken_up(connection, tenant_id, again, "wrote_again", at)
        opened = {feedback_id: taken_up.get(loop.id, loop) for feedback_id, loop in opened.items()}
        new = {
            loop.id: loop for loop in opened.values() if loop.status.sequence == 1 and loop.opened_at == at
        }
        self._metrics.loops.labels("acknowledged").inc(len(new))
        if new and may_tell(policy, "acknowledged"):
            by_item: dict[str, list[Loop]] = {}
            for loop in new.values():
                by_item.setdefault(loop.item_id, []).append(loop)
            for item_id, theirs in by_item.items():
                item = items[item_id]
                matter = Matter(item_id, "acknowledged", item.weight.band, item.domain, _about(item))
                await self._saying.say(connection, tenant_id, matter, theirs, policy, at)
        return {feedback_id: _ref(loop) for feedback_id, loop in opened.items()}, outgoing

    async def _taken_up(
        self, connection: AsyncConnection, tenant_id: str, loop_ids: Collection[str], code: str, at: datetime
    ) -> tuple[list[Outgoing], Mapping[str, Loop]]:
        """Those of them that had been told or confirmed begin the next round; by id as they are then."""
        if not loop_ids:
            return [], {}
        loops = await self._store.lock(connection, tenant_id, loop_ids)
        steps = [
            self._step(loop, "acknowledged", at, ROUTER, code=code)
            for loop in loops
            if loop.state in _LEFT_IN_PEACE
        ]
        return await self._take(connection, tenant_id, steps), {step.after.id: step.after for step in steps}

    async def planned(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        item: Item,
        policy: TellingPolicy,
        *,
        plan: CustomerText | None,
        due: datetime | None,
        actor: str,
        at: datetime,
    ) -> Sequence[Outgoing]:
        """Work on the item has begun. Whoever was told something in this round hears of what comes of it."""
        loops = await self._store.lock_item(connection, tenant_id, item.id)
        steps = [self._step(loop, "planned", at, actor) for loop in loops if loop.state in _REPLANNED]
        outgoing = await self._take(connection, tenant_id, steps)
        if may_tell(policy, "planned"):
            author = actor if plan else None
            band, about = item.weight.band, _about(item)
            matter = Matter(
                item.id, "planned", band, item.domain, about, author, plan=plan, due=due, expires_at=due
            )
            await self._saying.say(connection, tenant_id, matter, [step.after for step in steps], policy, at)
        return outgoing

    async def recorded(
        self, connection: AsyncConnection, tenant_id: str, resolution: Resolution, at: datetime
    ) -> None:
        """What a resolution changed, before anybody is told of it."""
        if resolution.tell_customer is None:
            return
        change = ChangeRecord(
            id=resolution.change_id,
            result=resolution.result,
            what=InternalText(resolution.action),
            tell=resolution.tell_customer,
            on=at.date(),
            reference=resolution.reference,
            item_ids=(resolution.item_id,),
            recorded_by=resolution.actor,
            recorded_at=at,
            translations=resolution.translations,
        )
        await self._changes.record(connection, tenant_id, change)

    async def resolved(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        resolution: Resolution,
        policy: TellingPolicy,
        at: datetime,
    ) -> Sequence[Outgoing]:
        """Every stake that the resolution names moves on: told, in a review, or not told, with the reason.

        Whoever has confirmed before, or was told this very result and has not said that it is wrong, is not
        asked again: what was told as done and is declined after all is news. A stake without a loop gets one
        first.
        """
        loops = await self._resolving.stakes(connection, tenant_id, resolution, at)
        steps = [
            self._step(
                loop,
                "changed",
                at,
                resolution.actor,
                code=resolution.result,
                result=resolution.result,
                message=resolution.tell_customer,
            )
            for loop in loops
            if loop.state not in _LEFT_IN_PEACE or _told_otherwise(loop, resolution)
        ]
        changed = [step.after for step in steps]
        await self._withdrawing.overtake(connection, tenant_id, changed, at)
        await self._withdrawing.of_item(connection, tenant_id, resolution.item_id, SOLVED_FIRST, at)
        withheld = await self._resolving.tell(connection, tenant_id, resolution, changed, policy, at)
        ended = [
            self._step(loop, "not_told", at, ROUTER, why.code, why.reason)
            for loop in changed
            if (why := withheld.get(loop.id)) is not None
        ]
        return await self._take(connection, tenant_id, [*steps, *ended])

    async def reopened(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        item_id: str,
        *,
        by_loop: str | None,
        actor: str,
        at: datetime,
    ) -> Sequence[Outgoing]:
        """What was to be told is not true any more: what has not left is taken back, and its customers wait
        for the next round. Where a colleague says it is not solved, those who had been told or had confirmed
        wait too, and so do those to whom it is just being told. The loop of the customer who says so moves by
        that answer."""
        loops = await self._store.lock_item(connection, tenant_id, item_id)
        await self._withdrawing.take_back(connection, tenant_id, item_id, loops, at)
        underway = await self._outreach.of_loops(connection, tenant_id, [loop.id for loop in loops])
        again = [
            loop
            for loop in loops
            if loop.id != by_loop
            and (
                (loop.state == "changed" and (by_loop is None or not _handed(underway.get(loop.id, ()))))
                or (loop.state in _LEFT_IN_PEACE and by_loop is None)
            )
        ]
        steps = [self._step(loop, "acknowledged", at, actor, code="reopened") for loop in again]
        return await self._take(connection, tenant_id, steps)

    async def foreseen(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        item: Item,
        event: ItemEvent,
        policy: TellingPolicy,
        at: datetime,
    ) -> None:
        """Drafts the notice that a promise will be missed: it waits for as long as its owner may edit or stop
        it, or for a person who releases it. Those to whom it was not promised hear nothing."""
        to = event.data["to"]
        loops = await self._store.lock_item(connection, tenant_id, item.id)
        matter = Matter(
            item.id,
            "delayed",
            item.weight.band,
            item.domain,
            _about(item),
            occasion=event.data["promise_id"],
            not_before=at + policy.notice_window,
        )
        promised = [loop for loop in loops if to is None or loop.customer_id == to]
        waiting = [loop for loop in promised if loop.state != "confirmed"]
        await self._saying.say(connection, tenant_id, matter, waiting, policy, at)

    async def settled_promises(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        item_id: str,
        promise_ids: Sequence[str],
        at: datetime,
    ) -> None:
        """Nobody is told any more that these will not be kept: one was kept, or is not owed any more."""
        await self._withdrawing.of_item(
            connection, tenant_id, item_id, PROMISE_OVER, at, frozenset(promise_ids)
        )

    async def withhold(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        loop_ids: Collection[str],
        code: str,
        reason: str,
        at: datetime,
    ) -> Sequence[Outgoing]:
        """Those of them that wait to be told are not told."""
        loops = await self._store.lock(connection, tenant_id, loop_ids)
        waiting = [loop for loop in loops if loop.state == "changed"]
        steps = [self._step(loop, "not_told", at, ROUTER, code, reason) for loop in waiting]
        return await self._take(connection, tenant_id, steps)

    async def settle(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        standings: Mapping[str, Sequence[Standing]],
        at: datetime,
    ) -> Sequence[Outgoing]:
        """What became of messages, by loop id. Only a message of the round that a loop is in moves it."""
        ids = {standing.id for given in standings.values() for standing in given}
        known = await self._tellings.of_messages(connection, tenant_id, ids)
        steps: list[LoopStep] = []
        for loop in await self._store.lock(connection, tenant_id, standings.keys()):
            now = loop
            for standing in standings[loop.id]:
                outcome = outcome_of(standing, known.get((standing.id, loop.id)), now.status)
                if outcome is not None:
                    for state in (*outcome.before, outcome.state):
                        made = self._step(now, state, at, ROUTER, outcome.code, outcome.reason)
                        steps.append(made)
                        now = made.after
        return await self._take(connection, tenant_id, steps)

    async def take_answer(
        self, connection: AsyncConnection, tenant_id: str, loop_id: str, answer: Answer, at: datetime
    ) -> tuple[Take | Already | Refuse, Sequence[Outgoing]]:
        """Judges the answer with the loop locked, and moves the loop if it counts. The loop must exist."""
        (loop,) = await self._store.lock(connection, tenant_id, [loop_id])
        verdict = judge_answer(loop.state, answer)
        if not isinstance(verdict, Take):
            return verdict, []
        step = self._step(loop, answer, at, CUSTOMER)
        return verdict, await self._take(connection, tenant_id, [step])

    async def carry(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        feedback_ids: Sequence[str],
        source_id: str,
        target_id: str,
        at: datetime,
    ) -> Sequence[Outgoing]:
        """Stakes follow feedback that a person puts into another item. What was told of the item they leave
        says nothing of the one they come to: they hear what becomes of that."""
        result = await self._store.carry(connection, tenant_id, feedback_ids, source_id, target_id, at)
        left = [*result.moved, *result.merged]
        await self._withdrawing.moved(connection, tenant_id, source_id, left, at)
        outgoing, _ = await self._taken_up(connection, tenant_id, result.anew, "moved", at)
        return outgoing

    async def find(self, connection: AsyncConnection, tenant_id: str, loop_id: str) -> Loop | None:
        return await self._store.find(connection, tenant_id, loop_id)

    async def of_feedback(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Sequence[str]
    ) -> Mapping[str, LoopRef]:
        """The loop of each feedback that has one."""
        found = await self._store.of_feedback(connection, tenant_id, feedback_ids)
        return {feedback_id: _ref(loop) for feedback_id, loop in found.items()}

    async def of_item(
        self, connection: AsyncConnection, tenant_id: str, item_id: str
    ) -> list[dict[str, Any]]:
        """Every loop of the item with its history, oldest first; plain values for JSON."""
        found = await self._store.of_item(connection, tenant_id, item_id)
        said = await self._tellings.of_loops(connection, tenant_id, [loop.id for loop, _ in found])
        return [
            shown(loop, events, [one for one in said if one.loop_id == loop.id]) for loop, events in found
        ]

    def _step(
        self,
        loop: Loop,
        state: LoopState,
        at: datetime,
        actor: str,
        code: str | None = None,
        reason: str | None = None,
        **told: Any,
    ) -> LoopStep:
        event = event_after(loop.status, state, at, actor, code, reason)
        moved = replace(loop, status=after(loop.status, event), **told)
        # A new round has nothing to tell yet.
        fresh = replace(moved, result=None, message=None) if state == "acknowledged" else moved
        return LoopStep(event, fresh)

    async def _take(
        self, connection: AsyncConnection, tenant_id: str, steps: Sequence[LoopStep]
    ) -> list[Outgoing]:
        if not steps:
            return []
        await self._store.append(connection, tenant_id, steps)
        for step in steps:
            self._metrics.loops.labels(step.event.state).inc()
        return [loop_changed(tenant_id, step) for step in steps]


def _handed(standings: Iterable[Standing]) -> bool:
    """A channel has the message already; it cannot be taken back."""
    return any(standing.state == "handed" for standing in standings)


def _told_otherwise(loop: Loop, resolution: Resolution) -> bool:
    """Whether the customer was told another result than this one, and is told this one."""
    return loop.state == "told" and resolution.tell_customer is not None and loop.result != resolution.result


def _about(item: Item) -> str | None:
    return f"{item.domain}/{item.category}" if item.domain and item.category else item.domain


def _ref(loop: Loop) -> LoopRef:
    return LoopRef(id=loop.id, state=loop.state, at=loop.status.since)
