"""From a resolved item to the receiver: what is sent, when it is sent again, and when no more."""

import asyncio
from datetime import datetime

import pytest
from standardwebhooks import Webhook
from tests.integration.router_loops.house import House
from tests.integration.router_loops.receiver import Receiver, Reply

DOWN = Reply(500, body=b"down")


async def test_resolving_tells_the_customer_once_with_a_signed_message(
    house: House, receiver: Receiver
) -> None:
    endpoint_id, secret = await house.endpoint()
    ann = await house.caller()
    await ann.patch(f"/v1/endpoints/{endpoint_id}", {"fields": ["message", "feedback"]})
    item_id = await house.item()
    await house.resolve(item_id, ann)
    assert (await house.loop_of(item_id))["state"] == "changed"
    assert await house.deliver() == 1
    (got,) = receiver.received
    told = Webhook(secret).verify(got.body, got.headers)
    loop = await house.loop_of(item_id)
    assert told["type"] == "loop.told"
    assert told["data"]["loop_ids"] == [loop["id"]]
    assert told["data"]["customer_id"] == "c-1"
    assert "The invoice is corrected." in told["data"]["message"]["text"]
    assert told["data"]["feedback"][0]["source"] == "typeform"
    assert told["data"]["feedback"][0]["external_id"] == "r-1"
    assert got.headers["content-type"] == "application/json"
    assert (loop["state"], [e["state"] for e in loop["history"]][-2:]) == ("told", ["changed", "told"])
    assert [c.state for c in await house.announced()] == ["changed", "told"]
    (delivery,) = (await ann.get("/v1/deliveries", message=told["data"]["message_id"])).json()["deliveries"]
    assert (delivery["id"], delivery["message_id"]) == (got.id, told["data"]["message_id"])
    assert (await ann.get("/v1/deliveries", message="another")).json()["deliveries"] == []
    assert await house.deliver() == 0
    shown = (await ann.get(f"/v1/items/{item_id}")).json()["loops"]
    assert shown[0]["state"] == "told"


async def test_nothing_meant_for_colleagues_leaves_the_house(house: House, receiver: Receiver) -> None:
    await house.endpoint()
    item_id = await house.item()
    await house.resolve(item_id, await house.caller())
    await house.deliver()
    (got,) = receiver.received
    assert b"INTERNAL" not in got.body
    assert b"invoice is wrong again" not in got.body


async def test_it_is_sent_again_by_schedule_with_the_same_id_and_bytes(
    house: House, receiver: Receiver
) -> None:
    _, secret = await house.endpoint()
    receiver.replies.extend([DOWN, Reply(hang_up=True), Reply(404)])
    (loop_id,) = await house.open_loops(1)
    sent_at = house.clock.now()
    for wait in (0, 7, 361, 2_161):
        house.clock.forward(seconds=wait)
        assert await house.deliver() == 1
        assert await house.deliver() == 0
    assert [len(bodies) for bodies in receiver.bodies_by_id.values()] == [1]
    assert len(receiver.received) == 4
    assert all(got.signed_by(secret) for got in receiver.received)
    stamps = [int(got.headers["webhook-timestamp"]) for got in receiver.received]
    assert stamps[0] == int(sent_at.timestamp())
    assert stamps == sorted(set(stamps))
    assert (await house.status(loop_id)).state == "told"
    ann = await house.caller()
    (delivery,) = (await ann.get("/v1/deliveries")).json()["deliveries"]
    assert delivery["state"] == "delivered"
    assert [a["outcome"] for a in delivery["attempts"]] == ["retry", "retry", "retry", "delivered"]
    assert [a["status"] for a in delivery["attempts"]] == [500, None, 404, 200]
    assert delivery["attempts"][0]["response"] == "down"
    assert delivery["attempts"][1]["error"]


async def test_a_schedule_that_runs_out_fails_visibly_and_can_be_replayed(
    house: House, receiver: Receiver
) -> None:
    await house.endpoint()
    receiver.usual = DOWN
    (loop_id,) = await house.open_loops(1)
    ann = await house.caller()
    for _ in range(10):
        assert await house.deliver() == 1
        (waiting,) = (await ann.get("/v1/deliveries")).json()["deliveries"]
        if waiting["next_attempt_at"]:
            house.clock.at = datetime.fromisoformat(waiting["next_attempt_at"])
    assert await house.deliver() == 0
    status = await house.status(loop_id)
    assert status.state == "failed"
    assert status.reason
    (delivery,) = (await ann.get("/v1/deliveries", state="failed")).json()["deliveries"]
    assert (delivery["attempt_count"], len(delivery["attempts"])) == (10, 10)
    receiver.usual = Reply()
    replayed = await ann.post(f"/v1/deliveries/{delivery['id']}:replay")
    assert (replayed.status_code, replayed.json()["state"]) == (202, "pending")
    assert await house.deliver() == 1
    assert (await house.status(loop_id)).state == "told"
    assert receiver.bodies_by_id.keys() == {delivery["id"]}
    assert len(receiver.bodies_by_id[delivery["id"]]) == 1
    assert len(receiver.received) == 11


async def test_a_loop_fails_only_when_every_endpoint_has_failed(house: House, receiver: Receiver) -> None:
    await house.endpoint("/a")
    await house.endpoint("/b")
    gone_for_good = Reply(400, headers=(("webhook-delivery", "abort-message"),))
    receiver.by_path = {"/a": gone_for_good, "/b": DOWN}
    (loop_id,) = await house.open_loops(1)
    assert await house.deliver() == 2
    assert (await house.status(loop_id)).state == "changed"
    receiver.by_path = {"/b": gone_for_good}
    house.clock.forward(seconds=7)
    assert await house.deliver() == 1
    assert await house.deliver() == 0
    assert (await house.status(loop_id)).state == "failed"


async def test_two_endpoints_that_fail_at_the_same_moment_leave_no_loop_pending(
    house: House, receiver: Receiver
) -> None:
    for path in ("/a", "/b", "/c"):
        await house.endpoint(path)
    receiver.usual = Reply(400, headers=(("webhook-delivery", "abort-message"),))
    loops = await house.open_loops(10)
    assert await house.deliver() == 30
    assert await house.deliver() == 0
    assert {(await house.status(loop_id)).state for loop_id in loops} == {"failed"}


async def test_gone_disables_the_endpoint_and_ends_what_waits_for_it(
    house: House, receiver: Receiver
) -> None:
    endpoint_id, _ = await house.endpoint()
    receiver.usual = DOWN
    first = await house.open_loops(1, item="it_1")
    await house.deliver()
    receiver.usual = Reply(410)
    house.clock.forward(seconds=1)
    second = await house.open_loops(1, item="it_2")
    assert await house.deliver() == 1
    ann = await house.caller()
    endpoint = (await ann.get(f"/v1/endpoints/{endpoint_id}")).json()
    assert (endpoint["enabled"], endpoint["disabled_because"]) == (False, "the receiver answered 410 Gone")
    assert await house.deliver() == 0
    for loop_id in (*first, *second):
        assert (await house.status(loop_id)).state == "failed"
    (third,) = await house.open_loops(1, item="it_3")
    assert (await house.status(third)).state == "changed"
    house.clock.forward(days=1)
    assert await house.deliver() == 0
    delivery = (await ann.get("/v1/deliveries")).json()["deliveries"][-1]
    refused = await ann.post(f"/v1/deliveries/{delivery['id']}:replay")
    assert refused.status_code == 409
    await ann.post(f"/v1/endpoints/{endpoint_id}:enable")
    receiver.usual = Reply()
    assert (await ann.post(f"/v1/deliveries/{delivery['id']}:replay")).status_code == 202
    assert await house.deliver() >= 1
    assert (await house.status(first[0])).state == "told"


async def test_an_overloaded_receiver_gets_nothing_until_the_time_it_asked_for(
    house: House, receiver: Receiver
) -> None:
    await house.endpoint()
    receiver.replies.append(Reply(429, headers=(("Retry-After", "120"),)))
    await house.open_loops(1, item="it_1")
    await house.deliver()
    await house.open_loops(3, item="it_2")
    assert await house.deliver() == 0
    house.clock.forward(seconds=119)
    assert await house.deliver() == 0
    house.clock.forward(seconds=1)
    assert await house.deliver() == 4


async def test_a_redirect_is_a_failure_and_is_not_followed(house: House, receiver: Receiver) -> None:
    await house.endpoint()
    receiver.replies.append(Reply(307, headers=(("Location", receiver.url("/elsewhere")),)))
    await house.open_loops(1)
    await house.deliver()
    assert [got.path for got in receiver.received] == ["/in"]
    house.clock.forward(seconds=7)
    await house.deliver()
    assert [got.path for got in receiver.received] == ["/in", "/in"]


async def test_a_receiver_that_never_answers_costs_one_timeout(hurried: House, receiver: Receiver) -> None:
    house = hurried
    await house.endpoint()
    receiver.replies.append(Reply(hold=asyncio.Event()))
    await house.open_loops(1)
    assert await house.deliver() == 1
    delivery = (await (await house.caller()).get("/v1/deliveries")).json()["deliveries"][0]
    assert delivery["attempts"][0]["error"] == "no answer within 1 s"
    assert delivery["state"] == "pending"


async def test_an_answer_without_end_is_cut_off_and_its_status_counts(
    hurried: House, receiver: Receiver
) -> None:
    house = hurried
    await house.endpoint()
    receiver.replies.extend([Reply(drip=True), Reply(200, body=b"a\x00" * 100_000)])
    for item in ("it_x", "it_y"):
        (loop_id,) = await house.open_loops(1, item=item)
        assert await house.deliver() == 1
        assert (await house.status(loop_id)).state == "told"
    deliveries = (await (await house.caller()).get("/v1/deliveries")).json()["deliveries"]
    assert all(len(a["response"]) <= 1_024 for d in deliveries for a in d["attempts"])


async def test_nobody_listening_is_an_attempt_like_others(house: House, receiver: Receiver) -> None:
    await house.endpoint()
    await receiver.stop()
    await house.open_loops(1)
    assert await house.deliver() == 1
    delivery = (await (await house.caller()).get("/v1/deliveries")).json()["deliveries"][0]
    assert delivery["attempts"][0]["error"].startswith("ConnectError")
    await receiver.start()


@pytest.mark.parametrize("how", ["disable", "remove"])
async def test_a_disabled_endpoint_holds_back_and_a_removed_one_fails(
    house: House, receiver: Receiver, how: str
) -> None:
    endpoint_id, _ = await house.endpoint()
    ann = await house.caller()
    (loop_id,) = await house.open_loops(1)
    if how == "disable":
        await ann.post(f"/v1/endpoints/{endpoint_id}:disable", {"reason": "moving house"})
        assert await house.deliver() == 0
        assert (await house.status(loop_id)).state == "changed"
        await ann.post(f"/v1/endpoints/{endpoint_id}:enable")
        assert await house.deliver() == 1
        assert (await house.status(loop_id)).state == "told"
    else:
        assert (await ann.delete(f"/v1/endpoints/{endpoint_id}")).status_code == 204
        assert await house.deliver() == 0
        assert (await house.status(loop_id)).state == "failed"
        (delivery,) = (await ann.get("/v1/deliveries", endpoint=endpoint_id)).json()["deliveries"]
        assert (delivery["state"], delivery["because"]) == ("failed", "the endpoint was removed")
        assert (await ann.post(f"/v1/deliveries/{delivery['id']}:replay")).status_code == 409
