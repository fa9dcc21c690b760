"""What a deed on an item means for those who raised it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.domain import Item, ItemEvent, Resolution
from heardback_router.backlog.ports import Cases, Items, Loops
from heardback_router.campaigns.promising import unregistered
from heardback_router.configuration.policies import Policies
from heardback_router.loops.domain import change_id
from heardback_router.wording import CustomerText, translated
from heardback_shared.stream.ports import Outgoing


class Telling:
    def __init__(self, items: Items, loops: Loops, cases: Cases) -> None:
        self._items = items
        self._loops = loops
        self._cases = cases

    async def told(
        self, connection: AsyncConnection, tenant_id: str, item: Item, event: ItemEvent, policies: Policies
    ) -> Sequence[Outgoing]:
        """Moves the stakes in the item along, in the caller's transaction. `item` is as it is after the
        event; a part of the work concerns nobody by itself."""
        if item.parent_id is not None:
            return ()
        match event.kind:
            case "started":
                return await self._planned(connection, tenant_id, item, event, policies)
            case "reopened":
                by_loop, actor = event.data["loop_id"], event.actor
                return await self._loops.reopened(
                    connection, tenant_id, item.id, by_loop=by_loop, actor=actor, at=event.at
                )
            case "resolved":
                return await self._resolved(connection, tenant_id, item, event.at, policies)
            case _:
                return ()

    async def _planned(
        self, connection: AsyncConnection, tenant_id: str, item: Item, event: ItemEvent, policies: Policies
    ) -> Sequence[Outgoing]:
        given, due = event.data.get("plan"), event.data.get("due")
        return await self._loops.planned(
            connection,
            tenant_id,
            item,
            policies.telling,
            plan=CustomerText(given) if given else None,
            due=datetime.fromisoformat(due) if due else None,
            actor=event.actor,
            at=event.at,
        )

    async def _resolved(
        self, connection: AsyncConnection, tenant_id: str, item: Item, at: datetime, policies: Policies
    ) -> Sequence[Outgoing]:
        resolution = await self._resolution(connection, tenant_id, item, at, policies)
        await self._loops.recorded(connection, tenant_id, resolution, at)
        outgoing: list[Outgoing] = []
        for part in await self._cases.resolutions(connection, tenant_id, item, resolution):
            outgoing += await self._loops.resolved(connection, tenant_id, part, policies.telling, at)
        return outgoing

    async def _resolution(
        self, connection: AsyncConnection, tenant_id: str, item: Item, at: datetime, policies: Policies
    ) -> Resolution:
        outcome = item.resolution
        if outcome is None:
            raise ValueError("a resolved item has an outcome")
        rules = policies.messages.texts_for(None).lint
        more = unregistered(outcome.tell_customer, rules, item.promises, at) if outcome.tell_customer else ()
        return Resolution(
            item_id=item.id,
            title=item.title,
            resolution_number=outcome.number,
            root_cause=outcome.root_cause,
            action=outcome.action,
            tell_customer=CustomerText(outcome.tell_customer) if outcome.tell_customer else None,
            not_telling_because=outcome.not_telling_because,
            linked=await self._items.linked(connection, tenant_id, item.id),
            actor=outcome.actor,
            result=outcome.result,
            change_id=change_id(tenant_id, item.id, outcome.number),
            reference=outcome.reference,
            band=item.weight.band,
            domain=item.domain,
            category=item.category,
            translations=translated(outcome.translations),
            promises=bool(more),
        )
