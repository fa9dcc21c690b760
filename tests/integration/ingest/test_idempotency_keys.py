"""Idempotency-Key: one effect, one answer."""

import asyncio

import httpx
import pytest
from sqlalchemy import text
from tests.integration.ingest.conftest import Key
from tests.support.clock import FakeClock
from tests.support.feedback import survey

from heardback_ingest.main import Ingest
from heardback_shared.db.database import Database

PATH = "/v1/surveys"


async def test_a_repeat_is_answered_as_the_first_was(http: httpx.AsyncClient, key: Key) -> None:
    headers = await key("feedback:write")
    quoted = headers | {"Idempotency-Key": '"one"'}
    bare = headers | {"Idempotency-Key": "one"}
    first = await http.post(PATH, json=survey(), headers=quoted)
    again = await http.post(PATH, json=survey(), headers=bare)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert again.headers["location"] == first.headers["location"]


async def test_another_body_or_path_under_the_same_key_is_refused(http: httpx.AsyncClient, key: Key) -> None:
    headers = await key("feedback:write") | {"Idempotency-Key": '"one"'}
    await http.post(PATH, json=survey(), headers=headers)
    other = await http.post(PATH, json=survey(2), headers=headers)
    elsewhere = await http.post("/v1/feedback:batch", json=[survey()], headers=headers)
    assert (other.status_code, elsewhere.status_code) == (422, 422)
    assert other.json()["type"].endswith("idempotency-key-reused")


async def test_keys_belong_to_the_caller(http: httpx.AsyncClient, key: Key) -> None:
    for tenant in ("default", "other"):
        headers = await key("feedback:write", tenant=tenant) | {"Idempotency-Key": '"one"'}
        answer = await http.post(PATH, json=survey(), headers=headers)
        assert answer.status_code == 202


async def test_a_refused_request_frees_its_key(http: httpx.AsyncClient, key: Key) -> None:
    headers = await key("feedback:write") | {"Idempotency-Key": '"one"'}
    long = await http.post(PATH, json=survey(comment="x" * 30_000), headers=headers)
    mended = await http.post(PATH, json=survey(), headers=headers)
    assert (long.status_code, mended.status_code) == (413, 202)


@pytest.mark.parametrize("spelled", ["", '"', '""', '"open', "a b", "x" * 256, 'a"b'])
async def test_a_key_that_cannot_be_read(http: httpx.AsyncClient, key: Key, spelled: str) -> None:
    headers = await key("feedback:write") | {"Idempotency-Key": spelled}
    assert (await http.post(PATH, json=survey(), headers=headers)).status_code == 400


async def test_while_the_first_runs_a_repeat_is_told_to_wait_and_a_dead_first_is_taken_over(
    http: httpx.AsyncClient, key: Key, database: Database, clock: FakeClock, ingest: Ingest
) -> None:
    headers = await key("feedback:write") | {"Idempotency-Key": '"one"'}
    await http.post(PATH, json=survey(), headers=headers)
    async with database.worker() as c:  # as if the process had died before it answered
        await c.execute(text("UPDATE ingest.idempotency SET status = NULL, headers = NULL, body = NULL"))
    running = await http.post(PATH, json=survey(), headers=headers)
    assert running.status_code == 409
    assert running.headers["retry-after"]
    clock.forward(seconds=31)
    taken_over = await http.post(PATH, json=survey(), headers=headers)
    assert taken_over.status_code == 200
    assert taken_over.json()["duplicate"] is True


async def test_a_key_is_forgotten_in_time(
    http: httpx.AsyncClient, key: Key, database: Database, clock: FakeClock, ingest: Ingest
) -> None:
    headers = await key("feedback:write") | {"Idempotency-Key": '"one"'}
    await http.post(PATH, json=survey(), headers=headers)
    clock.forward(hours=25)
    assert (await http.post(PATH, json=survey(2), headers=headers)).status_code == 202
    clock.forward(hours=25)
    async with database.worker() as c:
        await ingest.keys.forget_expired(c, clock.now())
        assert await c.scalar(text("SELECT count(*) FROM ingest.idempotency")) == 0


async def test_many_with_one_key_at_once_have_one_effect(
    http: httpx.AsyncClient, key: Key, database: Database
) -> None:
    headers = await key("feedback:write") | {"Idempotency-Key": '"one"'}
    answers = await asyncio.gather(*(http.post(PATH, json=survey(), headers=headers) for _ in range(8)))
    assert {a.status_code for a in answers} <= {202, 409}
    async with database.worker() as c:
        assert await c.scalar(text("SELECT count(*) FROM ingest.outbox")) == 1
