"""Endpoints as they are changed: what is sent, to whom, how it is signed, and by which keys."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.integration.router_loops.house import House
from tests.integration.router_loops.receiver import Received, Receiver

from heardback_router.deliveries.verifying import UnverifiedError, verify


def believed(got: Received, *keys: str) -> bool:
    at = datetime.fromtimestamp(int(got.headers["webhook-timestamp"]), UTC)
    try:
        verify(got.headers, got.body, keys, at)
    except UnverifiedError:
        return False
    return True


async def test_only_what_is_given_changes(house: House) -> None:
    endpoint_id, _ = await house.endpoint()
    ann = await house.caller()
    path = f"/v1/endpoints/{endpoint_id}"
    before = (await ann.get(path)).json()
    house.clock.forward(seconds=1)
    changes: dict[str, Any] = {
        "description": "CRM",
        "event_types": ["loop.told", "loop.told", "endpoint.disabled"],
        "group": {"tiers": ["key"], "regions": ["EU"]},
        "fields": ["message"],
    }
    for name, value in changes.items():
        assert (await ann.patch(path, {name: value})).status_code == 200
    after = (await ann.get(path)).json()
    assert after["event_types"] == ["loop.told", "endpoint.disabled"]
    assert after["group"] == {"tiers": ["key"], "segments": [], "regions": ["EU"]}
    assert (after["fields"], after["description"]) == (["message"], "CRM")
    same = set(before) - set(changes) - {"changed_at"}
    assert {n: after[n] for n in same} == {n: before[n] for n in same}
    assert (await ann.patch(path, {"description": None})).json()["description"] is None
    assert (await ann.patch(path, {})).status_code == 200


BAD_CHANGES = [
    ({"url": None}, "/url"),
    ({"url": "https://10.0.0.1/in"}, "/url"),
    ({"event_types": ["loop.sung"]}, "/event_types/0"),
    ({"event_types": None}, "/event_types"),
    ({"fields": ["comment"]}, "/fields/0"),
    ({"signature": "v2"}, "/signature"),
    ({"group": {"tiers": [""]}}, "/group/tiers/0"),
    ({"group": {"colours": ["red"]}}, "/group/colours"),
    ({"secret": "mine"}, "/secret"),
]


@pytest.mark.parametrize(("body", "pointer"), BAD_CHANGES)
async def test_a_bad_change_is_refused_with_the_field_and_changes_nothing(
    house: House, body: dict[str, Any], pointer: str
) -> None:
    endpoint_id, _ = await house.endpoint()
    ann = await house.caller()
    before = (await ann.get(f"/v1/endpoints/{endpoint_id}")).json()
    answer = await ann.patch(f"/v1/endpoints/{endpoint_id}", body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert (await ann.get(f"/v1/endpoints/{endpoint_id}")).json() == before


@pytest.mark.parametrize("signature", ["v1", "v1a", "both"])
async def test_a_delivery_verifies_with_the_very_key_the_api_gave(
    house: House, receiver: Receiver, signature: str
) -> None:
    ann = await house.caller()
    made = (await ann.post("/v1/endpoints", {"url": receiver.url(), "signature": signature})).json()
    await ann.post(f"/v1/endpoints/{made['id']}:prove")
    await ann.post(f"/v1/endpoints/{made['id']}:test")
    await house.deliver()
    (got,) = receiver.received
    shown = (await ann.get(f"/v1/endpoints/{made['id']}")).json()
    public = [key["public_key"] for key in shown["keys"] if key["kind"] == "v1a"]
    assert (made["secret"] is not None) == (signature != "v1a")
    assert len(public) == (signature != "v1")
    assert "secret" not in shown
    for key in (*public, *([made["secret"]] if made["secret"] else [])):
        assert believed(got, key)
    versions = {s.split(",")[0] for s in got.headers["webhook-signature"].split(" ")}
    assert versions == {"v1", "v1a"} if signature == "both" else {signature}


async def test_a_public_key_rotates_with_an_overlap_too(house: House, receiver: Receiver) -> None:
    ann = await house.caller()
    made = (await ann.post("/v1/endpoints", {"url": receiver.url(), "signature": "v1a"})).json()
    path = f"/v1/endpoints/{made['id']}"
    await ann.post(f"{path}:prove")
    old = made["keys"][0]["public_key"]
    rotated = (await ann.post(f"{path}:rotate-secret")).json()
    new = rotated["public_key"]
    assert (rotated["secret"], new != old) == (None, True)
    await ann.post(f"{path}:test")
    await house.deliver()
    house.clock.forward(hours=24)
    await ann.post(f"{path}:test")
    await house.deliver()
    during, after = receiver.received
    assert (believed(during, old), believed(during, new)) == (True, True)
    assert (believed(after, old), believed(after, new)) == (False, True)
    assert [key["public_key"] for key in (await ann.get(path)).json()["keys"]] == [new]


async def test_an_old_key_can_be_ended_at_once(house: House, receiver: Receiver) -> None:
    endpoint_id, old = await house.endpoint()
    ann = await house.caller()
    path = f"/v1/endpoints/{endpoint_id}"
    new = (await ann.post(f"{path}:rotate-secret")).json()["secret"]
    assert len((await ann.get(path)).json()["keys"]) == 2
    revoked = (await ann.post(f"{path}:revoke-old-secret")).json()
    assert [key["valid_until"] for key in revoked["keys"]] == [None]
    await house.open_loops(1)
    await house.deliver()
    (got,) = receiver.received
    assert (got.signed_by(old), got.signed_by(new)) == (False, True)
    assert (await ann.post(f"{path}:revoke-old-secret")).status_code == 200


async def test_another_way_of_signing_overlaps_with_the_old_one_for_a_day(
    house: House, receiver: Receiver
) -> None:
    endpoint_id, secret = await house.endpoint()
    ann = await house.caller()
    path = f"/v1/endpoints/{endpoint_id}"
    changed = (await ann.patch(path, {"signature": "v1a"})).json()
    (public,) = (key["public_key"] for key in changed["keys"] if key["kind"] == "v1a")
    assert changed["secret"] is None
    await ann.post(f"{path}:test")
    await house.deliver()
    house.clock.forward(hours=25)
    await ann.post(f"{path}:test")
    await house.deliver()
    during, after = receiver.received
    assert believed(during, secret)
    assert believed(during, public)
    assert not believed(after, secret)
    assert believed(after, public)
    back = (await ann.patch(path, {"signature": "v1"})).json()
    assert back["secret"].startswith("whsec_")
    assert back["secret"] != secret
    assert (await ann.patch(path, {"signature": "v1"})).json()["secret"] is None


async def test_private_keys_are_sealed_and_never_shown(house: House, receiver: Receiver) -> None:
    ann = await house.caller()
    made = await ann.post("/v1/endpoints", {"url": receiver.url(), "signature": "v1a"})
    path = f"/v1/endpoints/{made.json()['id']}"
    shown = [
        made,
        await ann.get(path),
        await ann.post(f"{path}:rotate-secret"),
        await ann.get("/v1/endpoints"),
    ]
    assert not any("whsk_" in answer.text for answer in shown)
    async with house.database.worker() as connection:
        stored = await connection.exec_driver_sql("SELECT sealed FROM router.endpoint_secret")
        assert not any(b"whsk_" in row[0] for row in stored)


async def test_alert_addresses_are_checked_and_kept(house: House) -> None:
    ann = await house.caller()
    path = "/v1/endpoints/alert-addresses"
    assert (await ann.get(path)).json() == {"addresses": []}
    kept = await ann.put(path, {"addresses": ["ops@shop.example", "ann@shop.example", "ops@shop.example"]})
    assert kept.json() == {"addresses": ["ops@shop.example", "ann@shop.example"]}
    bad = await ann.put(path, {"addresses": ["ops@shop.example", "no address", "a@b.example\r\nBcc: x@y.z"]})
    assert bad.status_code == 422
    assert [e["pointer"] for e in bad.json()["errors"]] == ["/addresses/1", "/addresses/2"]
    assert (await ann.get(path)).json() == kept.json()
    stranger = await house.caller("other")
    assert (await stranger.get(path)).json() == {"addresses": []}
