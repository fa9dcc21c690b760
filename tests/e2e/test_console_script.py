"""The console script as a person uses it: the demo, and a stack that is stopped and started again."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tests.support.waiting import until

from heardback_local.addresses import Ports
from heardback_local.folder import DataFolder

HEARDBACK = (sys.executable, "-m", "heardback_local.cli")


def _environment() -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HEARDBACK_")}
    return clean | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hb-e2e-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.mark.timeout(300)
def test_the_demo_holds_and_says_so_in_json(folder: Path) -> None:
    outcome = subprocess.run(
        [*HEARDBACK, "demo", "--json", "--data-dir", str(folder / "data")],
        capture_output=True,
        text=True,
        env=_environment(),
        timeout=280,
        check=False,
    )
    assert outcome.stdout, outcome.stderr
    report = json.loads(outcome.stdout)
    wrong = [check for check in report["checks"] if not check["ok"]]
    assert not wrong, wrong
    assert outcome.returncode == 0
    assert report["ok"]
    assert report["backlog"]


@contextmanager
def _running(folder: Path, ports: Ports) -> Iterator[subprocess.Popen[str]]:
    address = ("--port-base", str(ports.ingest), "--kafka-port", str(ports.kafka))
    process = subprocess.Popen(
        [*HEARDBACK, "run", "--data-dir", str(folder), *address],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=_environment() | {"COLUMNS": "200"},
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


async def _until_up(folder: Path, process: subprocess.Popen[str]) -> None:
    def up_or_over() -> bool:
        return bool(DataFolder(folder).environment()) or process.poll() is not None

    await until(up_or_over, seconds=120)
    assert process.poll() is None, process.stdout.read() if process.stdout else ""


def _key(output: str) -> str:
    return next(word for word in output.split() if word.startswith("hb_"))


@pytest.mark.timeout(300)
async def test_a_stack_stopped_and_started_again_goes_on_where_it_was(folder: Path) -> None:
    data, ports = folder / "data", Ports.free_in_a_row()
    url = f"http://127.0.0.1:{ports.ingest}"
    with _running(data, ports) as first:
        await _until_up(data, first)
    output = first.stdout.read() if first.stdout else ""
    assert first.returncode == 0, output
    headers = {"Authorization": f"Bearer {_key(output)}"}

    body = {"source": "e2e", "external_id": "r-1", "comment": "The parcel came late.", "language": "en"}
    async with httpx.AsyncClient(base_url=url, headers=headers) as client:
        with _running(data, ports) as second:
            await _until_up(data, second)
            posted = await client.post("/v1/surveys", json=body)
            assert posted.status_code == 202, posted.text
        with _running(data, ports) as third:
            await _until_up(data, third)
            again = await client.post("/v1/surveys", json=body)
    assert "hb_" not in (second.stdout.read() if second.stdout else "")
    assert (again.status_code, again.json()["id"]) == (200, posted.json()["id"])
    assert (second.returncode, third.returncode) == (0, 0)
