"""Complaints about rules that are shown as active and ignored, and about old settings that go on applying."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from tests.support.policies import House, billing_to_accounts
from tests.support.router_http import RouterApp, router_app
from tests.support.scored import incoming, scored

from heardback_shared.db.database import Database


@pytest.fixture
async def app(database: Database) -> AsyncIterator[RouterApp]:
    async with router_app(database) as opened:
        yield opened


async def line(house: House) -> dict[str, object]:
    lines = (await house.ana.get("/v1/policies")).json()["policies"]
    return dict(next(one for one in lines if one["kind"] == "routing"))


async def decided_by(app: RouterApp) -> dict[str, str]:
    """Policy that decided, by feedback."""
    return {link["feedback_id"]: link["decision"]["policy"] for link in await app.router.links()}


async def test_complaint_a_rule_shown_as_active_decides_the_very_next_feedback(app: RouterApp) -> None:
    house = await House.of(app)
    shown = []
    for number in range(4):
        shown.append((await line(house))["policy"])
        await app.router.receive(incoming(scored(number, customer=f"c-{number}")))
        if number == 2:
            await house.bo.post("/v1/policies/routing:rollback", {"reason": "x"})
        else:
            await house.put_in_force("routing", billing_to_accounts(f"ours@{number + 1}"))
    policies = await decided_by(app)
    assert [policies[scored(n).accepted.feedback_id] for n in range(4)] == shown
    assert shown == ["default@3", "ours@1", "ours@2", "ours@1"]


async def test_complaint_old_settings_keep_applying_in_another_process(
    app: RouterApp, database: Database
) -> None:
    """Two routers route without a pause while somebody activates a rule through one of them."""
    house = await House.of(app)
    began_after: dict[str, bool] = {}
    active = asyncio.Event()

    async def route(router: RouterApp, first: int) -> None:
        for number in range(first, first + 60):
            feedback = scored(number, customer=f"c-{number}")
            began_after[feedback.accepted.feedback_id] = active.is_set()
            await router.router.receive(incoming(feedback))

    async def activate() -> None:
        await asyncio.sleep(0)
        await house.put_in_force("routing", billing_to_accounts())
        active.set()

    async with router_app(database) as other:
        await asyncio.gather(route(app, 0), route(other, 100), activate())
        await asyncio.gather(route(app, 200), route(other, 300))
    policies = await decided_by(app)
    after = [feedback_id for feedback_id, late in began_after.items() if late]
    assert len(after) >= 120
    assert {policies[feedback_id] for feedback_id in after} == {"ours@1"}


async def test_complaint_a_rule_that_cannot_be_read_is_not_shown_as_active(
    app: RouterApp, database: Database
) -> None:
    """A newer release may ask for more than an old text has: then it says which policy decides instead."""
    house = await House.of(app)
    await house.put_in_force("routing", billing_to_accounts())
    async with database.tenant("default") as connection:
        await connection.execute(
            text("UPDATE router.policy_version SET text = 'policy: ours@1', digest = 'd'")
        )
    await app.router.receive(incoming(scored(1)))
    told = await line(house)
    assert (told["from"], told["policy"]) == ("packaged", "default@3")
    assert "should be in force, but this release cannot read it" in str(told["problem"])
    assert set((await decided_by(app)).values()) == {"default@3"}
