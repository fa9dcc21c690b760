"""Two tenants with equal ids never see, change or count each other's items, on any route."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from tests.support.router_http import Caller, RouterApp, router_app
from tests.support.scored import incoming, score, scored

from heardback_router.backlog.tables import metadata
from heardback_shared.contracts.topics import ROUTED
from heardback_shared.db.database import Database

COMMANDS = {
    "claim": {},
    "start": {},
    "comment": {"text": "hello"},
    "resolve": {"root_cause": "a", "action": "b", "not_telling_because": "c"},
    "reopen": {"reason": "a"},
    "reassign": {"team": "product", "reason": "a"},
    "close": {"reason": "a"},
}


@pytest.fixture
async def app(database: Database) -> AsyncIterator[RouterApp]:
    async with router_app(database) as opened:
        yield opened


async def two(app: RouterApp) -> tuple[Caller, Caller, str, str]:
    """Both tenants hold the same feedback of the same customer; acme's is the heavier."""
    ana = await app.caller("default")
    zoe = await app.caller("acme", name="zoe")
    event = incoming(scored(1, reading=score(20)))
    heavier = incoming(
        scored(1, reading=score(90), comment="Only acme heard"),
        tenant="acme",
        event_id=event.event.id,
    )
    await app.router.receive(event, heavier)
    (mine,), (theirs,) = await app.router.items(), await app.router.items("acme")
    return ana, zoe, mine.id, theirs.id


async def test_equal_event_and_feedback_ids_have_their_effect_in_each_tenant(app: RouterApp) -> None:
    await two(app)
    (mine,), (theirs,) = await app.router.items(), await app.router.items("acme")
    assert (mine.weight.score, theirs.weight.score) == (20.0, 90.0)
    for tenant in ("default", "acme"):
        assert len(await app.router.links(tenant)) == len(await app.router.sent(ROUTED.name, tenant)) == 1


async def test_every_reading_route_shows_only_ones_own(app: RouterApp) -> None:
    ana, zoe, mine, theirs = await two(app)
    assert [i["id"] for i in (await ana.get("/v1/items")).json()["items"]] == [mine]
    assert [i["id"] for i in (await zoe.get("/v1/items")).json()["items"]] == [theirs]
    for filters in ({"q": "acme"}, {"band": "P1"}):
        assert (await ana.get("/v1/items", **filters)).json()["items"] == []
    assert (await ana.get("/v1/items", customer="c-1")).json()["items"][0]["id"] == mine
    assert (await ana.get(f"/v1/items/{theirs}")).status_code == 404
    counted = (await ana.get("/v1/backlog")).json()["teams"]
    assert sum(team["unresolved"] for team in counted) == 1


@pytest.mark.parametrize("command", COMMANDS)
async def test_no_command_reaches_into_the_other_tenant(app: RouterApp, command: str) -> None:
    ana, _, _, theirs = await two(app)
    before = await app.router.items("acme")
    answer = await ana.post(f"/v1/items/{theirs}:{command}", COMMANDS[command], If_Match="*")
    assert answer.status_code == 404
    assert await app.router.items("acme") == before


async def test_a_cursor_of_the_other_tenant_shows_nothing_of_theirs(app: RouterApp) -> None:
    ana, zoe, mine, _ = await two(app)
    await app.router.receive(incoming(scored(2, customer="c-2"), tenant="acme"))
    cursor = (await zoe.get("/v1/items", limit=1)).json()["next_cursor"]
    shown = (await ana.get("/v1/items", cursor=cursor)).json()["items"]
    assert {item["id"] for item in shown} <= {mine}


async def test_every_table_forces_row_level_security_and_begins_its_key_with_the_tenant(
    database: Database,
) -> None:
    async with database.engine.connect() as connection:
        rows = await connection.execute(
            text("""
                SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity,
                       (SELECT a.attname FROM pg_index i
                        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
                        WHERE i.indrelid = c.oid AND i.indisprimary)
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = 'router' AND c.relkind = 'r' AND c.relname <> 'migration'
            """)
        )
        found = {name: (forced, first) for name, forced, first in rows}
    assert {table.name for table in metadata.tables.values()} <= set(found)
    assert all(forced for forced, _ in found.values())
    assert {name for name, (_, first) in found.items() if first != "tenant_id"} == {"outbox"}
