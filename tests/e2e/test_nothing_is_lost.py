"""Processes die in turn, again and again; what was accepted still ends in one item, told with one voice."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.e2e.conftest import Running, StackFactory
from tests.support.receiver import Receiver
from tests.support.waiting import until_async

ANY_TIME = Path(__file__).parents[1] / "support" / "any_time"
"""Policies by which customers are told at any hour, so that the test can run at any hour."""
EVENTS = 500
PER_REQUEST = 10
VICTIMS = ("ingest", "scoring", "router", "broker")
SAID = (
    "The parcel came three days late and nobody told me.",
    "You charged my card twice for the same order.",
    "The app crashes whenever I open the invoice.",
    "Lovely service, thank you so much!",
    "I have asked for this three times now. I want to cancel.",
)


def survey(number: int) -> dict[str, Any]:
    return {
        "type": "survey",
        "source": "e2e",
        "external_id": f"r-{number}",
        "customer": {"id": f"c-{number % 60}"},
        "touchpoint": "delivery",
        "metric": {"kind": "nps", "value": number % 11, "min": 0, "max": 10, "direction": "higher_is_better"},
        "comment": SAID[number % len(SAID)],
        "context": {"order": f"A-{number}"},
    }


async def post_until_accepted(client: httpx.AsyncClient, rows: list[dict[str, Any]]) -> list[str]:
    """As a platform would: send again, unchanged, until there is an answer."""
    while True:
        try:
            answer = await client.post("/v1/feedback:batch", json=rows)
        except httpx.HTTPError:
            await asyncio.sleep(0.2)
            continue
        if answer.status_code == 200:
            results = answer.json()
            assert all(r["status"] in {"accepted", "duplicate"} for r in results), results
            return [r["id"] for r in results]
        assert answer.status_code >= 500, answer.text
        await asyncio.sleep(0.2)


async def post_everything(run: Running) -> list[str]:
    ids: list[str] = []
    for start in range(0, EVENTS, PER_REQUEST):
        ids += await post_until_accepted(run.ingest, [survey(n) for n in range(start, start + PER_REQUEST)])
        await asyncio.sleep(0.4)
    return ids


async def kill_in_turn(run: Running, stop: asyncio.Event) -> int:
    for kills, victim in enumerate(itertools.cycle(VICTIMS)):
        if stop.is_set() and kills >= len(VICTIMS):
            return kills
        run.stack.kill(victim)
        await asyncio.sleep(3)
        await run.stack.wait_until_ready()
    raise AssertionError("unreachable")


async def resolve_some(run: Running, stop: asyncio.Event) -> None:
    """Resolves whatever stands on top of the backlog, so that messages go out while things die; on a slow
    machine the first of them only afterwards."""
    resolved = 0
    while not (stop.is_set() and resolved):
        await asyncio.sleep(0.5)
        try:
            page = await run.router.get("/v1/items", params={"state": "open", "limit": 3})
            for item in page.json().get("items", []):
                answer = await run.router.post(
                    f"/v1/items/{item['id']}:resolve",
                    json={
                        "root_cause": "carrier change",
                        "action": "new carrier",
                        "tell_customer": {"text": "We changed the carrier."},
                    },
                    headers={"If-Match": f'"{item["version"]}"'},
                )
                resolved += answer.status_code == 200
        except (httpx.HTTPError, ValueError):
            continue


async def read(client: httpx.AsyncClient, path: str, **params: str) -> Any:
    """Asked again when the connection, kept from before, is closed just then."""
    while True:
        try:
            return (await client.get(path, params=params)).raise_for_status().json()
        except httpx.TransportError:
            await asyncio.sleep(0.2)


async def links(run: Running) -> dict[str, list[str]]:
    """Items by feedback, over the whole backlog."""
    found: dict[str, list[str]] = {}
    cursor: str | None = None
    while True:
        params = {"limit": "100"} | ({"cursor": cursor} if cursor else {})
        page = await read(run.router, "/v1/items", **params)
        for item in page["items"]:
            whole = await read(run.router, f"/v1/items/{item['id']}")
            for feedback in whole["feedback"]:
                found.setdefault(feedback["feedback_id"], []).append(item["id"])
        cursor = page.get("next_cursor")
        if not cursor:
            return found


@pytest.mark.timeout(420)
async def test_every_202_ends_in_one_item_whatever_dies(start_stack: StackFactory) -> None:
    awake = {f"HEARDBACK_{service}_POLICIES": str(ANY_TIME) for service in ("INGEST", "ROUTER")}
    async with Receiver() as receiver, start_stack(awake) as run:
        made = await run.router.post("/v1/endpoints", json={"url": receiver.url})
        assert made.status_code == 201, made.text
        receiver.secret = made.json()["secret"]
        proven = await run.router.post(f"/v1/endpoints/{made.json()['id']}:prove")
        assert proven.json()["proof"]["state"] == "proven", proven.text
        posted = asyncio.Event()
        killer = asyncio.create_task(kill_in_turn(run, posted))
        resolver = asyncio.create_task(resolve_some(run, posted))
        ids = await post_everything(run)
        posted.set()
        assert await killer >= len(VICTIMS)
        await resolver
        await run.stack.wait_until_ready()

        async def settled() -> bool:
            return (await run.ledger())["in_flight"] == 0 and bool(receiver.messages)

        await until_async(settled, 120)
        ledger = await run.ledger()
        assert ledger["accepted"] == EVENTS
        assert ledger["accepted"] == ledger["settled"] + ledger["in_flight"] + ledger["dead"]
        assert ledger["dead"] == 0
        found = await links(run)
        assert set(found) == set(ids)
        assert all(len(items) == 1 for items in found.values())
        assert len(set(ids)) == EVENTS
        for message_id, bodies in receiver.bodies_by_id().items():
            assert len(bodies) == 1, f"{message_id} came with {len(bodies)} different bodies"
        assert receiver.badly_signed == 0
        told: dict[tuple[str, str], set[str]] = {}
        for message in receiver.messages:
            for item_id in message.data["item_ids"]:
                told.setdefault((message.data["customer_id"], item_id), set()).add(message.id)
        assert [matter for matter, by in told.items() if len(by) > 1] == []
