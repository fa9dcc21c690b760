"""What a customer's answer does to the item it is about."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.support.router import NoLoops, Router, router_on
from tests.support.scored import incoming, scored

from heardback_router.assignment.app import Assignment
from heardback_router.assignment.store import PostgresPeople, PostgresQueues
from heardback_router.backlog.app import Backlog, CustomersWaitError, UnknownItemError
from heardback_router.backlog.commands import Close, Reopen, Resolve
from heardback_router.backlog.domain import Item, LinkedCustomer, Resolution
from heardback_router.backlog.store import PostgresItems
from heardback_router.backlog.tables import outbox
from heardback_router.campaigns.evidence import PostgresEvidence
from heardback_router.campaigns.guarding import ContentGuard
from heardback_router.configuration.source import DeploymentPolicies, load_policies
from heardback_router.grouping.cases import PostgresCases
from heardback_router.loops.domain import change_id
from heardback_router.loops.telling import TellingPolicy
from heardback_router.wording import CustomerText, InternalText
from heardback_shared.contracts.events import ItemChanged
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox
from heardback_shared.stream.ports import Outgoing

WHY = InternalText("because")
SOLVED = Resolve(WHY, WHY, CustomerText("It is solved."))


class StatedLoops(NoLoops):
    """Loops whose states the test sets, by id. Remembers resolutions, and by which loop it was reopened."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.resolutions: list[Resolution] = []
        self.reopened_by: list[str | None] = []

    async def recorded(self, *_: Any) -> None: ...

    async def settled_promises(self, *_: Any) -> None: ...

    async def planned(self, *_: Any, **__: Any) -> Sequence[Outgoing]:
        return ()

    async def resolved(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        resolution: Resolution,
        policy: TellingPolicy,
        at: datetime,
    ) -> Sequence[Outgoing]:
        self.resolutions.append(resolution)
        return ()

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
        self.reopened_by.append(by_loop)
        return ()

    async def of_item(
        self, connection: AsyncConnection, tenant_id: str, item_id: str
    ) -> list[dict[str, Any]]:
        return [{"id": loop_id, "state": state} for loop_id, state in self.states.items()]


class Scene:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.loops = StatedLoops()
        self.router: Router = router_on(database, self.loops)
        self.backlog = Backlog(
            database,
            PostgresItems(),
            self.loops,
            Outbox(outbox),
            DeploymentPolicies(load_policies()),
            self.router.clock,
            Assignment(PostgresItems(), PostgresPeople(), PostgresQueues()),
            PostgresCases(),
            wording=ContentGuard(PostgresEvidence()),
        )

    async def item(self) -> Item:
        (item,) = await self.router.items()
        return item

    async def resolve(self) -> Item:
        return await self.backlog.carry_out(
            "default", (await self.item()).id, SOLVED, actor="ana", versions=None
        )

    async def confirm(self, loop_id: str) -> Sequence[Outgoing]:
        item, at = await self.item(), self.router.clock.now()
        async with self.database.tenant("default") as connection:
            return await self.backlog.close_on_confirm(connection, "default", item.id, loop_id=loop_id, at=at)

    async def dispute(self, comment: str | None) -> Sequence[Outgoing]:
        item, at = await self.item(), self.router.clock.now()
        async with self.database.tenant("default") as connection:
            return await self.backlog.reopen_on_dispute(
                connection, "default", item.id, loop_id="lp_1", comment=comment, at=at
            )


@pytest.fixture
async def scene(database: Database) -> Scene:
    made = Scene(database)
    # One incident, so that what came over two channels is one item.
    about = {"incident": "I-1"}
    await made.router.receive(
        incoming(scored(1, context=about)), incoming(scored(2, channel="chat", context=about))
    )
    return made


async def test_resolving_hands_over_who_is_to_be_told_what(scene: Scene) -> None:
    await scene.resolve()
    (resolution,) = scene.loops.resolutions
    assert resolution.tell_customer == CustomerText("It is solved.")
    assert resolution.resolution_number == 1
    ids = tuple(link["feedback_id"] for link in await scene.router.links())
    (stake,) = resolution.linked
    assert (stake.customer_id, stake.channel, set(stake.feedback_ids)) == ("c-1", "chat", set(ids))


async def test_feedback_that_names_nobody_is_a_stake_of_its_own(database: Database) -> None:
    scene = Scene(database)
    await scene.router.receive(incoming(scored(1, customer=None)))
    await scene.resolve()
    feedback_id = scored(1).accepted.feedback_id
    assert scene.loops.resolutions[0].linked == (LinkedCustomer(None, (feedback_id,), "email"),)


async def test_the_item_closes_once_everybody_has_confirmed(scene: Scene) -> None:
    await scene.resolve()
    scene.loops.states = {"lp_1": "confirmed", "lp_2": "told", "lp_3": "not_told"}
    assert await scene.confirm("lp_1") == ()
    assert (await scene.item()).state == "resolved"
    scene.loops.states["lp_2"] = "confirmed"
    (change,) = await scene.confirm("lp_2")
    assert ItemChanged.model_validate_json(change.event.data).change == "closed"
    assert (await scene.item()).state == "closed"
    assert await scene.confirm("lp_2") == ()


async def test_the_loops_learn_who_reopened_it(scene: Scene) -> None:
    item = await scene.resolve()
    await scene.dispute(None)
    item = await scene.resolve()
    await scene.backlog.carry_out("default", item.id, Reopen(WHY), actor="ana", versions=None)
    assert scene.loops.reopened_by == ["lp_1", None]
    assert [one.change_id for one in scene.loops.resolutions] == [
        change_id("default", item.id, 1),
        change_id("default", item.id, 2),
    ]


async def test_a_dispute_reopens_and_the_customers_words_stay_in_the_log(scene: Scene) -> None:
    await scene.resolve()
    (change,) = await scene.dispute("The second invoice is wrong as well")
    assert b"second invoice" not in change.event.data
    item = await scene.item()
    assert (item.state, item.resolution) == ("open", None)
    last = (await scene.router.log(item.id))[-1]
    assert (last.kind, last.actor, last.data["loop_id"]) == ("reopened", "customer", "lp_1")
    assert last.data["comment"] == "The second invoice is wrong as well"


async def test_a_dispute_of_an_open_item_is_noted(scene: Scene) -> None:
    await scene.dispute("Still wrong")
    item = await scene.item()
    assert (item.state, item.version) == ("open", 3)
    assert (await scene.router.log(item.id))[-1].kind == "commented"


async def test_nobody_closes_while_a_customer_has_not_been_told(scene: Scene) -> None:
    item = await scene.resolve()
    scene.loops.states = {"lp_1": "changed", "lp_2": "told"}
    with pytest.raises(CustomersWaitError, match="1 of 2 customers"):
        await scene.backlog.carry_out("default", item.id, Close(WHY), actor="ana", versions=None)
    scene.loops.states["lp_1"] = "failed"
    closed = await scene.backlog.carry_out("default", item.id, Close(WHY), actor="ana", versions=None)
    assert closed.state == "closed"


async def test_an_answer_about_an_unknown_item_is_refused(scene: Scene) -> None:
    async with scene.database.tenant("default") as connection:
        with pytest.raises(UnknownItemError):
            await scene.backlog.close_on_confirm(
                connection, "default", "it_none", loop_id="lp_1", at=scene.router.clock.now()
            )
