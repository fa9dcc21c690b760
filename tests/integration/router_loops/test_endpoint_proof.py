"""Nothing but a proof is sent before whoever answers at the URL has agreed."""

import asyncio
from typing import Any

from standardwebhooks import Webhook
from tests.integration.router_loops.house import Caller, House
from tests.integration.router_loops.receiver import Receiver, Reply

ALLOW = ("WebHook-Allowed-Origin", "feedback.example.com")


async def added(house: House, ann: Caller, **body: Any) -> dict[str, Any]:
    made = await ann.post("/v1/endpoints", {"url": house.receiver.url(), **body})
    assert made.status_code == 201, made.text
    return dict(made.json())


async def test_nothing_is_sent_to_an_endpoint_before_it_is_proven(house: House, receiver: Receiver) -> None:
    ann = await house.caller()
    endpoint = await added(house, ann)
    path = f"/v1/endpoints/{endpoint['id']}"
    assert (endpoint["proof"]["state"], endpoint["enabled"]) == ("unproven", True)
    (loop_id,) = await house.open_loops(1)
    assert await house.deliver() == 0
    # The message waits for the endpoint, as for any that is down, and is not lost.
    assert (await house.status(loop_id)).state == "changed"
    refused = await ann.post(f"{path}:test")
    assert (refused.status_code, refused.json()["type"].split("/")[-1]) == (409, "endpoint-unproven")
    assert (receiver.received, receiver.asked) == ([], [])
    proven = (await ann.post(f"{path}:prove")).json()
    assert (proven["proof"]["state"], proven["proof"]["method"]) == ("proven", "handshake")
    ((asked_path, headers),) = receiver.asked
    assert (asked_path, headers["webhook-request-origin"]) == ("/in", "feedback.example.com")
    assert receiver.received == []
    house.clock.forward(hours=1)
    assert await house.deliver() == 1
    assert (await house.status(loop_id)).state == "told"


async def test_the_handshake_is_consent_by_its_header_whatever_the_status(
    house: House, receiver: Receiver
) -> None:
    ann = await house.caller()
    endpoint = await added(house, ann)
    path = f"/v1/endpoints/{endpoint['id']}:prove"
    for handshake, state in (
        (Reply(200), "unproven"),
        (Reply(200, headers=(("WebHook-Allowed-Origin", "elsewhere.example"),)), "unproven"),
        (Reply(302, headers=(("Location", receiver.url("/other")),)), "unproven"),
        (Reply(405, headers=(ALLOW,)), "proven"),
    ):
        receiver.handshake = handshake
        answer = await ann.post(path, {"method": "handshake"})
        assert answer.json()["proof"]["state"] == state
    assert [path for path, _ in receiver.asked] == ["/in"] * 4
    history = (await ann.get(f"/v1/endpoints/{endpoint['id']}/history")).json()["events"]
    assert [e["kind"] for e in history] == ["proven", *["proof_failed"] * 3, "added"]
    assert "allowed 'elsewhere.example'" in history[2]["because"]


async def test_a_signed_ping_proves_by_the_challenge_that_comes_back(
    house: House, receiver: Receiver
) -> None:
    ann = await house.caller()
    endpoint = await added(house, ann, signature="both")
    path = f"/v1/endpoints/{endpoint['id']}:prove"
    receiver.handshake = Reply(404)
    failed = (await ann.post(path)).json()["proof"]
    assert failed["state"] == "unproven"
    assert "handshake: the receiver named no WebHook-Allowed-Origin" in failed["because"]
    assert "ping: the answer does not hold the challenge" in failed["because"]
    receiver.echo = True
    proven = (await ann.post(path)).json()["proof"]
    assert (proven["state"], proven["method"], proven["because"]) == ("proven", "ping", None)
    first, second = receiver.received
    assert Webhook(endpoint["secret"]).verify(second.body, second.headers)["type"] == "endpoint.ping"
    assert first.json["data"]["challenge"] != second.json["data"]["challenge"]
    assert endpoint["secret"] not in second.body.decode()


async def test_another_url_has_to_agree_anew_and_what_waits_waits(house: House, receiver: Receiver) -> None:
    endpoint_id, _ = await house.endpoint("/old")
    ann = await house.caller()
    await house.open_loops(1)
    changed = await ann.patch(f"/v1/endpoints/{endpoint_id}", {"url": receiver.url("/new")})
    assert (changed.status_code, changed.json()["proof"]["state"]) == (200, "unproven")
    assert await house.deliver() == 0
    assert receiver.received == []
    await ann.post(f"/v1/endpoints/{endpoint_id}:prove")
    assert await house.deliver() == 1
    assert [got.path for got in receiver.received] == ["/new"]


async def test_a_url_changed_while_it_is_asked_is_not_proven_by_the_old_one(
    house: House, receiver: Receiver
) -> None:
    ann = await house.caller()
    endpoint = await added(house, ann)
    go_on = asyncio.Event()
    receiver.handshake = Reply(200, headers=(ALLOW,), hold=go_on)
    proving = asyncio.create_task(ann.post(f"/v1/endpoints/{endpoint['id']}:prove"))
    await receiver.arrived.wait()
    await ann.patch(f"/v1/endpoints/{endpoint['id']}", {"url": receiver.url("/new")})
    go_on.set()
    answer = await proving
    assert (answer.status_code, answer.json()["type"].split("/")[-1]) == (409, "endpoint-changed")
    assert (await ann.get(f"/v1/endpoints/{endpoint['id']}")).json()["proof"]["state"] == "unproven"


async def test_the_rate_that_was_allowed_is_kept(house: House, receiver: Receiver) -> None:
    receiver.handshake = Reply(200, headers=(ALLOW, ("WebHook-Allowed-Rate", "30")))
    await house.endpoint()
    await house.open_loops(6)
    sent = []
    for _ in range(12):
        sent.append(await house.deliver())
        house.clock.forward(seconds=1)
    assert sent == [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0]
    assert len(receiver.received) == 6


async def test_a_key_that_cannot_be_opened_proves_nothing_and_says_so(
    house: House, receiver: Receiver
) -> None:
    ann = await house.caller()
    endpoint = await added(house, ann)
    receiver.handshake = Reply(404)
    receiver.echo = True
    async with house.database.worker() as connection:
        await connection.exec_driver_sql("UPDATE router.endpoint_secret SET sealed = sealed || 'x'::bytea")
    proof = (await ann.post(f"/v1/endpoints/{endpoint['id']}:prove")).json()["proof"]
    assert proof["state"] == "unproven"
    assert "the signing key cannot be read; rotate it" in proof["because"]
    assert receiver.received == []
