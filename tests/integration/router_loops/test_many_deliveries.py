"""A long log: what is asked of it stays quick, and a replay takes its share and says what is left."""

from time import perf_counter

from sqlalchemy import text
from tests.integration.router_loops.house import House
from tests.integration.router_loops.receiver import Receiver

MANY = 100_000
FILL = text("""
INSERT INTO router.delivery
    (tenant_id, id, endpoint_id, message_id, event_type, body, state, attempts, claims, next_attempt_at,
    created_at, done_at)
SELECT 'default', 'msg_' || n, :endpoint, 'out_' || n, 'loop.told', convert_to(repeat('x', 500), 'UTF8'),
    'failed', 10, 10, CAST(:at AS timestamptz), CAST(:at AS timestamptz) - make_interval(secs => n), :at
FROM generate_series(1, :many) AS n
""")


async def test_a_replay_of_a_hundred_thousand_takes_its_share_quickly(
    house: House, receiver: Receiver
) -> None:
    endpoint, _ = await house.endpoint()
    async with house.database.worker() as c:
        await c.execute(FILL, {"endpoint": endpoint, "at": house.clock.now(), "many": MANY})
    ann = await house.caller()
    started = perf_counter()
    missing = {"which": "missing", "since": "2020-01-01T00:00:00Z"}
    replay = (await ann.post(f"/v1/endpoints/{endpoint}:replay", missing)).json()
    took = perf_counter() - started
    assert (replay["matched"], replay["queued"], replay["left"]) == (MANY, 5_000, MANY - 5_000)
    page = (await ann.get("/v1/deliveries", endpoint=endpoint)).json()
    assert len(page["deliveries"]) == 50
    assert took < 30
