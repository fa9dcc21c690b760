"""What users of other tools complain of when problems are grouped: none of it happens here."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.clock import NOON
from tests.support.grouped import saying
from tests.support.router import router_on
from tests.support.router_http import Caller, RouterApp, router_app
from tests.support.scored import incoming

from heardback_router.backlog.domain import Item
from heardback_router.configuration.source import DeploymentPolicies, load_policies
from heardback_shared.contracts.events import FeedbackScored
from heardback_shared.db.database import Database


@pytest.fixture
async def app(database: Database) -> AsyncIterator[RouterApp]:
    async with router_app(database) as opened:
        yield opened


@pytest.fixture
async def ana(app: RouterApp) -> Caller:
    return await app.caller()


async def receive(app: RouterApp, *feedback: FeedbackScored) -> None:
    await app.router.receive(*[incoming(one) for one in feedback])


async def item_with(app: RouterApp, feedback: FeedbackScored) -> Item:
    links = {link["feedback_id"]: link["item_id"] for link in await app.router.links()}
    items = {item.id: item for item in await app.router.items()}
    return items[links[feedback.accepted.feedback_id]]


async def unresolved(app: RouterApp) -> list[Item]:
    return [item for item in await app.router.items() if item.accepts_feedback]


def id_of(feedback: FeedbackScored) -> str:
    return feedback.accepted.feedback_id


async def why(ana: Caller, left: FeedbackScored, right: FeedbackScored) -> dict[str, Any]:
    answer = await ana.get("/v1/grouping/why", left=id_of(left), right=id_of(right))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


# Unrelated things merged, no reason shown; a merged item hides new problems.


async def test_complaint_unrelated_things_are_not_merged_and_every_pair_has_its_reason(
    app: RouterApp, ana: Caller
) -> None:
    same, likewise = saying(1, 3), saying(2, 3, 10)
    other_words, other_release = saying(3, 7), saying(4, 3, context={"release": "5.1"})
    third_release = saying(5, 3, context={"release": "5.2"})
    await receive(app, same, likewise, other_words, other_release, third_release)
    together = await why(ana, same, likewise)
    assert together["together"]
    assert together["similarity"] == pytest.approx(0.985, abs=0.001)
    assert "0.98" in together["because"][-1]["because"]
    assert together["because"][-1]["with"] == [id_of(same)]
    apart = await why(ana, same, other_words)
    assert not apart["together"]
    assert any("similarity is 0.00" in step["because"] for step in apart["because"])
    apart = await why(ana, other_release, third_release)
    assert not apart["together"]
    assert any("about release 5.2" in step["because"] for step in apart["because"])


async def test_complaint_a_large_item_hides_no_new_problem(app: RouterApp, ana: Caller) -> None:
    await receive(app, *[saying(n, 3, n % 5) for n in range(60)])
    (item,) = await app.router.items()
    assert item.alarmed == ("incident", "large")
    rang = [event for event in await app.router.log(item.id) if event.kind == "size_alarmed"]
    assert [event.data["alarm"] for event in rang] == ["incident", "large"]
    new = saying(70, 9)
    await receive(app, new)
    assert (await item_with(app, new)).id != item.id


# A person's merge teaches nothing, an unmerge is undone, one feedback cannot be pulled out.


async def test_complaint_a_person_s_merge_teaches_later_grouping(app: RouterApp, ana: Caller) -> None:
    one, other = saying(1, 3), saying(2, 7)
    await receive(app, one, other)
    target, source = await item_with(app, one), await item_with(app, other)
    answer = await ana.act(target.id, "merge", {"from": [source.id], "reason": "The same fault"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["feedback_count"] == 2
    like_the_other = saying(3, 7, 8)
    await receive(app, like_the_other)
    assert (await item_with(app, like_the_other)).id == target.id
    # It outlives the items it was made of: both kinds still belong together in new ones.
    await ana.act(target.id, "resolve", {"root_cause": "a", "action": "b", "not_telling_because": "c"})
    first, second = saying(4, 3, 5), saying(5, 7, 5)
    await receive(app, first)
    await receive(app, second)
    assert (await item_with(app, first)).id == (await item_with(app, second)).id != target.id
    told = await why(ana, first, second)
    assert "ana decided" in told["because"][-1]["because"]


async def test_complaint_a_person_s_split_is_not_undone_by_what_comes_next(
    app: RouterApp, ana: Caller
) -> None:
    stays, leaves = saying(1, 3), saying(2, 3, 20)
    await receive(app, stays, leaves)
    item = await item_with(app, stays)
    answer = await ana.act(item.id, "split", {"feedback": [id_of(leaves)], "reason": "Another fault"})
    assert answer.status_code == 201, answer.text
    new_id = answer.json()["id"]
    assert new_id != item.id
    again, likewise = saying(3, 3, 1), saying(102, 3, 21)
    await receive(app, again, likewise)
    assert (await item_with(app, again)).id == item.id
    assert (await item_with(app, likewise)).id == new_id
    assert (await item_with(app, stays)).id == item.id
    assert (await item_with(app, leaves)).id == new_id


async def test_complaint_one_feedback_can_be_pulled_out(app: RouterApp, ana: Caller) -> None:
    stays, also, leaves, there = saying(1, 3), saying(2, 3, 5), saying(3, 3, 8), saying(4, 9)
    await receive(app, stays, also, leaves, there)
    source, target = await item_with(app, stays), await item_with(app, there)
    tag = (await ana.get(f"/v1/items/{source.id}")).headers["ETag"]
    answer = await ana.post(
        f"/v1/feedback/{id_of(leaves)}:move", {"item": target.id, "reason": "Belongs there"}, If_Match=tag
    )
    assert answer.status_code == 200, answer.text
    assert (await item_with(app, leaves)).id == target.id
    assert (await item_with(app, also)).id == source.id
    for item_id in (source.id, target.id):
        assert "c-3" in repr([event.data for event in await app.router.log(item_id)])
    assert (await item_with(app, stays)).customers == ("c-1", "c-2")
    assert (await item_with(app, there)).customers == ("c-3", "c-4")
    grouping = (await ana.get(f"/v1/items/{target.id}/grouping")).json()
    (moved,) = [one for one in grouping["feedback"] if one["feedback_id"] == id_of(leaves)]
    assert moved["moved"]["actor"] == "ana"
    assert moved["record"]["joins"] == source.id
    assert len(grouping["rules"]) == 2


# A rule shown as active but ignored; one alert counted many times; correlate without merging.


async def test_complaint_a_rule_that_is_shown_is_the_rule_that_is_applied(
    app: RouterApp, ana: Caller
) -> None:
    shown = (await ana.get("/v1/policies/grouping")).json()
    (rule,) = [rule for rule in shown["rules"] if rule["name"] == "named-incident"]
    assert rule["apart_by"] == ["incident"]
    one = saying(1, 3, context={"incident": "INC-1", "order": "A-1"})
    other = saying(2, 7, cause="operations/billing", context={"incident": "INC-1", "order": "A-2"})
    await receive(app, one, other)
    told = await why(ana, one, other)
    assert told["together"]
    assert told["because"][-1]["because"].startswith(
        "same incident INC-1, within 14 days (rule named-incident)"
    )
    assert told["policy"] == shown["policy"]


async def test_complaint_old_settings_never_go_on_applying_and_new_ones_regroup_nothing(
    database: Database,
) -> None:
    source = DeploymentPolicies(load_policies())
    router = router_on(database, source=source)
    await router.receive(incoming(saying(1, 3)), incoming(saying(2, 7)), incoming(saying(3, 3, 5)))
    before = {link["feedback_id"]: link["item_id"] for link in await router.links()}
    grouping = replace(source.policies.grouping, name="default@9", similarity=None)
    source.policies = replace(source.policies, grouping=grouping)
    await router.receive(incoming(saying(4, 3)), incoming(saying(1, 3)))
    links = {link["feedback_id"]: link for link in await router.links()}
    assert {f: links[f]["item_id"] for f in before} == before
    new = links[id_of(saying(4, 3))]
    assert new["item_id"] not in before.values()
    assert new["grouping"]["policy"] == "default@9"
    assert new["joined_because"].endswith("the policy does not group by similarity (grouping default@9)")


async def test_complaint_one_feedback_is_counted_once_however_often_it_comes(
    app: RouterApp, ana: Caller
) -> None:
    same = [saying(n, 3) for n in range(4)]
    for _ in range(5):
        await receive(app, *same)
    (item,) = await app.router.items()
    assert item.feedback_count == 4
    assert item.alarmed == ()


async def test_complaint_one_matter_over_two_channels_is_linked_and_not_merged(
    app: RouterApp, ana: Caller
) -> None:
    mail = saying(1, None, customer="c-1", channel="email")
    chat = saying(2, None, customer="c-1", channel="chat", at=NOON + timedelta(hours=2))
    await receive(app, mail, chat)
    first, second = await item_with(app, mail), await item_with(app, chat)
    assert first.id != second.id
    assert first.case_id == second.case_id is not None
    case = (await ana.get(f"/v1/cases/{first.case_id}")).json()
    assert [item["id"] for item in case["items"]] == [first.id, second.id]


# Open an incident only after N similar.


async def test_complaint_an_incident_is_told_only_after_so_many_similar_in_time(
    app: RouterApp, ana: Caller
) -> None:
    slow = [saying(n, 3, at=NOON + timedelta(hours=13 * n)) for n in range(8)]
    await receive(app, *slow)
    (item,) = await app.router.items()
    assert (item.feedback_count, item.alarmed) == (8, ())
    fast = [saying(20 + n, 7, at=NOON + timedelta(hours=n)) for n in range(5)]
    await receive(app, *fast[:4])
    assert (await item_with(app, fast[0])).alarmed == ()
    await receive(app, fast[4])
    item = await item_with(app, fast[0])
    assert item.alarmed == ("incident",)
    (rang,) = [event for event in await app.router.log(item.id) if event.kind == "size_alarmed"]
    assert rang.reason == "5 feedbacks of the same kind within 24 hours (alarm incident)"
