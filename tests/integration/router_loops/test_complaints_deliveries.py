"""What people complained of elsewhere about webhooks, and must not meet here."""

import asyncio
from datetime import datetime

import pytest
from standardwebhooks import Webhook
from tests.integration.router_loops.house import House
from tests.integration.router_loops.receiver import Receiver, Reply
from tests.integration.router_loops.test_egress import Internet, Names, TlsServer, send
from tests.integration.router_loops.test_egress import server as server  # noqa: PLC0414  (a fixture)
from tests.integration.router_loops.test_webhook_tls import PUBLIC


@pytest.fixture
async def told(house: House) -> tuple[House, str, str]:
    endpoint_id, secret = await house.endpoint()
    return house, endpoint_id, secret


async def test_complaint_sent_once_and_dropped_on_a_timeout(hurried: House, receiver: Receiver) -> None:
    house = hurried
    await house.endpoint()
    receiver.replies.append(Reply(hold=asyncio.Event()))
    await house.open_loops(1)
    assert await house.deliver() == 1
    house.clock.forward(seconds=7)
    assert await house.deliver() == 1
    assert len(receiver.received) == 2
    (delivery,) = (await (await house.caller()).get("/v1/deliveries")).json()["deliveries"]
    assert delivery["state"] == "delivered"
    assert delivery["attempts"][0]["error"] == "no answer within 1 s"


async def test_complaint_the_same_event_sent_twice_cannot_be_told_to_be_one(
    told: tuple[House, str, str], receiver: Receiver
) -> None:
    house, _, _ = told
    receiver.replies.append(Reply(500))
    await house.open_loops(1)
    await house.deliver()
    house.clock.forward(seconds=7)
    await house.deliver()
    (delivery,) = (await (await house.caller()).get("/v1/deliveries")).json()["deliveries"]
    await (await house.caller()).post(f"/v1/deliveries/{delivery['id']}:replay")
    await house.deliver()
    assert len(receiver.received) == 3
    assert {got.id for got in receiver.received} == {delivery["id"]}
    assert len({got.body for got in receiver.received}) == 1


async def test_complaint_the_api_returns_another_key_than_the_one_that_signs(
    house: House, receiver: Receiver
) -> None:
    ann = await house.caller()
    made = (await ann.post("/v1/endpoints", {"url": receiver.url()})).json()
    path = f"/v1/endpoints/{made['id']}"
    await ann.post(f"{path}:prove")
    await ann.post(f"{path}:test")
    await house.deliver()
    rotated = (await ann.post(f"{path}:rotate-secret")).json()["secret"]
    await ann.post(f"{path}:revoke-old-secret")
    await ann.post(f"{path}:test")
    await house.deliver()
    first, second = receiver.received
    Webhook(made["secret"]).verify(first.body, first.headers)
    Webhook(rotated).verify(second.body, second.headers)


async def test_complaint_unsigned_webhooks_and_unsigned_test_events(
    told: tuple[House, str, str], receiver: Receiver
) -> None:
    house, endpoint_id, secret = told
    ann = await house.caller()
    receiver.echo = True
    await ann.post(f"/v1/endpoints/{endpoint_id}:prove", {"method": "ping"})
    await ann.post(f"/v1/endpoints/{endpoint_id}:test")
    await house.open_loops(1)
    await house.deliver()
    assert {got.json["type"] for got in receiver.received} == {"endpoint.ping", "endpoint.test", "loop.told"}
    for got in receiver.received:
        Webhook(secret).verify(got.body, got.headers)


async def test_complaint_a_redirect_after_the_url_check_reaches_inside(server: TlsServer) -> None:
    server.answer = b"HTTP/1.1 302 X\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"
    internet = Internet(server.port)
    answer = await send(server, Names([PUBLIC]), internet)
    assert (answer.status, internet.connected) == (302, [(PUBLIC, 443)])


async def test_complaint_a_name_that_rebinds_after_the_check_reaches_inside(server: TlsServer) -> None:
    internet, names = Internet(server.port), Names([PUBLIC], ["169.254.169.254"])
    await send(server, names, internet)
    answer = await send(server, names, internet)
    assert answer.error is not None
    assert answer.error.startswith("refused: 169.254.169.254 is not a public address")
    assert internet.connected == [(PUBLIC, 443)]


async def test_complaint_replay_test_and_proof_are_ways_around_the_guard(
    told: tuple[House, str, str], receiver: Receiver
) -> None:
    """The endpoint was let in once; since then its address has become one that must not be called."""
    house, endpoint_id, _ = told
    await house.open_loops(1)
    await house.deliver()
    ann = await house.caller()
    (delivery,) = (await ann.get("/v1/deliveries")).json()["deliveries"]
    async with house.database.worker() as connection:
        await connection.exec_driver_sql("UPDATE router.endpoint SET url = 'http://169.254.169.254/latest'")
    before = (len(receiver.received), len(receiver.asked))
    await ann.post(f"/v1/endpoints/{endpoint_id}:prove")
    await ann.post(f"/v1/endpoints/{endpoint_id}:test")
    await ann.post(f"/v1/deliveries/{delivery['id']}:replay")
    assert await house.deliver() == 2
    assert (len(receiver.received), len(receiver.asked)) == before
    shown = (await ann.get("/v1/deliveries")).json()["deliveries"]
    assert all(d["attempts"][-1]["error"].startswith("refused: 169.254.169.254") for d in shown)
    history = (await ann.get(f"/v1/endpoints/{endpoint_id}/history")).json()["events"]
    assert history[0]["kind"] == "proof_failed"
    assert "refused: 169.254.169.254" in history[0]["because"]


async def test_complaint_disabled_silently_and_dead_after_the_receiver_is_mended(
    told: tuple[House, str, str], receiver: Receiver
) -> None:
    house, endpoint_id, _ = told
    await house.endpoint("/other")
    receiver.by_path = {"/in": Reply(500)}
    ann = await house.caller()
    for day in range(7):
        await ann.post(f"/v1/endpoints/{endpoint_id}:test")
        await house.deliver()
        house.clock.forward(hours=12)
        await house.deliver()
        house.clock.forward(hours=12)
        endpoint = (await ann.get(f"/v1/endpoints/{endpoint_id}")).json()
        assert endpoint["enabled"] or day >= 4
    assert not endpoint["enabled"]
    await house.deliver()
    heard = [got.json for got in receiver.received if got.path == "/other"]
    assert [event["type"] for event in heard] == ["endpoint.disabled"]
    receiver.by_path = {}
    house.clock.at = max(datetime.fromisoformat(endpoint["health"]["probe_at"]), house.clock.now())
    await house.core.closing.deliveries.caretaker.look()
    assert (await ann.get(f"/v1/endpoints/{endpoint_id}")).json()["enabled"]
    await house.deliver()
    assert [got.json["type"] for got in receiver.received if got.path == "/other"][-1] == "endpoint.recovered"


async def test_complaint_429_is_not_honoured(told: tuple[House, str, str], receiver: Receiver) -> None:
    house, endpoint_id, _ = told
    ann = await house.caller()
    receiver.replies.append(Reply(429, headers=(("Retry-After", "600"),)))
    await ann.post(f"/v1/endpoints/{endpoint_id}:test")
    assert await house.deliver() == 1
    for _ in range(2):
        await ann.post(f"/v1/endpoints/{endpoint_id}:test")
    house.clock.forward(seconds=599)
    assert await house.deliver() == 0
    house.clock.forward(seconds=1)
    assert await house.deliver() == 3
    endpoint = (await ann.get(f"/v1/endpoints/{endpoint_id}")).json()
    assert (endpoint["enabled"], endpoint["health"]["circuit"]) == (True, "closed")
