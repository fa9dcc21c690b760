"""A service process stops as promised: requests are finished, then streams, then the background."""

import asyncio
import base64
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from tests.support.broker import free_port
from tests.support.waiting import until_async

Start = Callable[[str], Awaitable[tuple[asyncio.subprocess.Process, str]]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    running: list[asyncio.subprocess.Process] = []

    async def run(wrong: str) -> tuple[asyncio.subprocess.Process, str]:
        port = free_port()
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
            "HEARDBACK_SECRET_KEY": base64.b64encode(b"s" * 32).decode(),
            "HEARDBACK_DRAIN_SECONDS": "3",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.support.toy_service", str(port), wrong,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, env=environment,
        )  # fmt: skip
        running.append(process)
        return process, f"http://127.0.0.1:{port}"

    yield run
    for process in running:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def ready(url: str) -> None:
    async with httpx.AsyncClient() as client:

        async def answers() -> bool:
            return (await client.get(url + "/readyz")).status_code == 200

        await until_async(answers, every=0.05)


async def printed(process: asyncio.subprocess.Process) -> list[str]:
    assert process.stdout is not None
    return (await process.stdout.read()).decode().split("\n")[:-1]


async def test_a_request_in_hand_is_answered_before_the_process_goes(start: Start) -> None:
    process, url = await start("nothing")
    await ready(url)
    async with httpx.AsyncClient() as client:
        request = asyncio.create_task(client.get(url + "/slow"))
        assert process.stdout is not None
        assert await process.stdout.readline() == b"request begun\n"
        process.send_signal(signal.SIGTERM)
        assert (await request).json() == {"answer": "whole"}
    assert await printed(process) == ["stream drained", "relay drained", "closed"]
    assert await process.wait() == 0


async def test_a_task_that_dies_ends_the_process_with_an_error(start: Start) -> None:
    process, _ = await start("dies")
    assert await asyncio.wait_for(process.wait(), 90) != 0


async def test_a_task_that_will_not_stop_is_cut_off_at_the_deadline(start: Start) -> None:
    process, url = await start("hangs")
    await ready(url)
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.wait(), 90)
    assert "relay drained" not in await printed(process)


async def test_a_second_signal_ends_it_at_once(start: Start) -> None:
    process, url = await start("hangs")
    await ready(url)
    process.send_signal(signal.SIGTERM)
    await asyncio.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(process.wait(), 90) == 130
