"""Each kind of row goes when its time is over, in small batches, and nothing that is still of use goes."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from tests.integration.router_erasure.conftest import Town
from tests.integration.router_loops.receiver import Reply

from heardback_shared.db.database import Database
from heardback_shared.db.forgetting import ForgetOld, Retention, forgetting
from heardback_shared.metrics import Metrics

LOG = ("router.delivery", "router.delivery_attempt", "router.alert_mail", "router.endpoint_replay")
MESSAGES = (
    "router.message",
    "router.message_event",
    "router.message_loop",
    "router.message_item",
    "router.handover",
    "router.letter",
    "router.details_fetch",
    "router.telling",
    "router.review",
    "router.review_text",
)


REVIEWS = text("""
INSERT INTO router.review
SELECT 'default', 'rv_' || state, 'it_1', 'told', 'x', state, 'b', 1, 'ana', '[]', now(), null,
    CASE WHEN state = 'approved' THEN 'bo' END,
    CASE WHEN state = 'approved' THEN now() END, null
FROM unnest(ARRAY['approved', 'waiting']) AS state
""")
REVIEW_TEXTS = text("""
INSERT INTO router.review_text SELECT tenant_id, id, 1, 'words', 'ana', now() FROM router.review
""")


async def counted(town: Town, *tables: str) -> dict[str, int]:
    found = {}
    for table in tables:
        (row,) = await town.rows(f"SELECT count(*) AS rows FROM {table}")
        found[table] = row.rows
    return found


def none_of(tables: tuple[str, ...]) -> Mapping[str, int]:
    return dict.fromkeys(tables, 0)


async def lived(town: Town) -> str:
    """Something in every table; the endpoint."""
    await town.desk.put("/v1/endpoints/alert-addresses", {"addresses": ["ops@example.com"]})
    endpoint = await town.endpoint()
    await town.staff.put("/v1/customers/c-1", {"source": "crm", "email": "ada@example.com"})
    item = await town.writes(1, "The invoice is wrong.")
    await town.house.resolve(item, town.desk)
    await town.deliver()
    await town.house.client.get(town.receiver.received[-1].json["data"]["details_url"])
    await town.desk.post(
        f"/v1/endpoints/{endpoint}:replay", {"which": "all", "since": "2020-01-01T00:00:00Z"}
    )
    town.receiver.replies.append(Reply(410))
    await town.desk.post(f"/v1/endpoints/{endpoint}:test")
    await town.deliver()
    await town.house.core.closing.deliveries.caretaker.look()
    await town.customer().send("/preferences", channel_1="email", digest="none")
    item = await town.writes(2, "The delivery is late.")
    await town.house.resolve(item, town.desk)
    await town.deliver()
    await town.desk.post(f"/v1/endpoints/{endpoint}:enable")
    await town.deliver()
    async with town.house.database.worker() as c:
        await c.execute(REVIEWS)
        await c.execute(REVIEW_TEXTS)
    return endpoint


async def test_deliveries_go_after_ninety_days_messages_and_touches_later(town: Town) -> None:
    await lived(town)
    before = await counted(town, *LOG, *MESSAGES, "platform.contact_touch")
    assert {table: rows for table, rows in before.items() if not rows} == {}
    forget = town.house.core.forget.forget
    town.house.clock.forward(days=89)
    await forget()
    assert await counted(town, *LOG, *MESSAGES, "platform.contact_touch") == before
    town.house.clock.forward(days=2)
    await forget()
    assert await counted(town, *LOG) == none_of(LOG)
    assert await counted(town, *MESSAGES) == {table: before[table] for table in MESSAGES}
    town.house.clock.forward(days=310)
    await forget()
    assert await counted(town, "platform.contact_touch") == {"platform.contact_touch": 0}
    town.house.clock.forward(days=330)
    await forget()
    left = await counted(town, *MESSAGES)
    assert left == {**none_of(MESSAGES), "router.review": 1, "router.review_text": 1}
    ((waits,),) = await town.rows("SELECT state FROM router.review")
    assert waits == "waiting"
    forgotten = town.house.metrics.forgotten.labels("deliveries")._value.get()
    assert forgotten == before["router.delivery"]


async def test_what_still_waits_is_kept_however_old_it_is(town: Town) -> None:
    await town.endpoint()
    town.receiver.usual = Reply(500)
    item = await town.writes(1, "The invoice is wrong.")
    await town.house.resolve(item, town.desk)
    await town.deliver()
    await town.staff.put("/v1/customers/c-2/hold", {"because": "asked"})
    other = await town.writes(2, "The delivery is late.", "c-2")
    await town.house.resolve(other, town.desk)
    await town.deliver()
    before = await counted(town, "router.message", "router.handover", "router.delivery", "router.telling")
    assert before["router.message"] == 2
    town.house.clock.forward(days=2_000)
    await town.house.core.forget.forget()
    assert await counted(town, *before) == before


async def test_a_batch_is_a_transaction_and_what_is_broken_off_goes_on(
    database: Database, town: Town
) -> None:
    async with database.worker() as c:
        await c.execute(
            text("""
INSERT INTO platform.contact_touch
SELECT 'default', 't' || n, 'p', 'surveys', 'email', true, now() - make_interval(days => 500)
FROM generate_series(1, 25) AS n
""")
        )
    drop = forgetting("""
WITH old AS (SELECT tenant_id, id FROM platform.contact_touch WHERE at < :before LIMIT :some FOR UPDATE)
DELETE FROM platform.contact_touch t USING old WHERE t.tenant_id = old.tenant_id AND t.id = old.id RETURNING 1
""")
    sizes: list[int] = []

    async def dies_after_two(*given: Any) -> int:
        if len(sizes) == 2:
            sizes.append(0)
            raise ConnectionResetError
        sizes.append(await drop(*given))
        return sizes[-1]

    metrics = Metrics()
    kept = [Retention("touches", dies_after_two, timedelta(days=400), at_once=10)]
    forget = ForgetOld(database, kept, town.house.clock, metrics)
    with pytest.raises(ConnectionResetError):
        await forget.forget()
    assert await counted(town, "platform.contact_touch") == {"platform.contact_touch": 5}
    await forget.forget()
    assert sizes == [10, 10, 0, 5]
    assert metrics.forgotten.labels("touches")._value.get() == 25
    stop = asyncio.Event()
    stop.set()
    await forget.forget(stop)
    assert len(sizes) == 4
