"""Clock policies that items are pinned to: kept for those, and put over open items where it is asked for."""

from collections.abc import AsyncIterator

import pytest
from tests.support.policies import House, renamed
from tests.support.router_http import RouterApp, router_app
from tests.support.scored import incoming, scored

from heardback_router.configuration.source import packaged
from heardback_shared.db.database import Database

SLA = packaged("sla.yaml")


@pytest.fixture
async def app(database: Database) -> AsyncIterator[RouterApp]:
    async with router_app(database) as opened:
        yield opened


async def pinned(app: RouterApp) -> dict[str, str | None]:
    return {item.customers[0]: item.sla for item in await app.router.items()}


async def approved(house: House, name: str) -> str:
    number = await house.draft("sla", renamed(SLA, name))
    await house.approve("sla", number)
    await house.looked_at("sla", number)
    return f"/v1/policies/sla/versions/{number}:activate"


async def test_open_items_keep_their_clock_policy_unless_it_is_asked_for(app: RouterApp) -> None:
    house = await House.of(app)
    await app.router.receive(incoming(scored(1, customer="c-1")))
    assert (await house.bo.post(await approved(house, "ours@1"))).status_code == 200
    await app.router.receive(incoming(scored(2, customer="c-2")))
    await app.core.changing.applying.once()
    assert await pinned(app) == {"c-1": "default@1", "c-2": "ours@1"}
    answer = await house.bo.post(await approved(house, "ours@2"), {"apply_to": "open"})
    assert answer.json()["activation"]["apply_to"] == "open"
    assert set((await pinned(app)).values()) == {"default@1", "ours@1"}
    # Another process does what this one did not come to.
    async with router_app(app.router.database) as other:
        await other.core.changing.applying.once()
    assert set((await pinned(app)).values()) == {"ours@2"}
    back = {"reason": "too tight", "apply_to": "open"}
    assert (await house.bo.post("/v1/policies/sla:rollback", back)).status_code == 200
    await app.core.changing.applying.once()
    assert set((await pinned(app)).values()) == {"ours@1"}


async def test_versions_that_were_in_force_are_found_by_name(app: RouterApp) -> None:
    house = await House.of(app)
    for name in ("ours@1", "ours@2"):
        assert (await house.bo.post(await approved(house, name))).status_code == 200
    await house.draft("sla", renamed(SLA, "ours@3"))
    source = app.core.changing.versions.source
    async with app.router.database.tenant("default") as connection:
        found = await source.sla(connection, "default", ["default@1", "ours@1", "ours@2", "ours@3", "gone@1"])
    assert {name: policy.name for name, policy in found.items()} == {
        name: name for name in ("default@1", "ours@1", "ours@2")
    }
