"""One process that is kept alive: watched, started again with growing pauses, stopped with a deadline."""

import asyncio
import contextlib
import os
import pwd
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Say = Callable[[str], None]

_LOG_LIMIT_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, and as whom. `user` is a system account, given only when we are root."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within_seconds: float = 20.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pause before start number n after a death: `first` doubled each time, up to `longest`.

    A life of `healthy_after` seconds is a success, and the count begins anew.
    """

    first: float = 0.2
    longest: float = 10.0
    healthy_after: float = 10.0

    def pause(self, deaths: int) -> float:
        return min(self.longest, self.first * 2.0 ** max(0, deaths - 1))


class Child:
    """Runs one Program. Its output goes to a log file of its own.

    `after_start` is awaited each time the process has been started anew by itself (not by `start`);
    a stage that must be prepared again after a death does so there.
    """

    def __init__(
        self,
        program: Program,
        log: Path,
        say: Say,
        *,
        backoff: Backoff | None = None,
        after_start: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.program = program
        self.log = log
        self.deaths = 0
        self._say = say
        self._backoff = backoff or Backoff()
        self._after_start = after_start
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._wanted = False
        self._birth = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The number of the living process, or None between two lives."""
        alive = self._process is not None and self._process.returncode is None
        return self._process.pid if alive and self._process is not None else None

    async def start(self) -> None:
        """The process is running when this returns; whether it is of use is for the caller to find out."""
        self._wanted = True
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.program.name}")

    async def stop(self) -> None:
        """Asks it to end, and kills it when the deadline has passed. Safe to call twice."""
        async with self._birth:  # never between a process being made and our knowing of it
            self._wanted = False
            if self._keeper is not None:
                self._keeper.cancel()
        if self._keeper is not None:
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(self.program.stop_signal)
        try:
            await asyncio.wait_for(self._process.wait(), self.program.stop_within_seconds)
        except TimeoutError:
            self._say(f"{self.program.name} did not stop in {self.program.stop_within_seconds:g} s; killed")
            self.kill()
            await self._process.wait()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    def kill(self) -> None:
        """SIGKILL to the process and whatever it started. It is started again unless `stop` was called."""
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def abandon(self) -> None:
        """Stops watching and leaves the process alone."""
        self._wanted = False
        if self._keeper is not None:
            self._keeper.cancel()
            self._keeper = None

    def last_lines(self, count: int = 15) -> str:
        """The end of its log, for a message to a person."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])
        except FileNotFoundError:
            return ""

    async def _spawn(self) -> None:
        account = as_account(self.program.user)
        with _open_log(self.log) as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.program.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                env=dict(self.program.environment) or None,
                start_new_session=True,  # a Ctrl-C of the terminal is for us; we stop the others in order
                **account,
            )

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        while self._process is not None:
            born = loop.time()
            code = await self._process.wait()
            if not self._wanted:
                return
            lived = loop.time() - born
            self.deaths = 1 if lived >= self._backoff.healthy_after else self.deaths + 1
            pause = self._backoff.pause(self.deaths)
            self._say(
                f"{self.program.name} ended {_how(code)}; starting it again in {pause:g} s ({self.log})"
            )
            await asyncio.sleep(pause)
            try:
                async with self._birth:
                    await self._spawn()
                if self._after_start is not None:
                    await self._after_start()
            except Exception as error:
                # Whatever went wrong, a dead keeper would leave the process unwatched.
                self._say(f"{self.program.name} could not be started again: {error}")
                self.kill()


def as_account(user: str | None) -> dict[str, Any]:
    """Arguments for a subprocess that shall run as `user`, with that account's own group and no other."""
    if user is None:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": ()}


def plain_environment() -> dict[str, str]:
    """For programs that are not ours: no settings of a person's own servers, and messages in English."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "TZ")}
    return kept | {"LC_ALL": "C"}


def _how(code: int) -> str:
    return f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit status {code}"


@contextlib.contextmanager
def _open_log(path: Path) -> Iterator[int]:
    """Appends to the log; a large one is put aside first, replacing the one put aside before."""
    if path.exists() and path.stat().st_size > _LOG_LIMIT_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
