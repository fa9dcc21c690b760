"""Starting and stopping a service process.

First signal: readiness turns red, the intake (HTTP and streams) finishes what it has in hand, then the
background (relays, dispatchers) finishes its own, all within one deadline. Second signal: exit at once.
A task that ends by itself ends the process with a non-zero code, for whoever supervises it to restart.
"""

import asyncio
import gc
import os
import signal
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog
import uvicorn
from fastapi import FastAPI

from heardback_shared.health import Readiness
from heardback_shared.settings import ServiceSettings

_log = structlog.get_logger(__name__)

Task = Callable[[asyncio.Event], Awaitable[None]]
"""Runs until the event is set, finishes what it has in hand, and returns."""


@dataclass(frozen=True)
class Service:
    name: str
    http: FastAPI
    port: int
    readiness: Readiness
    intake: Mapping[str, Task] = field(default_factory=dict)
    background: Mapping[str, Task] = field(default_factory=dict)


class TaskEndedError(Exception):
    """A supervised task returned although nobody had asked it to."""


async def serve(service: Service, settings: ServiceSettings) -> None:
    """Returns after a clean stop; raises when a task died."""
    _collect_rarely()
    stop_intake, stop_background = asyncio.Event(), asyncio.Event()
    _on_signals(stop_intake)
    server = _Server(
        uvicorn.Config(
            service.http,
            host=settings.host,
            port=service.port,
            log_config=None,
            access_log=False,
            loop="none",
            http="httptools",
            lifespan="off",
            timeout_graceful_shutdown=int(settings.drain_seconds),
            server_header=False,
        )
    )
    intake = [_spawn(name, task, stop_intake) for name, task in service.intake.items()]
    intake.append(_spawn("http", lambda _: server.serve(), stop_intake))
    background = [_spawn(name, task, stop_background) for name, task in service.background.items()]
    stopping = asyncio.create_task(stop_intake.wait(), name="stop")
    service.readiness.running = True
    _log.info("service.started", name=service.name, port=service.port)
    try:
        await asyncio.wait([stopping, *intake, *background], return_when=asyncio.FIRST_COMPLETED)
        service.readiness.draining = True
        stop_intake.set()
        server.should_exit = True
        deadline = asyncio.get_running_loop().time() + settings.drain_seconds
        await _drain(intake, deadline)
        stop_background.set()
        await _drain(background, deadline)
        _raise_first_death([*intake, *background])
        _log.info("service.stopped", name=service.name)
    finally:
        stopping.cancel()


class _Server(uvicorn.Server):
    """Signals are ours: the service drains as a whole."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def _collect_rarely() -> None:
    # What start-up made stays; a batch makes many short-lived objects and hardly a cycle.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _spawn(name: str, task: Task, stop: asyncio.Event) -> asyncio.Task[None]:
    async def run() -> None:
        await task(stop)
        if not stop.is_set():
            raise TaskEndedError(f"{name} ended by itself")

    return asyncio.create_task(run(), name=name)


async def _drain(tasks: list[asyncio.Task[None]], deadline: float) -> None:
    left = max(deadline - asyncio.get_running_loop().time(), 0.1)
    _, late = await asyncio.wait(tasks, timeout=left) if tasks else (set(), set())
    for task in late:
        _log.warning("service.drain_overrun", task=task.get_name())
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)


def _raise_first_death(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error(
                "service.task_died", task=task.get_name(), error=type(error).__name__, detail=str(error)
            )
            raise error


def _on_signals(stop: asyncio.Event) -> None:
    def handle() -> None:
        if stop.is_set():
            os._exit(130)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, handle)
