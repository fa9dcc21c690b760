"""Scored feedback becomes items, links, log entries and announcements, however often it is delivered."""

from datetime import timedelta

import pytest
from tests.support.clock import NOON
from tests.support.router import Router, router_on
from tests.support.scored import incoming, score, scored

from heardback_router.backlog.domain import Weight, fold
from heardback_shared.contracts.topics import BACKLOG, ROUTED
from heardback_shared.db.database import Database


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
    assert (item.feedback_count, item.weight, item.version) == (3, Weight(90.0, "P1"), 3)
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
