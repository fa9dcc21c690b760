"""Whom a resolution concerns, and who of them is told of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.domain import LinkedCustomer, Resolution
from heardback_router.loops.drafting import Matter
from heardback_router.loops.outcomes import NO_CUSTOMER, TOLD_NOTHING, Outcome
from heardback_router.loops.ports import Loop, LoopStore, Opening
from heardback_router.loops.saying import Saying
from heardback_router.loops.telling import TellingPolicy
from heardback_router.messages.domain import ChangeFacts


class Resolving:
    def __init__(self, store: LoopStore, saying: Saying) -> None:
        self._store = store
        self._saying = saying

    async def stakes(
        self, connection: AsyncConnection, tenant_id: str, resolution: Resolution, at: datetime
    ) -> Sequence[Loop]:
        """The loops of the customers it names, locked: its own first, then those of other items of their
        case. A stake without a loop gets one."""
        feedback = [f for linked in resolution.linked for f in linked.feedback_ids]
        found = await self._store.of_feedback(connection, tenant_id, feedback)
        missing = [(one, f) for one in resolution.linked for f in one.feedback_ids if f not in found]
        if missing:
            found = {**found, **await self._open(connection, tenant_id, resolution, missing, at)}
        locked = await self._store.lock(connection, tenant_id, {loop.id for loop in found.values()})
        return sorted(locked, key=lambda loop: (loop.item_id != resolution.item_id, loop.opened_at, loop.id))

    async def tell(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        resolution: Resolution,
        loops: Sequence[Loop],
        policy: TellingPolicy,
        at: datetime,
    ) -> Mapping[str, Outcome]:
        """Hands the messages on. What is returned says which loops are not told, and why."""
        text = resolution.tell_customer
        if text is None:
            code, because = resolution.not_telling_code, resolution.not_telling_because
            why = Outcome("not_told", code, because) if code else TOLD_NOTHING
            return {loop.id: why for loop in loops}
        change = ChangeFacts(
            resolution.result,
            text,
            resolution.on or at.date(),
            resolution.change_id,
            resolution.reference,
            translations=resolution.translations,
        )
        matter = Matter(
            resolution.item_id,
            "told",
            resolution.band,
            resolution.domain,
            resolution.about,
            resolution.actor,
            changes=(change,),
            promises=resolution.promises,
        )
        withheld = {loop.id: NO_CUSTOMER for loop in loops if loop.customer_id is None}
        for one in await self._saying.say(connection, tenant_id, matter, loops, policy, at):
            if one.decision.way == "nobody":
                why = Outcome("not_told", one.decision.rule, one.decision.because)
                withheld.update(dict.fromkeys((loop.id for loop in one.loops), why))
        return withheld

    async def _open(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        resolution: Resolution,
        missing: Sequence[tuple[LinkedCustomer, str]],
        at: datetime,
    ) -> Mapping[str, Loop]:
        raised = await self._store.raised(connection, tenant_id, [f for _, f in missing])
        openings = [Opening(f, resolution.item_id, one.customer_id, raised.get(f, at)) for one, f in missing]
        return await self._store.open(connection, tenant_id, openings, at)
