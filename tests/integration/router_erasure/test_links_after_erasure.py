"""Links that were given out before an erasure answer plainly; unsubscribing still works."""

from sqlalchemy import text
from tests.integration.router_erasure.conftest import Town
from tests.integration.router_loops.receiver import Reply
from tests.support.page_reader import read_page

STOPPED = "Done. This holds from now on."


async def test_page_loop_and_details_say_that_it_was_erased(town: Town) -> None:
    await town.endpoint()
    item = await town.writes(1, "The invoice is wrong.")
    await town.house.resolve(item, town.desk)
    await town.deliver()
    data = town.receiver.received[-1].json["data"]
    ada = town.customer()
    page, loop = ada.path, data["links"]["confirm"].removesuffix(":confirm")
    client = town.house.client
    assert (await client.get(page)).status_code == 200
    await town.erase()
    gone = await client.get(page, headers={"Accept-Language": "de"})
    assert (gone.status_code, "Ihre Daten sind gelöscht" in gone.text) == (410, True)
    assert (await client.post(page + "/preferences", data={"digest": "none"})).status_code == 410
    for method, link in (("GET", ""), ("POST", ":confirm"), ("POST", ":dispute"), ("POST", ":contest")):
        answer = await client.request(method, loop + link)
        assert (answer.status_code, answer.json()["title"]) == (410, "The data were erased")
    details = await client.get(data["details_url"])
    assert (details.status_code, details.json()["title"]) == (410, "The text was erased")
    assert details.json()["detail"].startswith("The customer's personal data were erased")


async def test_an_old_link_still_unsubscribes_and_a_new_one_opens_the_page(town: Town) -> None:
    await town.writes(1, "The invoice is wrong.")
    ada = town.customer()
    old = ada.path
    await town.erase()
    client = town.house.client
    shown = await client.get(f"{old}/unsubscribe/case_updates")
    assert (shown.status_code, "No more messages" in shown.text) == (200, True)
    answer = await client.post(f"{old}/unsubscribe/case_updates")
    assert answer.status_code == 303
    told = await client.get(answer.headers["Location"])
    assert (told.status_code, STOPPED in read_page(told.text).text) == (410, True)
    assert "case_updates" in (await ada.known()).refused
    town.house.clock.forward(seconds=2)
    assert (await ada.look()).status_code == 200  # given out since: they are a customer again


async def test_what_was_sent_can_be_seen_but_not_sent_again(town: Town) -> None:
    endpoint = await town.endpoint()
    for number, reply in enumerate((Reply(), Reply(410)), 1):
        town.receiver.replies.append(reply)
        item = await town.writes(number, f"The invoice {number} is wrong.")
        await town.house.resolve(item, town.desk)
        await town.deliver()
    await town.desk.post(f"/v1/endpoints/{endpoint}:enable")
    await town.erase()
    kept = (await town.desk.get("/v1/deliveries")).json()["deliveries"]
    loops = [one for one in kept if one["event_type"] == "loop.told"]
    assert sorted(one["state"] for one in loops) == ["delivered", "failed"]
    assert all(one["erased_at"] for one in loops)
    refused = await town.desk.post(f"/v1/deliveries/{loops[0]['id']}:replay")
    assert (refused.status_code, refused.json()["title"]) == (409, "The delivery was erased")
    since = {"since": "2020-01-01T00:00:00Z", "which": "all"}
    replay = (await town.desk.post(f"/v1/endpoints/{endpoint}:replay", since)).json()
    assert (replay["matched"], replay["queued"]) == (0, 0)
    bodies = await town.rows("SELECT length(body) AS size FROM router.delivery WHERE message_id IS NOT NULL")
    assert {row.size for row in bodies} == {0}


async def test_a_message_that_was_sent_stays_a_fact_without_its_text(town: Town) -> None:
    await town.endpoint()
    item = await town.writes(1, "The invoice is wrong.")
    await town.house.resolve(item, town.desk)
    await town.deliver()
    await town.erase()
    (message,) = (await town.desk.get("/v1/messages", customer="c-1", state="sent")).json()["messages"]
    whole = (await town.desk.get(f"/v1/messages/{message['id']}")).json()
    assert whole["explanation"] == "The customer was told by webhook."
    assert (whole["given"]["parts"], whole["given"]["erased_at"] is not None) == ([], True)
    assert [step["state"] for step in whole["history"]] == ["waiting", "handed", "sent"]
    async with town.house.database.worker() as c:
        assert await c.scalar(text("SELECT count(*) FROM platform.contact_touch")) == 1
