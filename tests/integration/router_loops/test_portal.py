"""The portal: a link for the receiver's own people. One endpoint, until it expires, and nothing else."""

import re
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import pytest
from tests.integration.router_loops.house import House
from tests.integration.router_loops.receiver import Receiver, Reply

STOP = Reply(400, headers=(("webhook-delivery", "abort-message"),), body=b"<script>alert(1)</script>")


@pytest.fixture
async def anybody(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """Without a key."""
    transport = httpx.ASGITransport(app=house.core.http)
    async with httpx.AsyncClient(transport=transport, base_url="http://router") as client:
        yield client


async def link(house: House, endpoint_id: str, **body: float) -> str:
    made = await (await house.caller()).post(f"/v1/endpoints/{endpoint_id}/portal-link", body or None)
    assert made.status_code == 201, made.text
    assert made.json()["url"].startswith("https://feedback.example.com/d/")
    return str(urlsplit(made.json()["url"]).path)


async def story(house: House, receiver: Receiver) -> tuple[str, str]:
    """Two endpoints, each with one delivery of its own that failed; the second is somebody else's."""
    ours, _ = await house.endpoint("/ours")
    receiver.usual = STOP
    await house.open_loops(1, item="it_ours")
    await house.deliver()
    await (await house.caller()).post(f"/v1/endpoints/{ours}:disable")
    theirs, _ = await house.endpoint("/theirs-secret-path")
    await house.open_loops(1, item="it_theirs")
    await house.deliver()
    await (await house.caller()).post(f"/v1/endpoints/{ours}:enable")
    receiver.usual = Reply()
    house.clock.forward(seconds=1)
    return ours, theirs


async def test_it_shows_this_endpoints_deliveries_and_nothing_of_another(
    house: House, receiver: Receiver, anybody: httpx.AsyncClient
) -> None:
    ours, theirs = await story(house, receiver)
    path = await link(house, ours)
    ann = await house.caller()
    (mine,) = (await ann.get("/v1/deliveries", endpoint=ours)).json()["deliveries"]
    (other,) = (await ann.get("/v1/deliveries", endpoint=theirs)).json()["deliveries"]
    html = await anybody.get(path)
    listed = await anybody.get(f"{path}/deliveries")
    assert html.status_code == 200
    assert mine["id"] in html.text
    assert [d["id"] for d in listed.json()["deliveries"]] == [mine["id"]]
    for shown in (html.text, listed.text):
        for foreign in (other["id"], theirs, "theirs-secret-path", "whsec_", other["message_id"]):
            assert foreign not in shown
    assert (await anybody.get(f"{path}/deliveries/{mine['id']}")).json()["id"] == mine["id"]
    assert (await anybody.get(f"{path}/deliveries/{other['id']}")).status_code == 404
    assert (await anybody.post(f"{path}/deliveries/{other['id']}:replay")).status_code == 404
    assert await house.deliver() == 0


async def test_it_is_plain_html_that_runs_nothing(
    house: House, receiver: Receiver, anybody: httpx.AsyncClient
) -> None:
    ours, _ = await story(house, receiver)
    page = await anybody.get(await link(house, ours))
    assert "<script" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"


async def test_its_buttons_send_again(house: House, receiver: Receiver, anybody: httpx.AsyncClient) -> None:
    ours, _ = await story(house, receiver)
    path = await link(house, ours)
    receiver.received.clear()
    actions = re.findall(r'<form method="post" action="([^"]+)"', (await anybody.get(path)).text)
    assert len(actions) == 2
    for action in actions:
        answer = await anybody.post(action)
        assert (answer.status_code, answer.headers["location"]) == (303, path)
        await house.deliver()
    assert [got.path for got in receiver.received] == ["/ours", "/ours"]
    assert "delivered" in (await anybody.get(path)).text


async def test_a_range_can_be_replayed_as_json(
    house: House, receiver: Receiver, anybody: httpx.AsyncClient
) -> None:
    ours, theirs = await story(house, receiver)
    path, other = await link(house, ours), await link(house, theirs)
    made = await anybody.post(f"{path}/replays", json={"since": "2020-01-01T00:00:00Z"})
    assert (made.status_code, made.json()["queued"]) == (202, 1)
    await house.deliver()
    progress = await anybody.get(f"{path}/replays/{made.json()['id']}")
    assert progress.json()["delivered"] == 1
    assert (await anybody.get(f"{other}/replays/{made.json()['id']}")).status_code == 404


async def test_a_link_ends_when_it_expires_when_it_is_ended_and_when_the_endpoint_goes(
    house: House, receiver: Receiver, anybody: httpx.AsyncClient
) -> None:
    ours, _ = await story(house, receiver)
    ann = await house.caller()
    short, longer = await link(house, ours, hours=1), await link(house, ours)
    house.clock.forward(hours=1)
    assert (await anybody.get(short)).status_code == 410
    assert (await anybody.get(longer)).status_code == 200
    assert (await ann.delete(f"/v1/endpoints/{ours}/portal-link")).status_code == 204
    assert (await anybody.get(longer)).status_code == 404
    fresh = await link(house, ours)
    assert (await anybody.get(fresh)).status_code == 200
    await ann.delete(f"/v1/endpoints/{ours}")
    assert (await anybody.get(fresh)).status_code == 404


async def test_a_forged_link_opens_nothing(
    house: House, receiver: Receiver, anybody: httpx.AsyncClient
) -> None:
    ours, _ = await story(house, receiver)
    path = await link(house, ours)
    body, _, mac = path.removeprefix("/d/").partition(".")
    for forged in (f"{body}.{mac[:-2]}AA", f"{body[:-2]}AA.{mac}", body, "x", f"{mac}.{body}"):
        for address in (f"/d/{forged}", f"/d/{forged}/deliveries"):
            assert (await anybody.get(address)).status_code == 404
        assert (await anybody.post(f"/d/{forged}:replay-missing")).status_code == 404


async def test_only_who_may_change_endpoints_makes_links_and_not_for_too_long(house: House) -> None:
    endpoint_id, _ = await house.endpoint()
    path = f"/v1/endpoints/{endpoint_id}/portal-link"
    weak = await house.caller(scopes=("items:read",))
    assert (await weak.post(path)).status_code == 403
    assert (await (await house.caller("other")).post(path)).status_code == 404
    ann = await house.caller()
    too_long = await ann.post(path, {"hours": 169})
    assert (too_long.status_code, too_long.json()["errors"][0]["pointer"]) == (422, "/hours")
    assert (await ann.post(path, {"hours": 0})).status_code == 422


async def test_a_link_used_too_often_waits_and_other_endpoints_links_do_not(
    house: House, receiver: Receiver, anybody: httpx.AsyncClient
) -> None:
    ours, theirs = await story(house, receiver)
    path = await link(house, ours)
    for _ in range(300):  # a slow machine earns a few more while it asks
        refused = await anybody.get(f"{path}/deliveries")
        if refused.status_code != 200:
            break
    assert (refused.status_code, refused.json()["title"]) == (429, "Too many requests")
    assert refused.json()["detail"].startswith("The holder of this link may send 120 requests a minute")
    another = await link(house, ours)
    replay = {"which": "all", "since": "2020-01-01T00:00:00Z"}
    assert 429 in [(await anybody.post(f"{another}/replays", json=replay)).status_code for _ in range(5)]
    assert (await anybody.get(await link(house, theirs))).status_code == 200


async def test_in_a_browser_what_goes_wrong_is_a_page_too(house: House, anybody: httpx.AsyncClient) -> None:
    endpoint, _ = await house.endpoint()
    path = await link(house, endpoint)
    browser = {"Accept": "text/html,application/xhtml+xml"}
    for place, status in (("/d/forged", 404), (f"{path}/deliveries/msg_none:replay", 422)):
        answer = await anybody.get(place, headers=browser)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.text.startswith("<!doctype html>")
    await (await house.caller()).delete(f"/v1/endpoints/{endpoint}/portal-link")
    ended = await anybody.get(path, headers=browser)
    assert (ended.status_code, "has been ended" in ended.text) == (404, True)
    plain = await anybody.get(path)
    assert plain.headers["content-type"] == "application/problem+json"


async def test_everything_behind_a_link_is_kept_out_of_caches_and_referers(
    house: House, receiver: Receiver, anybody: httpx.AsyncClient
) -> None:
    ours, _ = await story(house, receiver)
    path = await link(house, ours)
    ((one,)) = (await anybody.get(f"{path}/deliveries")).json()["deliveries"]
    replay = {"which": "all", "since": "2020-01-01T00:00:00Z"}
    made = await anybody.post(f"{path}/replays", json=replay)
    for answer in (
        made,
        await anybody.get(path),
        await anybody.get(f"{path}/deliveries/{one['id']}"),
        await anybody.get(f"{path}/replays/{made.json()['id']}"),
    ):
        assert answer.is_success
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
