"""Use cases of people, and of customers who answer: one transaction holds event, item, loops and outbox."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.assignment.ports import Assignment
from heardback_router.assignment.queueing import teams_to_drain
from heardback_router.backlog.announce import item_changed
from heardback_router.backlog.commands import Close, Command, Reassign, Reopen, Resolve, Start, decide
from heardback_router.backlog.domain import CUSTOMER, ROUTER, EventKind, Item, ItemEvent
from heardback_router.backlog.family import PART_DONE, refuse_against_family
from heardback_router.backlog.fold import apply
from heardback_router.backlog.gate import lacks_to_close
from heardback_router.backlog.log import Entry, append
from heardback_router.backlog.ports import Cases, Items, Loops, Wording
from heardback_router.backlog.resolving import checked_command
from heardback_router.backlog.telling import Telling
from heardback_router.configuration.policies import Policies
from heardback_router.configuration.source import PolicySource
from heardback_router.loops.domain import SETTLED, WAITING
from heardback_router.messages.checking import written
from heardback_router.routing.handovers import after_transfer, passed_back
from heardback_router.steps.domain import newly_called_for
from heardback_router.wording import CustomerText, InternalText
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox
from heardback_shared.ids import derived_id
from heardback_shared.stream.ports import Outgoing

NOT_SOLVED = InternalText("The customer says it is not solved")
CONTESTED = "The customer asks for a person to look again at how this was judged"
FOLLOWED: frozenset[EventKind] = frozenset({"claimed", "reassigned"})
"""What a person says about the owner of one item of a case holds for all of it."""


class UnknownItemError(Exception):
    """There is no such item in this tenant."""


class StaleVersionError(Exception):
    """The item changed since the caller saw it."""

    def __init__(self, version: int) -> None:
        super().__init__(f"the item is at version {version}")
        self.version = version


class UnknownTeamError(Exception):
    """The routing policy has no such team. The message names those it has."""


class CustomersWaitError(Exception):
    """Some customers have not been told yet."""


class Backlog:
    """What people do to items, each deed in one transaction."""

    def __init__(
        self,
        database: Database,
        items: Items,
        loops: Loops,
        outbox: Outbox,
        policies: PolicySource,
        clock: Clock,
        assignment: Assignment,
        cases: Cases,
        *,
        wording: Wording,
    ) -> None:
        self._wording = wording
        self._cases = cases
        self._telling = Telling(items, loops, cases)
        self._database = database
        self._items = items
        self._loops = loops
        self._outbox = outbox
        self._policies = policies
        self._clock = clock
        self._assignment = assignment

    async def carry_out(
        self,
        tenant_id: str,
        item_id: str,
        command: Command,
        *,
        actor: str,
        versions: frozenset[int] | None,
        traceparent: str | None = None,
    ) -> Item:
        """The item afterwards. `versions` are those the caller acts on; None acts on any.

        Raises UnknownItemError, StaleVersionError, UnknownTeamError, CustomersWaitError, IllegalCommandError,
        FormError, BadTextError and GateError.
        """
        async with self._database.tenant(tenant_id) as connection:
            policies = await self._policies.of(connection, tenant_id)
            _refuse_unknown_team(command, policies)
            parent_state = await self._items.lock_parent(connection, tenant_id, item_id)
            item = await self._locked(connection, tenant_id, item_id, versions)
            at = self._clock.now()
            outgoing: list[Outgoing] = []
            command = checked_command(command, item, policies, at)
            if isinstance(command, Resolve):
                item, outgoing = await self._call_for_steps(connection, tenant_id, item, policies, at)
            await self._check_wording(connection, tenant_id, item, command, policies)
            event = decide(item, command, actor, at, policies.weighing)
            children = await self._items.lock(connection, tenant_id, item.children)
            refuse_against_family(item, command, list(children.values()), parent_state)
            if isinstance(command, Close):
                await self._refuse_while_customers_wait(connection, tenant_id, item)
            if isinstance(command, Reassign):
                event = await self._noting_the_way(connection, tenant_id, event)
            after, changed = await self._append(connection, tenant_id, item, event, traceparent)
            following = _following(command, after, policies, actor)
            after, more = await append(
                self._items, connection, tenant_id, after, following, at, policies.weighing, traceparent
            )
            after, told = await self._consequences(connection, tenant_id, item, after, event, policies)
            await self._outbox.add(connection, [*outgoing, *changed, *more, *told])
        self._outbox.wake()
        return after

    async def _check_wording(
        self, connection: AsyncConnection, tenant_id: str, item: Item, command: Command, policies: Policies
    ) -> None:
        """A part of the work concerns nobody by itself: what it says stays inside."""
        notes: tuple[InternalText, ...] = ()
        match command:
            case Resolve(tell=CustomerText() as text, root_cause=cause, action=action):
                texts, notes = written("/tell_customer", text, command.translations), (cause, action)
            case Start(plan=CustomerText() as text):
                texts = written("/plan", text)
            case _:
                return
        if item.parent_id is None:
            about = [item.id, *item.children]
            await self._wording.check(
                connection, tenant_id, about, list(texts), policies.messages, notes=notes
            )

    async def _consequences(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        before: Item,
        after: Item,
        event: ItemEvent,
        policies: Policies,
    ) -> tuple[Item, list[Outgoing]]:
        """Customers are told, the case follows its owner, queues are given out where there is room now."""
        outgoing = list(await self._telling.told(connection, tenant_id, after, event, policies))
        if event.kind in FOLLOWED:
            outgoing += await self._follow_owner(connection, tenant_id, after, event, policies)
        after, given = await self._given_out(connection, tenant_id, before, after, policies, event.at)
        return after, [*outgoing, *given]

    async def act(
        self,
        tenant_id: str,
        item_id: str,
        entries: Callable[[Item, Policies, datetime], Sequence[Entry]],
        *,
        versions: frozenset[int] | None,
        traceparent: str | None = None,
    ) -> Item:
        """Appends what `entries` makes of the locked item; the item afterwards.

        Raises UnknownItemError, StaleVersionError, IllegalCommandError, and whatever `entries` raises.
        """
        async with self._database.tenant(tenant_id) as connection:
            policies = await self._policies.of(connection, tenant_id)
            item = await self._locked(connection, tenant_id, item_id, versions)
            at = self._clock.now()
            after, outgoing = await append(
                self._items,
                connection,
                tenant_id,
                item,
                entries(item, policies, at),
                at,
                policies.weighing,
                traceparent,
            )
            after, given = await self._given_out(connection, tenant_id, item, after, policies, at)
            if ended := _ended(item, after):
                await self._loops.settled_promises(connection, tenant_id, item.id, ended, at)
            await self._outbox.add(connection, [*outgoing, *given])
        self._outbox.wake()
        return after

    async def reopen_on_dispute(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        item_id: str,
        *,
        loop_id: str,
        comment: str | None,
        at: datetime,
    ) -> Sequence[Outgoing]:
        """Reopens the item in the caller's transaction; an item that is open already gets a note instead."""
        item = await self._standing_for(connection, tenant_id, item_id)
        policies = await self._policies.of(connection, tenant_id)
        # The customer's words stay in the log: the reason travels on the topic, they do not.
        said = InternalText(comment) if comment and comment.strip() else None
        if item.state in {"resolved", "closed"}:
            event = decide(item, Reopen(NOT_SOLVED, loop_id, said), CUSTOMER, at, policies.weighing)
        else:
            data = {"text": NOT_SOLVED.text, "loop_id": loop_id, "comment": said.text if said else None}
            event = ItemEvent(item.id, item.version + 1, "commented", CUSTOMER, at, None, data)
        after, outgoing = await self._append(connection, tenant_id, item, event)
        return [*outgoing, *await self._telling.told(connection, tenant_id, after, event, policies)]

    async def lock(self, connection: AsyncConnection, tenant_id: str, item_id: str) -> None:
        await self._standing_for(connection, tenant_id, item_id)

    async def note_contest(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        item_id: str,
        *,
        loop_id: str,
        contest_id: str,
        comment: str | None,
        at: datetime,
    ) -> Sequence[Outgoing]:
        """The timeline says that the customer disagrees with how it was judged, in their words."""
        item = await self._standing_for(connection, tenant_id, item_id)
        said = comment if comment and comment.strip() else None
        data = {"text": CONTESTED, "loop_id": loop_id, "contest_id": contest_id, "comment": said}
        event = ItemEvent(item.id, item.version + 1, "commented", CUSTOMER, at, None, data)
        _, outgoing = await self._append(connection, tenant_id, item, event)
        return outgoing

    async def close_on_confirm(
        self, connection: AsyncConnection, tenant_id: str, item_id: str, *, loop_id: str, at: datetime
    ) -> Sequence[Outgoing]:
        """Closes a resolved item once every loop of it is confirmed or was not to be told."""
        item = await self._locked(connection, tenant_id, item_id)
        if item.state != "resolved":
            return ()
        loops = await self._loops.of_item(connection, tenant_id, item.id)
        if any(loop["state"] not in SETTLED for loop in loops if loop["id"] != loop_id):
            return ()
        policies = await self._policies.of(connection, tenant_id)
        close = Close(InternalText("Every customer who was told has confirmed"), loop_id)
        if lacks_to_close(item):
            return ()
        event = decide(item, close, ROUTER, at, policies.weighing)
        _, outgoing = await self._append(connection, tenant_id, item, event)
        return outgoing

    async def _call_for_steps(
        self, connection: AsyncConnection, tenant_id: str, item: Item, policies: Policies, at: datetime
    ) -> tuple[Item, list[Outgoing]]:
        """The item with every step it calls for by now, so that none is missed for coming late."""
        facts = await self._items.facts(connection, tenant_id, item.id)
        called = newly_called_for(item, facts, policies.steps)
        entries = [Entry("steps_chosen", ROUTER, None, called)] if called else []
        return await append(self._items, connection, tenant_id, item, entries, at, policies.weighing)

    async def _follow_owner(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        item: Item,
        event: ItemEvent,
        policies: Policies,
    ) -> list[Outgoing]:
        """The other unresolved items of the case get the same owner."""
        outgoing: list[Outgoing] = []
        for mate in await self._cases.lock_unresolved(connection, tenant_id, item):
            if event.kind == "claimed":
                data, differs = dict(event.data), mate.assignee != item.assignee
            else:
                data, differs = {"team": item.team, "from": mate.team}, mate.team != item.team
            if differs:
                entry = Entry(event.kind, event.actor, event.reason, data)
                _, more = await append(
                    self._items, connection, tenant_id, mate, [entry], event.at, policies.weighing
                )
                outgoing += more
        return outgoing

    async def _standing_for(self, connection: AsyncConnection, tenant_id: str, item_id: str) -> Item:
        """The item, or the one into which it was merged, locked."""
        item = await self._locked(connection, tenant_id, item_id)
        while item.merged_into is not None:
            item = await self._locked(connection, tenant_id, item.merged_into)
        return item

    async def _locked(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        item_id: str,
        versions: frozenset[int] | None = None,
    ) -> Item:
        item = await self._items.lock_one(connection, tenant_id, item_id)
        if item is None:
            raise UnknownItemError(item_id)
        if versions is not None and item.version not in versions:
            raise StaleVersionError(item.version)
        return item

    async def _append(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        item: Item,
        event: ItemEvent,
        traceparent: str | None = None,
    ) -> tuple[Item, list[Outgoing]]:
        after = apply(item, event)
        await self._items.log(connection, tenant_id, [event])
        await self._items.update(connection, tenant_id, [after])
        return after, [item_changed(tenant_id, event, after, traceparent=traceparent)]

    async def _given_out(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        before: Item,
        after: Item,
        policies: Policies,
        at: datetime,
    ) -> tuple[Item, Sequence[Outgoing]]:
        """The item once the queues are given out in which its change made room, or which it has joined."""
        teams = teams_to_drain(before, after, policies.capacity)
        if not teams:
            return after, ()
        drained = await self._assignment.drain(connection, tenant_id, teams, policies, at)
        return drained.items.get(after.id, after), drained.outgoing

    async def _noting_the_way(
        self, connection: AsyncConnection, tenant_id: str, event: ItemEvent
    ) -> ItemEvent:
        """The handover, with a warning where the item comes back to a team that had it before."""
        teams = await self._items.teams_before(connection, tenant_id, event.item_id)
        warning = passed_back([*teams, event.data["from"]], event.data["team"])
        return replace(event, data={**event.data, "warning": warning}) if warning else event

    async def _refuse_while_customers_wait(
        self, connection: AsyncConnection, tenant_id: str, item: Item
    ) -> None:
        loops = await self._loops.of_item(connection, tenant_id, item.id)
        waiting = sum(loop["state"] in WAITING for loop in loops)
        if waiting:
            raise CustomersWaitError(f"{waiting} of {len(loops)} customers behind it have not been told yet.")


def _refuse_unknown_team(command: Command, policies: Policies) -> None:
    teams = policies.routing.titles
    if isinstance(command, Reassign) and command.team not in teams:
        raise UnknownTeamError(f"is none of the teams: {', '.join(teams)}")


def _following(command: Command, after: Item, policies: Policies, actor: str) -> list[Entry]:
    """What a deed brings about by itself."""
    if isinstance(command, Reassign):
        return after_transfer(after, policies.ladder)
    if isinstance(command, Resolve) and after.parent_id is not None:
        return [PART_DONE]
    if isinstance(command, Start) and command.plan is not None and command.due is not None:
        return [_promised(command.plan, command.due, after, actor)]
    return []


def _promised(plan: CustomerText, due: datetime, item: Item, actor: str) -> Entry:
    """A time that customers may have read is a promise like any other."""
    to = item.customers[0] if len(item.customers) == 1 else None
    data = {
        "promise_id": derived_id("pr", item.id, item.version),
        "what": plan.text,
        "to": to,
        "by": item.assignee or actor,
        "due_at": due.isoformat(),
    }
    return Entry("promised", actor, None, data)


def _ended(before: Item, after: Item) -> list[str]:
    """The promises that were open, and of which nothing is owed any more."""
    running = {promise.id for promise in before.promises if promise.state == "open"}
    over = {"kept", "withdrawn"}
    return [promise.id for promise in after.promises if promise.id in running and promise.state in over]
