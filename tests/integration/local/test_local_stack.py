"""The supervisor around real servers and stand-in services: order, restarts, locks, and what is kept."""

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from tests.support.waiting import until

from heardback_local import first_start
from heardback_local.addresses import SERVICES, Ports
from heardback_local.folder import FolderInUseError
from heardback_local.readiness import NotReadyError
from heardback_local.stack import LocalStack


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="hb-local-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(autouse=True)
def _no_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The services' tables are tested with the services."""

    async def nothing(_: str) -> None:
        return

    async def key(folder: Path, environment: object) -> str | None:
        return None

    monkeypatch.setattr(first_start, "migrate", nothing)
    monkeypatch.setattr(first_start, "admin_key_once", key)


def _stack(folder: Path, ports: Ports | None = None, dies: str = "") -> LocalStack:
    ports = ports or Ports.free()
    commands = {
        name: (sys.executable, "-m", "tests.support.fake_service", name, str(ports.of(name)))
        + (("dies",) if name == dies else ())
        for name in SERVICES
    }
    return LocalStack(folder, ports=ports, commands=commands, durable=False)


async def test_everything_is_ready_after_start_and_gone_after_stop(folder: Path) -> None:
    stack = _stack(folder)
    async with stack:
        async with httpx.AsyncClient() as client:
            for name in SERVICES:
                assert (await client.get(f"{stack.url(name)}/readyz")).status_code == 200
        pids = [stack.child(name).pid for name in (*SERVICES, "broker", "postgres")]
        assert all(pid is not None and psutil.pid_exists(pid) for pid in pids)
        noted = stack.folder.environment()
        assert noted["HEARDBACK_DATABASE_URL"] == stack.database_url
        assert "HEARDBACK_SECRET_KEY" not in noted
    assert not any(psutil.pid_exists(pid) for pid in pids if pid is not None)
    assert stack.folder.environment() == {}
    for name in SERVICES:
        assert "drained after SIGTERM" in (folder / "logs" / f"{name}.log").read_text()


async def test_a_killed_service_is_started_again(folder: Path) -> None:
    async with _stack(folder) as stack:
        before = stack.child("router").pid
        stack.kill("router")
        await until(lambda: stack.child("router").pid not in (None, before))
        await stack.wait_until_ready()
        assert stack.child("router").deaths == 1


async def test_two_stacks_cannot_share_a_folder(folder: Path) -> None:
    async with _stack(folder):
        with pytest.raises(FolderInUseError, match=str(os.getpid())):
            await _stack(folder).start()
    async with _stack(folder):
        pass


async def test_a_service_that_keeps_dying_ends_the_start_with_its_last_words(folder: Path) -> None:
    stack = _stack(folder, dies="scoring")
    with pytest.raises(NotReadyError, match="told to die"):
        await stack.start()
    assert all(stack.child(name).pid is None for name in (*SERVICES, "broker", "postgres"))


async def test_what_a_killed_supervisor_left_behind_is_ended_first(folder: Path) -> None:
    ports = Ports.free()
    lost = _stack(folder, ports)
    await lost.start()
    left = [lost.child(name).pid for name in (*SERVICES, "broker")]
    for name in (*SERVICES, "broker", "postgres"):
        lost.child(name).abandon()
    lost.folder.release()

    async with _stack(folder, ports) as stack:
        assert not set(left) & {stack.child(name).pid for name in (*SERVICES, "broker")}
        await stack.wait_until_ready()


async def test_the_secret_key_is_made_once_and_is_ours_alone(folder: Path) -> None:
    stack = _stack(folder)
    key = stack.folder.secret_key()
    assert stack.folder.secret_key() == key
    assert stat.S_IMODE((folder / "secret.key").stat().st_mode) == 0o600
