"""From a change record to messages for everybody: who does what, who hears, who does not and why."""

from tests.integration.router_campaigns.stage import TELL, Stage
from tests.support.router_http import Caller, RouterApp


async def test_a_change_is_recorded_and_reviewed_by_another_person(stage: Stage) -> None:
    item = await stage.item("c-1")
    change = await stage.change(item, review=False, translations={"de": "Jede Rechnung stimmt."})
    own = await stage.ana.post(f"/v1/changes/{change}:review")
    assert (own.status_code, own.json()["title"]) == (403, "Somebody else has to do this")
    done = await stage.bo.post(f"/v1/changes/{change}:review")
    assert (done.json()["recorded_by"], done.json()["reviewed_by"]) == ("ana", "bo")
    again = await stage.bo.post(f"/v1/changes/{change}:review")
    assert again.status_code == 409
    listed = (await stage.ana.get("/v1/changes", item=item)).json()["changes"]
    assert [one["id"] for one in listed] == [change]
    assert (await stage.ana.get(f"/v1/changes/{change}")).json()["translations"][
        "de"
    ] == "Jede Rechnung stimmt."


async def test_what_cannot_be_recorded_says_where_and_why(stage: Stage) -> None:
    body = {"result": "done", "what": "x", "tell": TELL, "on": "2026-11-20", "items": ["it_none"]}
    answer = await stage.ana.post("/v1/changes", body)
    assert (answer.status_code, answer.json()["errors"]) == (
        422,
        [{"pointer": "/item_ids/0", "detail": "there is no item it_none"}],
    )
    for field, wrong in (("result", "fixed"), ("tell", " "), ("items", []), ("translations", {"DE": "x"})):
        answer = await stage.ana.post("/v1/changes", body | {field: wrong})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"].startswith(f"/{field}")
    assert (await stage.ana.get("/v1/changes/ch_none")).status_code == 404


async def test_everybody_who_wrote_hears_once_and_who_does_not_has_a_reason(stage: Stage) -> None:
    item = await stage.item("c-1", "c-2", "c-2", None)
    other = await stage.item("c-2", "c-3", direction=5)
    first, second = await stage.change(item), await stage.change(other, tell="Exports open again.")
    campaign = await stage.campaign([item, other], [first, second])
    people = await stage.people(campaign)
    assert {one["code"] for one in people.values() if one["customer_id"] is None} == {"unknown_customer"}
    told = {one["customer_id"]: one for one in people.values() if one["code"] is None}
    assert set(told) == {"c-1", "c-2", "c-3"}
    assert told["c-2"]["changes"] == [first, second]
    body = told["c-2"]["message"]["body"]
    assert TELL in body
    assert "Exports open again." in body
    assert "Exports open again." not in told["c-1"]["message"]["body"]
    assert told["c-1"]["verdict"]["answer"] in {"now", "later"}
    for deed, by in (("submit", stage.ana), ("approve", stage.bo)):
        assert (await stage.do(campaign, deed, by)).status_code == 200
    assert await stage.core.feeder.round() == 3
    assert await stage.core.feeder.round() == 0
    assert sorted(customer for _, customer, _ in await stage.messages(campaign)) == ["c-1", "c-2", "c-3"]
    shown = await stage.show(campaign)
    assert shown["progress"]["recipients"] == 3
    assert shown["progress"]["excluded"] == {"unknown_customer": 1}
    assert shown["decision"]["changes"][0]["reviewed_by"] == "bo"


async def test_a_campaign_is_done_when_every_message_has_ended(stage: Stage) -> None:
    item = await stage.item("c-1", "c-2", "c-3")
    campaign = await stage.approved([item], [await stage.change(item)])
    feeder = stage.core.feeder
    await feeder.round()
    stage.clock.forward(minutes=10)
    await stage.end(most=1)
    await stage.end("refused", "opted_out", most=1)
    await feeder.round()
    shown = await stage.show(campaign)
    assert shown["state"] == "sending"
    progress = shown["progress"]
    assert (progress["sent"], progress["refused"], progress["waiting"]) == (1, 1, 1)
    assert progress["ended_by"] == {"opted_out": 1}
    assert (progress["per_minute"], progress["eta"][:16]) == (0.2, "2026-11-22T12:15")
    await stage.end()
    await feeder.round()
    shown = await stage.show(campaign)
    assert (shown["state"], [one["kind"] for one in shown["history"]]) == (
        "done",
        ["made", "submitted", "approved", "done"],
    )


async def test_who_was_told_of_a_change_is_not_told_of_it_again_and_who_was_not_reached_is(
    stage: Stage,
) -> None:
    item = await stage.item("c-1", "c-2")
    change = await stage.change(item)
    await stage.approved([item], [change])
    await stage.core.feeder.round()
    meanwhile = await stage.people(await stage.campaign([item], [change]))
    assert {one["code"] for one in meanwhile.values()} == {"already_told"}
    await stage.end(most=1)
    await stage.end("failed", "no_channel_left")
    await stage.core.feeder.round()
    again = await stage.approved([item], [change])
    people = await stage.people(again)
    assert sorted(str(one["code"]) for one in people.values()) == ["None", "already_told"]
    news = await stage.change(item, tell="Closed seats are shown as well.")
    later = await stage.people(await stage.campaign([item], [change, news]))
    assert all(one["changes"][-1] == news for one in later.values())


async def test_a_draft_is_changed_and_a_stale_one_is_not(stage: Stage) -> None:
    item, other = await stage.item("c-1"), await stage.item("c-2", direction=5)
    campaign = await stage.campaign([item], [])
    change = await stage.change(other)
    body = {"name": "Exports", "items": [other], "changes": [change]}
    path = f"/v1/campaigns/{campaign}"
    done = await stage.ana.put(path, body, If_Match='"1"')
    assert (done.status_code, done.json()["items"], done.json()["version"]) == (200, [other], 2)
    assert (await stage.ana.put(path, body, If_Match='"1"')).status_code == 412
    assert (await stage.ana.put(path, body)).status_code == 428
    assert (await stage.do(campaign, "submit")).status_code == 200
    assert (await stage.ana.put(path, body, If_Match='"3"')).status_code == 409
    back = await stage.do(campaign, "return", stage.bo, {"reason": "Say which seats."})
    assert (back.json()["state"], back.json()["submitted_by"]) == ("draft", None)
    assert (await stage.show(campaign))["history"][-1]["reason"] == "Say which seats."


async def test_items_are_picked_by_what_they_are_about_and_frozen(stage: Stage) -> None:
    item = await stage.item("c-1")
    made = await stage.campaign([], [], filter={"domain": "product", "since": "2026-11-01T00:00:00Z"})
    assert (await stage.show(made))["items"] == [item]
    await stage.item("c-2", direction=5)
    assert (await stage.show(made))["items"] == [item]
    for wrong in (
        {"name": "x"},
        {"name": "x", "filter": {"domain": "nowhere"}},
        {"name": "x", "items": ["it_none"]},
        {"name": "x", "items": [item], "changes": ["ch_none"]},
    ):
        answer = await stage.ana.post("/v1/campaigns", wrong)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["detail"]


async def test_another_tenant_sees_nothing_of_it(stage: Stage, app: RouterApp) -> None:
    item = await stage.item("c-1")
    change = await stage.change(item)
    campaign = await stage.campaign([item], [change])
    stranger: Caller = await app.caller("other", name="eve")
    for path in (
        f"/v1/changes/{change}",
        f"/v1/campaigns/{campaign}",
        f"/v1/campaigns/{campaign}/recipients",
    ):
        assert (await stranger.get(path)).status_code == 404
    assert (await stranger.get("/v1/campaigns")).json() == {"campaigns": []}
    assert (await stranger.post(f"/v1/changes/{change}:review")).status_code == 404
    assert (await stranger.post(f"/v1/campaigns/{campaign}:pause")).status_code == 404
    mine = await stranger.post("/v1/campaigns", {"name": "x", "items": [item], "changes": [change]})
    assert mine.status_code == 422
