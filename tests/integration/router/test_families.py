"""One case for the customer, a share of the work for each domain; handed over with all that is known."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from tests.support.clock import NOON
from tests.support.router_http import Caller, RouterApp, router_app
from tests.support.scored import incoming, score, scored

from heardback_router.backlog.domain import Item
from heardback_router.backlog.fold import fold
from heardback_shared.contracts.topics import BACKLOG, ROUTED
from heardback_shared.db.database import Database

TOLD = {
    "root_cause": "The rate table was old",
    "action": "Loaded the new one",
    "tell_customer": {"text": "Your invoice is corrected."},
}
QUIETLY = {**{k: TOLD[k] for k in ("root_cause", "action")}, "not_telling_because": "Operations tells them."}
BOTH = score(60, "operations/billing", further=(("product/defect", 0.7),))


@pytest.fixture
async def app(database: Database) -> AsyncIterator[RouterApp]:
    async with router_app(database) as opened:
        yield opened


@pytest.fixture
async def ana(app: RouterApp) -> Caller:
    return await app.caller()


async def family(app: RouterApp) -> tuple[Item, Item]:
    await app.router.receive(incoming(scored(1, reading=BOTH)))
    items = await app.router.items()
    (parent,) = [item for item in items if item.parent_id is None]
    (child,) = [item for item in items if item.parent_id is not None]
    return parent, child


async def test_two_domains_make_one_accountable_item_and_a_child(app: RouterApp, ana: Caller) -> None:
    parent, child = await family(app)
    assert (parent.team, parent.domain, parent.children, parent.feedback_count) == (
        "operations",
        "operations",
        (child.id,),
        1,
    )
    assert (child.team, child.domain, child.category) == ("product", "product", "defect")
    assert (child.parent_id, child.feedback_count, child.customers) == (parent.id, 0, ())
    assert child.title == parent.title
    for item in (parent, child):
        assert item == fold(await app.router.log(item.id))
    (link,) = await app.router.links()
    assert link["item_id"] == parent.id
    (routed,) = await app.router.sent(ROUTED.name)
    assert routed["item"]["id"] == parent.id
    changes = [(c["item_id"], c["change"]) for c in await app.router.sent(BACKLOG.name)]
    assert changes == [(parent.id, "opened"), (child.id, "opened"), (parent.id, "child_opened")]
    shown = (await ana.get(f"/v1/items/{parent.id}")).json()["children"]
    assert (shown["done"], shown["total"], shown["items"][0]["team"]) == (0, 1, "product")


async def test_delivered_again_there_is_still_one_child(app: RouterApp) -> None:
    await family(app)
    again = scored(1, reading=BOTH, pass_number=2)
    await app.router.receive(incoming(again), incoming(scored(1, reading=BOTH)))
    await app.router.receive(incoming(scored(2, reading=BOTH)))
    assert len(await app.router.items()) == 2


async def test_a_better_reading_or_a_further_feedback_may_bring_another_domain(app: RouterApp) -> None:
    await app.router.receive(incoming(scored(1, reading=score(40, "operations/billing"))))
    await app.router.receive(incoming(scored(1, pass_number=2, reading=BOTH)))
    further = score(50, "operations/billing", further=(("account/contract", 0.6),))
    await app.router.receive(incoming(scored(2, reading=further)))
    items = await app.router.items()
    (parent,) = [item for item in items if item.parent_id is None]
    children = [item for item in items if item.parent_id]
    assert {child.team for child in children} == {"product", "account-management"}
    assert set(parent.children) == {child.id for child in children}


async def test_a_parent_waits_for_its_children_and_the_customer_hears_once(
    app: RouterApp, ana: Caller
) -> None:
    parent, child = await family(app)
    refused = await ana.act(parent.id, "resolve", TOLD)
    assert refused.status_code == 409
    assert f"{child.id} (product, open)" in refused.json()["detail"]
    speaks = await ana.act(child.id, "resolve", TOLD)
    assert (speaks.status_code, "Customers hear from" in speaks.json()["detail"]) == (409, True)
    done = await ana.act(child.id, "resolve", QUIETLY)
    assert done.json()["state"] == "closed"
    assert (await ana.get(f"/v1/items/{child.id}")).json()["loops"] == []
    assert (await ana.act(parent.id, "resolve", TOLD)).status_code == 200
    shown = (await ana.get(f"/v1/items/{parent.id}")).json()
    assert [loop["customer_id"] for loop in shown["loops"]] == ["c-1"]
    assert shown["children"]["done"] == 1
    back = await ana.act(child.id, "reopen", {"reason": "it is not fixed"})
    assert (back.status_code, "reopen that first" in back.json()["detail"]) == (409, True)
    await ana.act(parent.id, "reopen", {"reason": "the customer called"})
    assert (await ana.act(child.id, "reopen", {"reason": "it is not fixed"})).status_code == 200
    assert (await ana.act(parent.id, "resolve", TOLD)).status_code == 409


async def test_handing_over_a_child_never_touches_its_parent(app: RouterApp, ana: Caller) -> None:
    parent, child = await family(app)
    moved = await ana.act(child.id, "reassign", {"team": "operations", "reason": "it is the rate table"})
    assert moved.json()["team"] == "operations"
    items = {item.id: item for item in await app.router.items()}
    assert items[parent.id] == parent


async def test_the_third_handover_goes_up_by_itself(app: RouterApp, ana: Caller) -> None:
    await app.router.receive(incoming(scored(1)))
    (item,) = await app.router.items()
    severity = []
    for team in ("product", "operations", "product"):
        app.clock.forward(minutes=1)
        answer = await ana.act(item.id, "reassign", {"team": team, "reason": "not ours"})
        assert answer.status_code == 200
        severity.append(answer.json()["severity"]["score"])
    assert severity == [62.0, 64.0, 68.0]
    log = await app.router.log(item.id)
    assert [event.kind for event in log][-2:] == ["reassigned", "escalated"]
    assert (log[-1].actor, log[-1].data["level"], log[-1].data["transfers"]) == ("router", "lead", 3)
    assert "warning" not in log[1].data
    assert log[2].data["warning"].startswith("operations had it before")
    (after,) = await app.router.items()
    assert (after, after.counts.escalations) == (fold(log), 1)


async def test_the_next_team_gets_what_is_known(app: RouterApp, ana: Caller) -> None:
    await app.router.receive(incoming(scored(1)))
    later = scored(2, comment="Still wrong, and nobody called back", accepted_at=NOON + timedelta(hours=1))
    await app.router.receive(incoming(later))
    (item,) = await app.router.items()
    await ana.act(item.id, "claim")
    await ana.act(item.id, "comment", {"text": "The rate table looks fine to me"})
    await ana.act(item.id, "reassign", {"team": "product", "reason": "The rounding is wrong"})
    packet = (await ana.get(f"/v1/items/{item.id}/handover")).json()
    assert (packet["from"], packet["team"], packet["reason"], packet["by"]) == (
        "operations",
        "product",
        "The rounding is wrong",
        "ana",
    )
    assert packet["way"] == ["operations", "product"]
    assert [(t["what"], t["said"]) for t in packet["tried"]] == [
        ("commented", "The rate table looks fine to me")
    ]
    assert packet["last_words"]["text"] == "Still wrong, and nobody called back"
    assert (await ana.get("/v1/items/it_nobody/handover")).status_code == 404
    stranger = await app.caller("acme")
    assert (await stranger.get(f"/v1/items/{item.id}/handover")).status_code == 404


async def test_a_handover_says_why(app: RouterApp, ana: Caller) -> None:
    await app.router.receive(incoming(scored(1)))
    (item,) = await app.router.items()
    for body in ({"team": "product"}, {"team": "product", "reason": " "}):
        answer = await ana.act(item.id, "reassign", body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/reason")
