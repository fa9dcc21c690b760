"""Use cases of people who know better: merge items, split one, move a feedback. Each is a rule for later."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.announce import item_changed
from heardback_router.backlog.app import StaleVersionError, UnknownItemError
from heardback_router.backlog.commands import IllegalCommandError
from heardback_router.backlog.domain import Item, ItemEvent
from heardback_router.backlog.fold import apply
from heardback_router.backlog.log import Entry, append
from heardback_router.backlog.store import PostgresItems
from heardback_router.configuration.source import PolicySource
from heardback_router.grouping import announce
from heardback_router.grouping.cases import PostgresCases
from heardback_router.grouping.deed import (
    CarriedOut,
    Stakes,
    UnknownFeedbackError,
    UnknownSourceError,
    Wish,
)
from heardback_router.grouping.learning import Learning
from heardback_router.grouping.regrouping import (
    Member,
    NewRule,
    holding,
    opening,
    refuse_case_torn,
    refuse_regrouping,
    said,
)
from heardback_router.grouping.store import PostgresGrouping
from heardback_router.sla.pin import pinned
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox
from heardback_shared.ids import derived_id


class Regroup:
    """What people do to groups, each deed in one transaction with its rules, entries and announcements."""

    def __init__(
        self,
        database: Database,
        items: PostgresItems,
        store: PostgresGrouping,
        cases: PostgresCases,
        loops: Stakes,
        outbox: Outbox,
        policies: PolicySource,
        clock: Clock,
    ) -> None:
        self._loops = loops
        self._database = database
        self._items = items
        self._store = store
        self._cases = cases
        self._outbox = outbox
        self._policies = policies
        self._clock = clock
        self._learning = Learning(store)

    async def merge(self, wish: Wish, target_id: str, source_ids: Sequence[str]) -> Item:
        """All feedback of the sources is the target's from now on; the target afterwards.

        Raises UnknownItemError, UnknownSourceError, StaleVersionError, IllegalCommandError.
        """
        async with self._database.tenant(wish.tenant_id) as connection:
            deed = await self._deed(wish, connection)
            wanted = list(dict.fromkeys(source_ids))
            locked = await self._items.lock(connection, wish.tenant_id, {target_id, *wanted})
            target = _the(locked, target_id, wish.versions)
            for place, source_id in enumerate(wanted):
                if source_id not in locked:
                    raise UnknownSourceError(source_id, place)
            sources = [locked[source_id] for source_id in wanted]
            await self._refuse_merge(deed, target, sources)
            members = await self._store.members(connection, wish.tenant_id, locked)
            for source in sources:
                target = await self._merge_one(deed, target, source, members)
            await self._outbox.add(connection, deed.outgoing)
        self._outbox.wake()
        return target

    async def split(self, wish: Wish, item_id: str, feedback_ids: Sequence[str]) -> Item:
        """The named feedback of the item is a new item's from now on; the new item.

        Raises UnknownItemError, UnknownFeedbackError, StaleVersionError, IllegalCommandError.
        """
        async with self._database.tenant(wish.tenant_id) as connection:
            deed = await self._deed(wish, connection)
            locked = await self._items.lock(connection, wish.tenant_id, {item_id})
            item = _the(locked, item_id, wish.versions)
            opened = await self._split(deed, item, feedback_ids)
            await self._outbox.add(connection, deed.outgoing)
        self._outbox.wake()
        return opened

    async def move(self, wish: Wish, feedback_id: str, target_id: str | None) -> Item:
        """The feedback is in another item from now on, a new one for None; that item. The version is that of
        the item it leaves.

        Raises UnknownFeedbackError, UnknownSourceError, StaleVersionError, IllegalCommandError.
        """
        async with self._database.tenant(wish.tenant_id) as connection:
            deed = await self._deed(wish, connection)
            source_id = await self._store.item_of(connection, wish.tenant_id, feedback_id)
            if source_id is None:
                raise UnknownFeedbackError(feedback_id)
            ids = {source_id} if target_id is None else {source_id, target_id}
            locked = await self._items.lock(connection, wish.tenant_id, ids)
            source = _the(locked, source_id, wish.versions)
            if target_id is None:
                target = await self._split(deed, source, [feedback_id])
            elif target_id not in locked:
                raise UnknownSourceError(target_id, 0)
            else:
                target = await self._move_one(deed, source, locked[target_id], feedback_id)
            await self._outbox.add(connection, deed.outgoing)
        self._outbox.wake()
        return target

    async def end_rule(self, tenant_id: str, rule_id: str, actor: str, because: str) -> bool:
        """Withdraws a person's rule; what it did stays. False when there is no such rule in force."""
        async with self._database.tenant(tenant_id) as connection:
            at = self._clock.now()
            return await self._store.end(connection, tenant_id, rule_id, actor=actor, because=because, at=at)

    async def _deed(self, wish: Wish, connection: AsyncConnection) -> CarriedOut:
        policies = await self._policies.of(connection, wish.tenant_id)
        return CarriedOut(wish, connection, policies, self._clock.now())

    async def _refuse_merge(self, deed: CarriedOut, target: Item, sources: Sequence[Item]) -> None:
        refuse_regrouping(target, "merge into")
        for source in sources:
            if source.id == target.id:
                raise IllegalCommandError(f"{source.id} cannot be merged into itself.")
            refuse_regrouping(source, "merge")
            connection, tenant_id = deed.connection, deed.wish.tenant_id
            children = await self._store.children(connection, tenant_id, source.id)
            if children:
                raise IllegalCommandError(
                    f"{source.id} stands over {', '.join(children)}: merge into {source.id} instead, or "
                    "resolve those first."
                )
            merged = {one.id for one in sources}
            mates = await self._cases.unresolved(connection, tenant_id, source)
            refuse_case_torn(source, target, sorted(mates - merged))

    async def _merge_one(
        self, deed: CarriedOut, target: Item, source: Item, members: dict[str, list[Member]]
    ) -> Item:
        staying, coming = members[target.id], members[source.id]
        rule = self._learning.rule(deed, "together", target, source)
        await self._learning.end_contradicted(deed, rule, staying, coming)
        moved = [one.feedback_id for one in coming]
        left = {**said(target.id, moved, [rule.id]), **holding(source, [])}
        await self._append(
            deed,
            source,
            Entry("feedback_left", deed.wish.actor, deed.wish.reason, left),
            Entry("merged", deed.wish.actor, deed.wish.reason, {"into": target.id, "rule": rule.id}),
        )
        came = {**said(source.id, moved, [rule.id]), **holding(target, [*staying, *coming])}
        entries = [Entry("feedback_came", deed.wish.actor, deed.wish.reason, came)]
        if source.case_id is not None and target.case_id is None:
            entries.append(Entry("case_linked", deed.wish.actor, None, {"case_id": source.case_id}))
        target = await self._append(deed, target, *entries)
        await self._carry(deed, coming, source, target, [rule])
        await self._learning.learn(deed, rule, staying, coming, target, target)
        members[target.id] = [*staying, *(_moved_to(one, target.id) for one in coming)]
        return target

    async def _split(self, deed: CarriedOut, item: Item, feedback_ids: Sequence[str]) -> Item:
        refuse_regrouping(item, "split")
        staying, leaving = await self._parted(deed, item, feedback_ids)
        opened = await self._open(deed, item, leaving)
        rule = self._learning.rule(deed, "apart", item, opened)
        moved = [one.feedback_id for one in leaving]
        left = {**said(opened.id, moved, [rule.id]), **holding(item, staying)}
        item = await self._append(deed, item, Entry("feedback_left", deed.wish.actor, deed.wish.reason, left))
        came = {**said(item.id, moved, [rule.id]), **holding(opened, leaving)}
        opened = await self._append(
            deed, opened, Entry("feedback_came", deed.wish.actor, deed.wish.reason, came)
        )
        await self._carry(deed, leaving, item, opened, [rule])
        await self._learning.learn(deed, rule, staying, leaving, item, opened)
        return opened

    async def _move_one(self, deed: CarriedOut, source: Item, target: Item, feedback_id: str) -> Item:
        refuse_regrouping(source, "take it out of")
        refuse_regrouping(target, "move it to")
        if source.id == target.id:
            raise IllegalCommandError(f"{feedback_id} is in {target.id} already.")
        staying, leaving = await self._parted(deed, source, [feedback_id])
        there = (await self._store.members(deed.connection, deed.wish.tenant_id, {target.id}))[target.id]
        apart = self._learning.rule(deed, "apart", source, target)
        together = self._learning.rule(deed, "together", target, source)
        rules = [apart, together]
        ids = [rule.id for rule in rules]
        left = {**said(target.id, [feedback_id], ids), **holding(source, staying)}
        source = await self._append(
            deed, source, Entry("feedback_left", deed.wish.actor, deed.wish.reason, left)
        )
        came = {**said(source.id, [feedback_id], ids), **holding(target, [*there, *leaving])}
        target = await self._append(
            deed, target, Entry("feedback_came", deed.wish.actor, deed.wish.reason, came)
        )
        leaving = await self._learning.unmark(deed, leaving, there)
        await self._carry(deed, leaving, source, target, rules)
        await self._learning.learn(deed, apart, staying, leaving, source, target)
        await self._learning.learn(deed, together, there, leaving, target, target, marked_by=apart)
        return target

    async def _parted(
        self, deed: CarriedOut, item: Item, feedback_ids: Sequence[str]
    ) -> tuple[list[Member], list[Member]]:
        members = (await self._store.members(deed.connection, deed.wish.tenant_id, {item.id}))[item.id]
        held = {one.feedback_id for one in members}
        for place, feedback_id in enumerate(feedback_ids):
            if feedback_id not in held:
                raise UnknownFeedbackError(feedback_id, place)
        named = set(feedback_ids)
        if named == held:
            raise IllegalCommandError(
                f"That is all the feedback {item.id} has: to join it with another item, merge it into that."
            )
        staying = [one for one in members if one.feedback_id not in named]
        return staying, [one for one in members if one.feedback_id in named]

    async def _open(self, deed: CarriedOut, item: Item, leaving: Sequence[Member]) -> Item:
        first = min(leaving, key=lambda m: (m.accepted_at, m.feedback_id))
        tenant_id = deed.wish.tenant_id
        scored, team = await self._store.face(deed.connection, tenant_id, first.feedback_id)
        owner = team if team in deed.policies.routing.titles else item.team
        because = f"{deed.wish.actor} split it from {item.id}"
        data = {
            **opening(first, scored.accepted.content, scored.score, owner, because, "split"),
            **pinned(scored, deed.policies.sla),
        }
        opened_id = derived_id("it", tenant_id, "split", item.id, item.version)
        event = ItemEvent(opened_id, 1, "opened", deed.wish.actor, deed.at, because, data)
        opened = apply(None, event)
        await self._items.open(deed.connection, tenant_id, [opened])
        await self._items.log(deed.connection, tenant_id, [event])
        deed.outgoing.append(item_changed(tenant_id, event, opened, traceparent=deed.wish.traceparent))
        return opened

    async def _carry(
        self, deed: CarriedOut, moved: Sequence[Member], source: Item, target: Item, rules: Sequence[NewRule]
    ) -> None:
        wish, ids = deed.wish, [rule.id for rule in rules]
        rows = await self._store.move(
            deed.connection,
            wish.tenant_id,
            moved,
            source=source.id,
            target=target.id,
            because=f"{wish.actor} put it here: {wish.reason} (rule {' and '.join(ids)})",
            decided={
                "actor": wish.actor,
                "at": deed.at.isoformat(),
                "reason": wish.reason,
                "from": source.id,
                "to": target.id,
                "rules": ids,
            },
            at=deed.at,
        )
        held = [replace(m.held, item_id=target.id, placed_by="person") for m in moved if m.held]
        await self._store.hold(deed.connection, wish.tenant_id, held)
        ids = [member.feedback_id for member in moved]
        deed.outgoing += await self._loops.carry(
            deed.connection, wish.tenant_id, ids, source.id, target.id, deed.at
        )
        deed.outgoing += announce.moved(wish.tenant_id, rows, target, deed.at, wish.traceparent)

    async def _append(self, deed: CarriedOut, item: Item, *entries: Entry) -> Item:
        after, outgoing = await append(
            self._items,
            deed.connection,
            deed.wish.tenant_id,
            item,
            entries,
            deed.at,
            deed.policies.weighing,
            deed.wish.traceparent,
        )
        deed.outgoing += outgoing
        return after


def _the(locked: dict[str, Item], item_id: str, versions: frozenset[int] | None) -> Item:
    item = locked.get(item_id)
    if item is None:
        raise UnknownItemError(item_id)
    if versions is not None and item.version not in versions:
        raise StaleVersionError(item.version)
    return item


def _moved_to(member: Member, item_id: str) -> Member:
    held = replace(member.held, item_id=item_id) if member.held else None
    return replace(member, item_id=item_id, held=held)
