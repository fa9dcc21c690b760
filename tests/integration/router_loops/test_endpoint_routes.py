"""Endpoints and deliveries over HTTP: what is asked, answered, refused, and kept from other tenants."""

import asyncio
import base64

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook
from tests.integration.router_loops.house import House, build_house, living_in
from tests.integration.router_loops.receiver import Receiver, Reply

from heardback_router.deliveries.settings import WebhookSettings
from heardback_shared.db.database import Database


async def test_a_secret_is_shown_once_and_kept_sealed(house: House, database: Database) -> None:
    ann = await house.caller()
    made = await ann.post(
        "/v1/endpoints",
        {"url": "https://hooks.example.com/in", "description": "CRM", "event_types": ["loop.told"]},
    )
    assert made.status_code == 201
    endpoint = made.json()
    secret = endpoint.pop("secret")
    assert secret.startswith("whsec_")
    assert made.headers["location"] == f"/v1/endpoints/{endpoint['id']}"
    one = await ann.get(f"/v1/endpoints/{endpoint['id']}")
    listed = await ann.get("/v1/endpoints")
    assert one.json() == endpoint
    assert listed.json() == {"endpoints": [endpoint]}
    async with database.worker() as connection:
        stored = await connection.scalar(text("SELECT sealed FROM router.endpoint_secret"))
    plain = secret.removeprefix("whsec_")
    assert len(stored) > len(plain)
    assert plain.encode() not in stored
    assert base64.b64decode(plain) not in stored


BAD_ENDPOINTS: list[tuple[dict[str, object], str]] = [
    ({"url": "https://169.254.169.254/latest"}, "/url"),
    ({"url": "http://hooks.example.com/in"}, "/url"),
    ({"url": "https://user:pw@hooks.example.com/in"}, "/url"),
    ({"url": "https://hooks.example.com:25/in"}, "/url"),
    ({"url": ""}, "/url"),
    ({}, "/url"),
    ({"url": "https://hooks.example.com/in", "event_types": ["loop.sung"]}, "/event_types/0"),
    ({"url": "https://hooks.example.com/in", "description": "a\x00b"}, "/description"),
    ({"url": "https://hooks.example.com/in", "secret": "mine"}, "/secret"),
]


async def test_a_bad_endpoint_is_refused_with_the_field(house: House) -> None:
    ann = await house.caller()
    for body, pointer in BAD_ENDPOINTS:
        answer = await ann.post("/v1/endpoints", body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == pointer
    assert (await ann.get("/v1/endpoints")).json() == {"endpoints": []}


async def test_loopback_is_refused_unless_the_setting_allows_it(
    house: House, database: Database, receiver: Receiver
) -> None:
    strict = build_house(database, receiver, house.clock.now(), WebhookSettings())
    async with living_in(strict):
        refused = await (await strict.caller()).post("/v1/endpoints", {"url": receiver.url()})
        assert refused.status_code == 422
        await house.endpoint()
        await house.open_loops(1)
        assert await strict.deliver() == 1
    assert receiver.received == []
    delivery = (await (await house.caller()).get("/v1/deliveries")).json()["deliveries"][0]
    assert delivery["attempts"][0]["error"].startswith("refused: ")


async def test_a_test_event_is_signed_like_every_other(house: House, receiver: Receiver) -> None:
    endpoint_id, secret = await house.endpoint()
    ann = await house.caller()
    queued = await ann.post(f"/v1/endpoints/{endpoint_id}:test")
    assert (queued.status_code, queued.json()["state"]) == (202, "pending")
    await house.deliver()
    (got,) = receiver.received
    assert Webhook(secret).verify(got.body, got.headers)["type"] == "endpoint.test"
    assert got.id == queued.json()["id"]
    assert (await ann.get(f"/v1/deliveries/{got.id}")).json()["state"] == "delivered"
    await ann.post(f"/v1/endpoints/{endpoint_id}:disable")
    assert (await ann.post(f"/v1/endpoints/{endpoint_id}:test")).status_code == 409


async def test_after_a_rotation_both_secrets_sign_for_a_day(house: House, receiver: Receiver) -> None:
    endpoint_id, old = await house.endpoint()
    ann = await house.caller()
    rotated = (await ann.post(f"/v1/endpoints/{endpoint_id}:rotate-secret")).json()
    new = rotated["secret"]
    assert new != old
    await house.open_loops(1, item="it_1")
    await house.deliver()
    house.clock.forward(hours=24)
    await house.open_loops(1, item="it_2")
    await house.deliver()
    during, after = receiver.received
    assert (during.signed_by(old), during.signed_by(new)) == (True, True)
    assert (after.signed_by(old), after.signed_by(new)) == (False, True)
    for secret in (old, new):
        Webhook(secret).verify(during.body, during.headers)


async def test_a_second_rotation_leaves_two_secrets_at_most(house: House, receiver: Receiver) -> None:
    endpoint_id, first = await house.endpoint()
    ann = await house.caller()
    second = (await ann.post(f"/v1/endpoints/{endpoint_id}:rotate-secret")).json()["secret"]
    third = (await ann.post(f"/v1/endpoints/{endpoint_id}:rotate-secret")).json()["secret"]
    await house.open_loops(1)
    await house.deliver()
    (got,) = receiver.received
    assert [got.signed_by(s) for s in (first, second, third)] == [False, True, True]


async def test_many_who_add_at_once_do_not_go_over_the_limit(
    house: House, database: Database, receiver: Receiver
) -> None:
    small = build_house(database, receiver, house.clock.now(), WebhookSettings(endpoints_per_tenant=2))
    async with living_in(small):
        ann = await small.caller()
        adding = [ann.post("/v1/endpoints", {"url": f"https://{n}.example.com"}) for n in range(5)]
        said = [answer.status_code for answer in await asyncio.gather(*adding)]
    assert sorted(said) == [201, 201, 409, 409, 409]


async def test_an_early_end_of_the_old_key_holds_for_what_is_being_retried(
    house: House, receiver: Receiver
) -> None:
    endpoint, old = await house.endpoint()
    ann = await house.caller()
    new = (await ann.post(f"/v1/endpoints/{endpoint}:rotate-secret")).json()["secret"]
    receiver.replies.append(Reply(500))
    await house.open_loops(1)
    await house.deliver()
    await ann.post(f"/v1/endpoints/{endpoint}:revoke-old-secret")
    house.clock.forward(minutes=1)
    await house.deliver()
    first, again = receiver.received
    assert (first.id, first.body) == (again.id, again.body)
    assert (first.signed_by(old), first.signed_by(new)) == (True, True)
    assert (again.signed_by(old), again.signed_by(new)) == (False, True)


async def test_the_number_of_endpoints_is_limited(
    house: House, database: Database, receiver: Receiver
) -> None:
    small = build_house(database, receiver, house.clock.now(), WebhookSettings(endpoints_per_tenant=1))
    async with living_in(small):
        ann = await small.caller()
        assert (await ann.post("/v1/endpoints", {"url": "https://a.example.com"})).status_code == 201
        assert (await ann.post("/v1/endpoints", {"url": "https://b.example.com"})).status_code == 409


async def test_deliveries_come_in_pages(house: House, receiver: Receiver) -> None:
    endpoint_id, _ = await house.endpoint()
    await house.open_loops(5)
    ann = await house.caller()
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(3):
        page = (await ann.get("/v1/deliveries", endpoint=endpoint_id, limit="2", **cursor)).json()
        seen += [d["id"] for d in page["deliveries"]]
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else {}
    assert (len(seen), len(set(seen)), cursor) == (5, 5, {})
    for bad in ("x", "eA==", "MjAyNiBh", "\x00", "é"):
        assert (await ann.get("/v1/deliveries", cursor=bad)).status_code == 422
    assert (await ann.get("/v1/deliveries", state="lost")).status_code == 422
    assert (await ann.get("/v1/deliveries", limit="101")).status_code == 422


ROUTES = [
    ("GET", "/v1/endpoints", "items:read"),
    ("POST", "/v1/endpoints", "endpoints:write"),
    ("GET", "/v1/endpoints/{endpoint}", "items:read"),
    ("DELETE", "/v1/endpoints/{endpoint}", "endpoints:write"),
    ("POST", "/v1/endpoints/{endpoint}:test", "endpoints:write"),
    ("POST", "/v1/endpoints/{endpoint}:rotate-secret", "endpoints:write"),
    ("POST", "/v1/endpoints/{endpoint}:enable", "endpoints:write"),
    ("POST", "/v1/endpoints/{endpoint}:disable", "endpoints:write"),
    ("PATCH", "/v1/endpoints/{endpoint}", "endpoints:write"),
    ("GET", "/v1/endpoints/{endpoint}/history", "items:read"),
    ("POST", "/v1/endpoints/{endpoint}:prove", "endpoints:write"),
    ("POST", "/v1/endpoints/{endpoint}:revoke-old-secret", "endpoints:write"),
    ("POST", "/v1/endpoints/{endpoint}:replay", "endpoints:write"),
    ("POST", "/v1/endpoints/{endpoint}/portal-link", "endpoints:write"),
    ("DELETE", "/v1/endpoints/{endpoint}/portal-link", "endpoints:write"),
    ("GET", "/v1/endpoints/alert-addresses", "items:read"),
    ("PUT", "/v1/endpoints/alert-addresses", "endpoints:write"),
    ("GET", "/v1/deliveries", "items:read"),
    ("GET", "/v1/deliveries/{delivery}", "items:read"),
    ("POST", "/v1/deliveries/{delivery}:replay", "endpoints:write"),
]


BODIES = {
    ("PATCH", "/v1/endpoints/{endpoint}"): {"description": "theirs"},
    ("POST", "/v1/endpoints/{endpoint}:replay"): {"since": "2026-01-01T00:00:00Z", "which": "all"},
    ("PUT", "/v1/endpoints/alert-addresses"): {"addresses": []},
}


@pytest.mark.parametrize(("method", "route", "scope"), ROUTES)
async def test_every_route_needs_its_scope_and_shows_nothing_of_another_tenant(
    house: House, receiver: Receiver, method: str, route: str, scope: str
) -> None:
    endpoint_id, _ = await house.endpoint()
    await house.open_loops(1)
    ann = await house.caller()
    (delivery,) = (await ann.get("/v1/deliveries")).json()["deliveries"]
    path = route.format(endpoint=endpoint_id, delivery=delivery["id"])
    body = BODIES.get((method, route))
    assert (await house.client.request(method, path, json=body)).status_code == 401
    others = tuple({"items:read", "items:write", "endpoints:write"} - {scope})
    weak = await house.caller(scopes=others)
    assert (await house.client.request(method, path, json=body, headers=weak._headers)).status_code == 403
    stranger = await house.caller("other")
    answer = await house.client.request(method, path, json=body, headers=stranger._headers)
    if "{" in route:
        assert answer.status_code == 404
    elif method == "GET":
        assert next(iter(answer.json().values())) == []
    assert (await ann.get(f"/v1/endpoints/{endpoint_id}")).json()["enabled"] is True
    assert (await ann.get(f"/v1/deliveries/{delivery['id']}")).json() == delivery


async def test_equal_ids_of_two_tenants_are_two_loops(house: House, receiver: Receiver) -> None:
    await house.caller("other")
    _, ours = await house.endpoint("/ours")
    _, theirs = await house.endpoint("/theirs", tenant="other")
    (one,) = await house.open_loops(1)
    (other,) = await house.open_loops(1, tenant="other")
    assert one != other
    await house.deliver()
    by_path = {got.path: got for got in receiver.received}
    assert by_path["/ours"].json["data"]["loop_ids"] == [one]
    assert by_path["/theirs"].json["data"]["loop_ids"] == [other]
    assert by_path["/ours"].signed_by(ours)
    assert by_path["/theirs"].signed_by(theirs)
    async with house.database.tenant("other") as connection:
        for table in (
            "endpoint_event",
            "loop",
            "loop_event",
            "loop_feedback",
            "endpoint",
            "endpoint_secret",
            "delivery",
            "delivery_attempt",
        ):
            tenants = await connection.execute(text(f"SELECT DISTINCT tenant_id FROM router.{table}"))
            assert [row[0] for row in tenants] == ["other"], table


async def test_a_strange_id_is_a_problem_and_no_error_of_ours(house: House) -> None:
    ann = await house.caller()
    for strange in ("%00", "a.b", "x" * 100, "%F0%9F%98%80"):
        assert (await ann.get(f"/v1/endpoints/{strange}")).status_code == 422
        assert (await ann.get(f"/v1/deliveries/{strange}")).status_code == 422
