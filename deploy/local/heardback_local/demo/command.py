"""Runs the demo: a stack of its own, the story, the report."""

import asyncio
import json
import shutil
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from heardback_local import first_start
from heardback_local.demo.api import Api
from heardback_local.demo.receiver import Receiver
from heardback_local.demo.report import as_json as report_as_json
from heardback_local.demo.report import show
from heardback_local.demo.story import Story
from heardback_local.failures import MendableError
from heardback_local.foreground import stop_on_signals
from heardback_local.stack import LocalStack


class NotFreshError(MendableError):
    """The demo counts from zero, so it needs a folder without earlier events."""


async def run_demo(data_dir: Path | None, *, as_json: bool, keep: bool, stderr: Console) -> int:
    """The exit status: 0 only if every check holds. Nothing but the JSON object goes to standard output."""
    folder = _fresh_folder(data_dir)

    def say(text: str) -> None:
        stderr.print(text, style="dim", highlight=False, soft_wrap=True)

    stack = LocalStack(folder, say=say)
    told = stop_on_signals(stack)
    status = 1
    try:
        telling = asyncio.create_task(_tell(stack, as_json=as_json, keep=keep, told=told))
        waiting = asyncio.create_task(told.wait())
        await asyncio.wait({telling, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not telling.done() and not keep:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
            status = 130
        else:
            waiting.cancel()
            status = await telling
        return status
    finally:
        if data_dir is None and status != 1:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            say(f"data and logs are kept in {folder}")


def _fresh_folder(data_dir: Path | None) -> Path:
    if data_dir is not None and data_dir.exists() and any(data_dir.iterdir()):
        raise NotFreshError(f"{data_dir} is not empty; give a new folder, or none for a temporary one")
    return data_dir or Path(tempfile.mkdtemp(prefix="heardback-demo-"))


async def _tell(stack: LocalStack, *, as_json: bool, keep: bool, told: asyncio.Event) -> int:
    started = time.monotonic()
    async with AsyncExitStack() as held:
        await held.enter_async_context(stack)
        receiver = Receiver()
        await receiver.start()
        held.push_async_callback(receiver.stop)
        key = stack.admin_key or await first_start.create_key(
            stack.database_url, stack.folder.secret_key(), name="demo", scopes=("admin",)
        )
        ingest, router = Api(stack.ingest_url, key), Api(stack.router_url, key)
        held.push_async_callback(ingest.close)
        held.push_async_callback(router.close)
        other = await first_start.create_key(
            stack.database_url, stack.folder.secret_key(), name="second person", scopes=("admin",)
        )
        second = Api(stack.router_url, other)
        held.push_async_callback(second.close)
        story = Story(ingest, router, second, receiver, stack.say, datetime.now(UTC))
        await story.tell()
        addresses = _addresses(stack, key)
        seconds = time.monotonic() - started
        if as_json:
            sys.stdout.write(json.dumps(report_as_json(story, addresses, seconds), default=str) + "\n")
            sys.stdout.flush()
        else:
            show(story, addresses, seconds, Console(), stays=keep)
        if keep:
            stack.say("staying up until Ctrl-C")
            await told.wait()
    return 0 if story.checks.ok else 1


def _addresses(stack: LocalStack, key: str) -> dict[str, str]:
    return {
        "ingest": f"{stack.ingest_url}/docs",
        "scoring": f"{stack.scoring_url}/docs",
        "router": f"{stack.router_url}/docs",
        "kafka": stack.kafka_address,
        "data": str(stack.folder.root),
        "key": key,
    }
