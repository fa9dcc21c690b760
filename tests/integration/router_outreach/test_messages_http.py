"""Messages over HTTP: lists, one with its history, and the text behind a link that expires."""

from datetime import UTC, datetime

from sqlalchemy import text
from tests.integration.router_loops.receiver import Receiver
from tests.integration.router_outreach.desk import desk_at
from tests.support.outreach import Station, draft

PROBLEM = "https://heardback.dev/problems/"


async def test_lists_are_filtered_and_paged(station: Station) -> None:
    for number in range(1, 8):
        await station.enqueue(draft(number, customer_id=f"c/{number % 2}", campaign_id="ca_1"))
        station.clock.forward(seconds=1)
    async with desk_at(station) as desk:

        async def ids(**wanted: object) -> list[str]:
            found = (await desk.get("/v1/messages", **wanted)).json()["messages"]
            return [message["id"] for message in found]

        assert await ids(customer="c/0") == ["me_6_told", "me_4_told", "me_2_told"]
        assert await ids(item="it_3") == ["me_3_told"]
        assert await ids(loop="lp_3", item="it_4") == []
        assert len(await ids(campaign="ca_1", state="waiting")) == 7
        assert await ids(state="sent") == []
        seen: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = (await desk.get("/v1/messages", limit=3, **cursor)).json()
            seen += [message["id"] for message in page["messages"]]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert seen == [f"me_{number}_told" for number in range(7, 0, -1)]


async def test_bad_questions_are_told_what_to_mend(station: Station) -> None:
    async with desk_at(station) as desk:
        for wanted, field in (
            ({"state": "gone"}, "query:state"),
            ({"cursor": "x"}, "query:cursor"),
            ({"customer": "a\x00b"}, "query:customer"),
            ({"limit": "0"}, "query:limit"),
            ({"item": "it 1"}, "query:item"),
        ):
            answer = await desk.get("/v1/messages", **wanted)
            assert answer.status_code == 422, wanted
            assert answer.json()["errors"][0]["pointer"] == field
        missing = await desk.get("/v1/messages/me_none")
        assert (missing.status_code, missing.json()["type"]) == (404, PROBLEM + "not-found")
    async with desk_at(station, scopes=("feedback:write",)) as stranger:
        assert (await stranger.get("/v1/messages")).status_code == 403


async def test_another_tenant_sees_nothing(station: Station) -> None:
    await station.enqueue(draft(1))
    async with desk_at(station, tenant="other") as desk:
        assert (await desk.get("/v1/messages")).json()["messages"] == []
        assert (await desk.get("/v1/messages/me_1_told")).status_code == 404


async def test_one_message_tells_its_whole_story(station: Station) -> None:
    await station.customer(digest="daily")
    await station.enqueue(draft(1))
    await station.send()
    async with desk_at(station) as desk:
        before = await desk.message("me_1_told")
        assert before["due_at"] == "2026-11-23T09:00:00Z"
        assert before["explanation"].startswith("It waits, and is looked at again at 2026-11-23T09:00")
        station.clock.at = datetime(2026, 11, 23, 9, tzinfo=UTC)
        await station.send()
        after = await desk.message("me_1_told")
    assert [event["state"] for event in after["history"]] == ["waiting", "waiting", "handed", "sent"]
    assert after["explanation"] == "The customer was told by webhook."
    assert after["due_at"] is None
    (part,) = after["given"]["parts"]
    assert "Invoice 1 is corrected." in part["text"]
    assert part["changes"] == [{"id": "ch_1", "result": "done", "reviewed": False, "reference": None}]


async def test_the_text_is_fetched_by_link_and_every_read_is_on_record(
    station: Station, receiver: Receiver
) -> None:
    await station.enqueue(draft(1))
    await station.send()
    url = receiver.received[0].json["data"]["details_url"]
    path = url.removeprefix("https://f.example")
    async with desk_at(station) as desk:
        answer = await desk.client.get(path)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert "Invoice 1 is corrected." in answer.json()["parts"][0]["text"]
        await desk.client.get(path)
        assert len((await desk.message("me_1_told"))["given"]["fetched_at"]) == 2
        changed = path[:-2] + ("aa" if path[-2:] != "aa" else "bb")
        assert (await desk.client.get(changed)).status_code == 404
        customer_link = receiver.received[0].json["data"]["links"]["page"].rpartition("/")[2]
        assert (await desk.client.get(f"/v1/messages/details/{customer_link}")).status_code == 404
        station.clock.forward(days=31)
        gone = await desk.client.get(path)
        assert (gone.status_code, gone.json()["type"]) == (410, PROBLEM + "link-expired")
    async with station.database.tenant("default") as connection:
        rows = (await connection.execute(text("SELECT caller FROM router.details_fetch"))).all()
    assert len(rows) == 2
    assert all(len(row.caller) == 32 and b"127.0.0.1" not in row.caller for row in rows)


async def test_an_endpoint_that_asks_for_fields_gets_them(station: Station, receiver: Receiver) -> None:
    await station.endpoint(receiver.url("/rich"), fields=("message", "feedback", "changes"))
    await station.enqueue(draft(1))
    await station.send()
    bodies = {got.path: got.json["data"] for got in receiver.received}
    assert "Invoice 1 is corrected." in bodies["/rich"]["message"]["text"]
    assert bodies["/rich"]["changes"][0]["id"] == "ch_1"
    assert "message" not in bodies["/in"]
    assert (await station.standing("me_1_told")).state == "sent"
