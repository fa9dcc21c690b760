"""What a person's deed teaches: rules, with what stands for their sides; and the end of contradicted ones."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from heardback_router.backlog.domain import Item
from heardback_router.grouping.deed import CarriedOut
from heardback_router.grouping.regrouping import Member, NewRule, contradicted, exemplars
from heardback_router.grouping.store import PostgresGrouping
from heardback_shared.ids import derived_id


class Learning:
    def __init__(self, store: PostgresGrouping) -> None:
        self._store = store

    def rule(self, deed: CarriedOut, kind: Literal["together", "apart"], left: Item, right: Item) -> NewRule:
        rule_id = derived_id("gr", deed.wish.tenant_id, kind, left.id, left.version, right.id)
        wish = deed.wish
        return NewRule(rule_id, kind, left.id, right.id, deed.threshold, wish.actor, wish.reason, deed.at)

    async def end_contradicted(
        self, deed: CarriedOut, rule: NewRule, staying: Sequence[Member], coming: Sequence[Member]
    ) -> None:
        """The latest word wins: what kept these two apart ends."""
        marks = contradicted((m.held for m in coming if m.held), [m.held for m in staying if m.held])
        for rule_id in sorted({mark.partition(":")[0] for mark in marks}):
            await self._store.end(
                deed.connection,
                deed.wish.tenant_id,
                rule_id,
                actor=deed.wish.actor,
                because=f"rule {rule.id} says otherwise, and came later",
                at=deed.at,
            )

    async def unmark(
        self, deed: CarriedOut, leaving: Sequence[Member], there: Sequence[Member]
    ) -> list[Member]:
        """What once said that this feedback does not belong there says so no longer."""
        unmarked = []
        others = [m.held for m in there if m.held]
        for member in leaving:
            held = member.held
            if held is not None:
                for mark in sorted(contradicted([held], others)):
                    held = replace(held, marks=tuple(m for m in held.marks if m != mark))
                    ids = [member.feedback_id]
                    await self._store.take_exemplars(deed.connection, deed.wish.tenant_id, mark, ids)
            unmarked.append(replace(member, held=held))
        return unmarked

    async def learn(
        self,
        deed: CarriedOut,
        rule: NewRule,
        left: Sequence[Member],
        right: Sequence[Member],
        left_item: Item,
        right_item: Item,
        marked_by: NewRule | None = None,
    ) -> None:
        """Stores the rule and marks the feedback that stands for its sides. `marked_by`: the rule that marked
        the right side just before."""
        sides = exemplars(left), exemplars(right)
        await self._store.add_rule(deed.connection, deed.wish.tenant_id, rule, *sides)
        marked = [replace(one, item_id=left_item.id).marked(rule.mark("left")) for one in sides[0]]
        marked += [replace(one, item_id=right_item.id).marked(rule.mark("right")) for one in sides[1]]
        if marked_by is not None:
            standing = {one.feedback_id for one in sides[1]}
            mark = marked_by.mark("right")
            marked = [one.marked(mark) if one.feedback_id in standing else one for one in marked]
        moved = {one.feedback_id for one in right}
        marked = [replace(one, placed_by="person") if one.feedback_id in moved else one for one in marked]
        await self._store.hold(deed.connection, deed.wish.tenant_id, marked)
