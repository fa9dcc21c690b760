"""The embedded stack in the foreground: until a signal, then down in order."""

import asyncio
import os
import signal
from pathlib import Path

from rich.console import Console
from rich.panel import Panel

from heardback_local.addresses import Ports
from heardback_local.stack import LocalStack


async def run_until_told(folder: Path, ports: Ports, console: Console) -> int:
    """The exit status."""

    def say(text: str) -> None:
        console.print(text, style="dim", highlight=False, soft_wrap=True)

    stack = LocalStack(folder, ports=ports, say=say)
    told = stop_on_signals(stack)
    starting = asyncio.create_task(stack.start())
    waiting = asyncio.create_task(told.wait())
    await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        return 130
    waiting.cancel()
    await starting
    console.print(_welcome(stack))
    await told.wait()
    console.print("[dim]draining; a second Ctrl-C ends everything at once[/]")
    await stack.stop()
    console.print("[dim]stopped; the data stay, and `heardback run` goes on with them[/]")
    return 0


def stop_on_signals(stack: LocalStack) -> asyncio.Event:
    """Set at the first SIGINT or SIGTERM. The second kills every child and this process."""
    told = asyncio.Event()

    def handle() -> None:
        if told.is_set():
            stack.kill_everything()
            os._exit(130)
        told.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, handle)
    return told


def _welcome(stack: LocalStack) -> Panel:
    lines = [
        "[bold]heardback is up[/]",
        "",
        f"post feedback   {stack.ingest_url}/v1/surveys, /v1/transcripts",
        f"score a text    {stack.scoring_url}/v1/score",
        f"work a backlog  {stack.router_url}/v1/items",
        f"reference       {stack.ingest_url}/docs and the same path on the others",
        f"Kafka           {stack.kafka_address}",
        f"data and logs   {stack.folder.root}",
        "",
    ]
    if stack.admin_key is not None:
        lines += ["admin key, shown this once:", f"[bold]{stack.admin_key}[/]"]
    else:
        lines += ["admin key       made at the first start; another one: heardback keys create"]
    return Panel("\n".join(lines), expand=False)
