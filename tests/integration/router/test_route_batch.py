"""Scored feedback becomes items, links, log entries and announcements, however often it is delivered."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select
from tests.support.clock import NOON
from tests.support.router import NoLoops, Router, router_on
from tests.support.scored import incoming, score, scored

from heardback_router.backlog.domain import Weight
from heardback_router.backlog.fold import fold
from heardback_router.configuration.source import load_policies
from heardback_router.routing.domain import decide
from heardback_router.routing.forgetting import KEEP_EVENTS, ForgetOld
from heardback_router.routing.store import PostgresInbox
from heardback_router.routing.tables import inbox
from heardback_shared.contracts.events import LoopRef
from heardback_shared.contracts.topics import BACKLOG, ROUTED
from heardback_shared.db.database import Database
from heardback_shared.errors import PermanentError
from heardback_shared.settings import DatabaseSettings
from heardback_shared.stream.ports import Outgoing


@pytest.fixture
def router(database: Database) -> Router:
    return router_on(database)


async def test_a_scored_feedback_becomes_an_item_and_is_announced(router: Router) -> None:
    router.clock.forward(seconds=2)
    await router.receive(incoming(scored(1)))
    (item,) = await router.items()
    assert (item.team, item.state, item.weight, item.customers) == (
        "operations",
        "open",
        Weight(60.0, "P2"),
        ("c-1",),
    )
    assert item.title == "The invoice is wrong again and nobody answers me"
    assert item.opened_at == NOON
    (routed,) = await router.sent(ROUTED.name)
    assert routed["item"] == {"id": item.id, "team": "operations"}
    assert routed["score"]["severity"]["score"] == 60.0
    (change,) = await router.sent(BACKLOG.name)
    assert (change["change"], change["sequence"], change["item_id"]) == ("opened", 1, item.id)
    assert router.metrics.registry.get_sample_value("heardback_intake_to_item_seconds_sum") == 2.0


async def test_two_of_one_customer_about_one_matter_share_an_item_within_and_across_batches(
    router: Router,
) -> None:
    await router.receive(incoming(scored(1)), incoming(scored(2, reading=score(90))))
    await router.receive(incoming(scored(3, reading=score(10))))
    (item,) = await router.items()
    assert (item.feedback_count, item.worst, item.version) == (3, Weight(90.0, "P1"), 3)
    assert [part["factor"] for part in item.contributions] == ["worst", "trend"]
    assert {link["item_id"] for link in await router.links()} == {item.id}
    assert item == fold(await router.log(item.id))


async def test_a_redelivered_event_changes_nothing_and_is_answered_again(router: Router) -> None:
    await router.receive(incoming(scored(1)))
    before, first = await router.items(), await router.sent(ROUTED.name)
    await router.empty_outbox()
    router.clock.forward(minutes=5)
    await router.receive(incoming(scored(1)), incoming(scored(1)))
    assert await router.items() == before
    assert await router.sent(ROUTED.name) == [first[0], first[0]]
    assert await router.sent(BACKLOG.name) == []


async def test_a_higher_revision_stays_with_its_item_and_an_older_one_is_only_answered(
    router: Router,
) -> None:
    await router.receive(incoming(scored(1, revision=2, reading=score(80))))
    await router.receive(incoming(scored(1, revision=1, reading=score(20))))
    await router.receive(
        incoming(scored(1, revision=3, reading=score(40), accepted_at=NOON + timedelta(days=1)))
    )
    (item,) = await router.items()
    assert (item.feedback_count, item.weight, item.version) == (1, Weight(40.0, "P3"), 2)
    answers = await router.sent(ROUTED.name)
    assert [(a["revision"], a["score"]["severity"]["score"]) for a in answers] == [(2, 80), (1, 20), (3, 40)]
    assert item == fold(await router.log(item.id))


async def test_a_late_degraded_pass_is_answered_with_the_better_score(router: Router) -> None:
    await router.receive(incoming(scored(1, pass_number=2, reading=score(80))))
    await router.receive(incoming(scored(1, pass_number=1, reading=score(20, None, status="degraded"))))
    answers = await router.sent(ROUTED.name)
    assert [(a["pass_number"], a["score"]["severity"]["score"]) for a in answers] == [(2, 80), (2, 80)]


async def test_an_item_nobody_touched_follows_the_better_reading_of_its_only_feedback(router: Router) -> None:
    await router.receive(incoming(scored(1, reading=score(20, None, status="degraded"))))
    assert [item.team for item in await router.items()] == ["triage"]
    await router.receive(incoming(scored(1, pass_number=2, reading=score(70, "product/defect"))))
    (item,) = await router.items()
    assert (item.team, item.domain, item.category, item.weight.score) == ("product", "product", "defect", 70)
    assert item == fold(await router.log(item.id))


async def test_what_a_stored_record_was_made_of_gives_the_same_record_again(router: Router) -> None:
    await router.receive(incoming(scored(1, tier="strategic", context={"order": "A-1", "weight": 1.5})))
    (link,) = await router.links()
    again = decide(link["decision"]["inputs"], load_policies().routing)
    assert orjson.loads(orjson.dumps(again.record)) == link["decision"]


async def test_redelivery_in_any_order_ends_in_the_same_state(database: Database) -> None:
    router = router_on(database)
    events = [
        incoming(
            scored(
                n,
                customer=f"c-{n % 5}",
                revision=r,
                reading=score(float(n * 13 % 90 + r)),
                context=order(n),
            ),
            tenant=tenant,
        )
        for n in range(12)
        for r in (1, 2)
        for tenant in ("default", "acme")
    ]
    await router.receive(*[e for e in events if e.event.tenant_id == "default"])
    # The same for the other tenant, three times over, in pieces that come back and overlap.
    theirs = [e for e in events if e.event.tenant_id == "acme"]
    for start in range(0, len(theirs), 3):
        await router.receive(*theirs[max(0, start - 4) : start + 3])
    shuffled = theirs * 2
    random.Random(7).shuffle(shuffled)
    await router.receive(*shuffled)

    async def state(tenant: str) -> object:
        groups: dict[str, set[str]] = {}
        for link in await router.links(tenant):
            groups.setdefault(link["item_id"], set()).add(link["feedback_id"])
        faces = [(i.weight, i.team, i.feedback_count, i.key, i.version) for i in await router.items(tenant)]
        return sorted(map(sorted, groups.values())), sorted(faces, key=repr)

    assert await state("acme") == await state("default")
    for item in await router.items("acme"):
        assert item == fold(await router.log(item.id, "acme"))


def order(number: int) -> dict[str, str] | None:
    return {"order": f"A-{number}"} if number % 3 == 0 else None


async def test_two_routers_given_the_same_events_at_once_have_one_effect(
    database: Database, database_settings: DatabaseSettings
) -> None:
    other = Database(database_settings)
    batch = [incoming(scored(n, customer=f"c-{n % 3}")) for n in range(40)]
    routers = [router_on(database), router_on(other)]
    await asyncio.gather(routers[0].receive(*batch), routers[1].receive(*reversed(batch)))
    links = await routers[0].links()
    assert len(links) == 40
    assert sum(item.feedback_count for item in await routers[0].items()) == 40
    assert len(await routers[0].sent(ROUTED.name)) == 80
    await other.close()


async def test_every_announcement_says_where_the_loop_stands_then(database: Database) -> None:
    class Told(NoLoops):
        async def open(
            self, connection: Any, tenant_id: str, openings: Any, *_: Any
        ) -> tuple[dict[str, Any], list[Outgoing]]:
            opened = LoopRef(id="lp_1", state="acknowledged", at=NOON)
            return {one.feedback_id: opened for one in openings}, []

        async def of_feedback(
            self, connection: Any, tenant_id: str, feedback_ids: Sequence[str]
        ) -> dict[str, Any]:
            return dict.fromkeys(feedback_ids, LoopRef(id="lp_1", state="told", at=NOON))

    router = router_on(database, Told())
    await router.receive(incoming(scored(1)))
    await router.receive(incoming(scored(1)))
    first, again = await router.sent(ROUTED.name)
    assert (first["loop"]["state"], again["loop"]["state"]) == ("acknowledged", "told")


@pytest.mark.parametrize(
    ("event", "says"),
    [
        (
            {"type": "heardback.feedback.scored.v2"},
            "scored.v2 are not routed",
        ),
        ({"tenant_id": None}, "names no tenant"),
        ({"data": b"{}"}, "/accepted: Field required"),
    ],
)
async def test_what_can_never_be_routed_is_refused_for_good(
    router: Router, event: dict[str, Any], says: str
) -> None:
    good = incoming(scored(1))
    with pytest.raises(PermanentError, match=says):
        await router.receive(replace(good, event=replace(good.event, **event)))


async def test_an_event_the_inbox_has_forgotten_still_has_no_second_effect(router: Router) -> None:
    await router.receive(incoming(scored(1)))
    before = await router.items()
    forget = ForgetOld(router.database, [(PostgresInbox().forget, KEEP_EVENTS)], router.clock)
    await forget.forget()
    assert await inbox_size(router) == 1
    router.clock.forward(days=31)
    await forget.forget()
    assert await inbox_size(router) == 0
    await router.receive(incoming(scored(1)))
    assert await router.items() == before
    assert len(await router.sent(ROUTED.name)) == 2
    assert len(await router.sent(BACKLOG.name)) == 1


async def inbox_size(router: Router) -> int:
    async with router.database.worker() as connection:
        found = await connection.scalar(select(func.count()).select_from(inbox))
    return int(found or 0)
