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
def _running(folder: Path, ports: Ports, output: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """`heardback run`, until the block ends; then a Ctrl-C, and the wait for its end."""
    address = ("--port-base", str(ports.ingest), "--kafka-port", str(ports.kafka))
    with output.open("wb") as log:
        process = subprocess.Popen(
            [*HEARDBACK, "run", "--data-dir", str(folder), *address],
            stdout=log,
            stderr=subprocess.STDOUT,
            env=_environment() | {"COLUMNS": "200"},
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


async def _until_up(folder: Path, process: "subprocess.Popen[bytes]", output: Path) -> None:
    def up_or_over() -> bool:
        return bool(DataFolder(folder).environment()) or process.poll() is not None

    await until(up_or_over, seconds=120)
    assert process.poll() is None, output.read_text()


@pytest.mark.timeout(300)
async def test_a_stack_stopped_and_started_again_goes_on_where_it_was(folder: Path) -> None:
    data, said, ports = folder / "data", folder / "said", Ports.free_in_a_row()
    with _running(data, ports, said) as first:
        await _until_up(data, first, said)
    words = said.read_text().split()
    key = next((word for word in words if word.startswith("hb_")), None)
    assert (first.returncode, key is not None) == (0, True), words

    body = {"source": "e2e", "external_id": "r-1", "comment": "The parcel came late.", "language": "en"}
    client = httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{ports.ingest}", headers={"Authorization": f"Bearer {key}"}
    )
    async with client:
        with _running(data, ports, said) as second:
            await _until_up(data, second, said)
            posted = await client.post("/v1/surveys", json=body)
        assert posted.status_code == 202, posted.text
        assert "hb_" not in said.read_text()
        with _running(data, ports, said) as third:
            await _until_up(data, third, said)
            again = await client.post("/v1/surveys", json=body)
    assert (again.status_code, again.json()["id"]) == (200, posted.json()["id"])
    assert (second.returncode, third.returncode) == (0, 0)
