"""The timekeeper on a real database: what is due is entered once, however many look, and announced."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from tests.support.clock import FakeClock
from tests.support.router_http import RouterApp, router_app
from tests.support.scored import incoming, scored

from heardback_router.backlog.domain import Item, ItemEvent
from heardback_router.backlog.fold import fold
from heardback_router.backlog.store import PostgresItems
from heardback_router.backlog.tables import items, outbox
from heardback_router.configuration.policies import Policies
from heardback_router.configuration.source import DeploymentPolicies, load_policies
from heardback_router.configuration.stored import StoredPolicies
from heardback_router.sla.store import PostgresTimers
from heardback_router.sla.telling import SlaWatch
from heardback_router.sla.timekeeper import Pace, Timekeeper
from heardback_router.sla.watch import Look, Watch
from heardback_shared.contracts.topics import BACKLOG
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox
from heardback_shared.metrics import Metrics

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SOLVED = {"root_cause": "c", "action": "a", "tell_customer": {"text": "It is solved."}}


@pytest.fixture
async def app(database: Database, tmp_path: Path) -> AsyncIterator[RouterApp]:
    """Nobody is told when nobody acts, so that only clocks speak."""
    (tmp_path / "ladder.yaml").write_text("policy: silent@1\ntransfers: {escalate_at: 100}\n")
    async with router_app(database, policies=tmp_path) as opened:
        opened.clock.at = MONDAY
        yield opened


async def receive(app: RouterApp, *numbers: int, **more: Any) -> None:
    for number in numbers:
        more.setdefault("accepted_at", app.clock.at)
        await app.router.receive(incoming(scored(number, customer=f"c-{number}", **more)))


async def look(app: RouterApp) -> int:
    """Until nothing is due any more."""
    looked = 0
    while now := await app.core.timekeeper.look():
        looked += now
    return looked


async def row(app: RouterApp, item_id: str) -> Any:
    async with app.router.database.tenant("default") as connection:
        return (await connection.execute(select(items).where(items.c.id == item_id))).mappings().one()


def timekeeper(
    database: Database, clock: FakeClock, watches: list[Watch], loops: Any, metrics: Metrics
) -> Timekeeper:
    return Timekeeper(
        database,
        PostgresItems(),
        PostgresTimers(),
        loops,
        Outbox(outbox),
        DeploymentPolicies(load_policies()),
        watches,
        clock=clock,
        metrics=metrics,
    )


async def test_a_new_item_is_looked_at_and_its_clocks_are_stored(app: RouterApp) -> None:
    await receive(app, 1)
    assert await look(app) == 1
    (item,) = await app.router.items()
    stored = await row(app, item.id)
    assert [(c["kind"], c["state"]) for c in stored["clocks"]] == [
        ("first_response", "running"),
        ("resolution", "running"),
    ]
    assert stored["due_at"] == MONDAY + timedelta(hours=8)
    assert stored["timer_at"] == MONDAY + timedelta(hours=4)
    assert await look(app) == 0


async def test_warnings_and_breaches_are_entered_counted_weighed_and_announced(app: RouterApp) -> None:
    await receive(app, 1)
    for _ in range(8 * 12 + 1):
        app.clock.forward(minutes=5)
        await look(app)
    (item,) = await app.router.items()
    log = await app.router.log(item.id)
    assert item == fold(log)
    told = [e for e in log if e.kind in {"clock_warned", "clock_breached"}]
    assert [(e.kind, e.data.get("percent"), e.at) for e in told] == [
        ("clock_warned", 50, MONDAY + timedelta(hours=4)),
        ("clock_warned", 75, MONDAY + timedelta(hours=6)),
        ("clock_warned", 90, MONDAY + timedelta(hours=7, minutes=15)),
    ]
    app.clock.at = MONDAY + timedelta(days=1)
    await look(app)
    (item,) = await app.router.items()
    (breach,) = [e for e in await app.router.log(item.id) if e.kind == "clock_breached"]
    assert breach.data["breached_at"] == (MONDAY + timedelta(hours=8)).isoformat()
    assert (item.counts.breaches, item.weight.score) == (1, 63.0)
    changes = await app.router.sent(BACKLOG.name)
    assert [c["change"] for c in changes if c["change"] != "escalated"] == [
        "opened",
        "clock_warned",
        "clock_warned",
        "clock_warned",
        "clock_breached",
    ]
    value = app.router.metrics.registry.get_sample_value
    assert value("heardback_timer_entries_total", {"kind": "clock_breached"}) == 1


async def test_several_timekeepers_at_once_say_everything_once(app: RouterApp) -> None:
    await receive(app, *range(1, 31))
    await look(app)
    app.clock.forward(hours=7, minutes=59)
    database, loops = app.router.database, app.core.closing.loops
    many = [timekeeper(database, app.clock, [SlaWatch()], loops, Metrics()) for _ in range(4)]
    while sum(await asyncio.gather(*(one.look() for one in many))):
        pass
    for item in await app.router.items():
        log = await app.router.log(item.id)
        assert [e.kind for e in log] == ["opened", "clock_warned"]
        assert item == fold(log)


async def test_a_crash_before_the_commit_leaves_the_item_due(app: RouterApp) -> None:
    await receive(app, 1)
    await look(app)
    app.clock.forward(hours=4)

    class Breaks(PostgresTimers):
        async def keep(self, *_: Any) -> None:
            raise asyncio.CancelledError

    broken = timekeeper(app.router.database, app.clock, [SlaWatch()], app.core.closing.loops, Metrics())
    broken._timers = Breaks()
    with pytest.raises(asyncio.CancelledError):
        await broken.look()
    (item,) = await app.router.items()
    assert [e.kind for e in await app.router.log(item.id)] == ["opened"]
    assert await look(app) == 1
    kinds = [e.kind for e in await app.router.log(item.id)]
    assert (kinds[:2], kinds.count("clock_warned")) == (["opened", "clock_warned"], 1)


async def test_one_item_that_cannot_be_read_does_not_keep_the_others_waiting(app: RouterApp) -> None:
    await receive(app, 1, 2)
    first, second = await app.router.items()

    class Stumbles:
        def look(self, item: Item, log: Sequence[ItemEvent], policies: Policies, at: datetime) -> Look:
            if item.id == first.id:
                raise KeyError("missing")
            return Look()

    metrics = Metrics()
    one = timekeeper(
        app.router.database, app.clock, [Stumbles(), SlaWatch()], app.core.closing.loops, metrics
    )
    assert await one.look() == 2
    assert await one.look() == 0
    assert metrics.registry.get_sample_value("heardback_timers_total", {"outcome": "failed"}) == 1
    async with app.router.database.tenant("default") as connection:
        rows = (await connection.execute(select(items.c.id, items.c.timer_at))).all()
    timers = dict(tuple(r) for r in rows)
    assert timers[first.id] == MONDAY + Pace().after_failure
    assert timers[second.id] == MONDAY + timedelta(hours=4)


async def test_how_late_the_timekeeper_is_can_be_seen(app: RouterApp) -> None:
    await receive(app, 1)
    app.clock.forward(seconds=90)
    await app.core.timekeeper.look()
    value = app.router.metrics.registry.get_sample_value
    assert value("heardback_timer_lag_seconds") == 90
    await app.core.timekeeper.look()
    assert value("heardback_timer_lag_seconds") == 0


async def test_the_log_says_when_the_customers_were_told(app: RouterApp) -> None:
    ana = await app.caller()
    await receive(app, 1)
    (item,) = await app.router.items()
    assert (await ana.act(item.id, "resolve", SOLVED)).status_code == 200
    # Nobody takes webhooks here, so the message is refused when it is to go out, and the loop is settled.
    await app.core.closing.messages.sending.send_due()
    await look(app)
    clocks = {c["kind"]: c for c in (await ana.get(f"/v1/items/{item.id}")).json()["clocks"]}
    assert clocks["loop_closed"]["state"] == "met"
    assert (await app.router.log(item.id))[-1].kind == "loops_settled"


async def test_items_follow_a_new_version_only_when_told_to_and_keep_their_time(app: RouterApp) -> None:
    await receive(app, 1, 2)
    await look(app)
    app.clock.forward(hours=2)
    policies = app.core.repin._policies
    assert isinstance(policies, StoredPolicies)
    ours = policies.deployment.policies
    newer = replace(ours, sla=replace(ours.sla, name="default@2"))
    policies.deployment = replace(policies.deployment, policies=newer)
    assert await app.core.repin.all("default", batch=1) == 2
    assert await app.core.repin.all("default") == 0
    await look(app)
    for item in await app.router.items():
        log = await app.router.log(item.id)
        assert (item.sla, log[-1].kind, item.touched) == ("default@2", "sla_pinned", False)
        assert item == fold(log)
    used = {c["kind"]: c["used_minutes"] for c in (await row(app, item.id))["clocks"]}
    assert used == {"first_response": 120, "resolution": 120}


async def test_it_runs_until_told_to_stop_and_outlives_the_database(app: RouterApp) -> None:
    await receive(app, 1)
    stop = asyncio.Event()
    task = asyncio.create_task(app.core.timekeeper.run(stop))
    value = app.router.metrics.registry.get_sample_value
    async with asyncio.timeout(90):
        while not value("heardback_timers_total", {"outcome": "looked"}):
            await asyncio.sleep(0.02)
    async with app.database.engine.connect() as connection:  # as the superuser, who may
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    try:
        await receive(app, 2)
    except DBAPIError:  # ours was cut off too, and nobody had noticed yet
        await receive(app, 2)
    async with asyncio.timeout(90):
        while value("heardback_timers_total", {"outcome": "looked"}) != 2:
            await asyncio.sleep(0.02)
    stop.set()
    await asyncio.wait_for(task, 90)


async def test_tenants_do_not_see_each_others_timers(app: RouterApp) -> None:
    async with app.router.database.worker() as connection:
        await connection.execute(text("INSERT INTO platform.tenant (id, created_at) VALUES ('other', now())"))
    await app.router.receive(
        incoming(scored(1, accepted_at=MONDAY)), incoming(scored(1, accepted_at=MONDAY), tenant="other")
    )
    assert await look(app) == 2
    ana, eve = await app.caller(), await app.caller("other", name="eve")
    (mine,), (theirs,) = await app.router.items(), await app.router.items("other")
    assert [i["id"] for i in (await ana.get("/v1/sla/due", within="24h")).json()["items"]] == [mine.id]
    assert [i["id"] for i in (await eve.get("/v1/sla/due", within="24h")).json()["items"]] == [theirs.id]
