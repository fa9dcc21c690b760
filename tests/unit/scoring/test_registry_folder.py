"""The registry on real files: deciders in several processes, a crash at any moment, damaged files."""

import os
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from tests.support.clock import NOON
from tests.support.registry import registered

from heardback_scoring.adapters.registry_folder import (
    ACTIVE,
    DECISIONS,
    RegistryFolder,
    RegistryUnreadable,
)
from heardback_scoring.domain.registry import (
    UNDECIDED,
    DecisionRefused,
    RegistryState,
    promoted,
    rolled_back,
)

BASE = registered("default", "a")
DECIDER = """
import os, sys
from pathlib import Path
from tests.support.registry import registered
from tests.unit.scoring.test_registry_folder import override
from heardback_scoring.adapters.registry_folder import RegistryFolder

folder, names, die_at = RegistryFolder(Path(sys.argv[1])), sys.argv[2].split(","), int(sys.argv[3])
calls, fsync = 0, os.fsync

def dying(descriptor):
    global calls
    calls += 1
    if calls == die_at:
        os._exit(9)
    fsync(descriptor)

os.fsync = dying
for name in names:
    folder.decide(override(name))
"""


def override(name: str) -> Callable[[RegistryState], RegistryState]:
    """Promotes the model of that name, whatever is in force."""
    model = registered(name, "b")

    def change(state: RegistryState) -> RegistryState:
        in_force = state.active or BASE
        return promoted(state, model, in_force, None, by="ana", because=name, at=NOON, override=True)

    return change


def decider(folder: Path, names: list[str], die_at: int = 0) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    command = [sys.executable, "-c", DECIDER, str(folder), ",".join(names), str(die_at)]
    return subprocess.Popen(command, env=environment)


def test_nothing_is_decided_where_there_is_no_folder(tmp_path: Path) -> None:
    folder = RegistryFolder(tmp_path / "none")
    assert (folder.state(), folder.decisions(), folder.stamp()) == (UNDECIDED, [], None)


def test_a_decision_is_in_force_logged_and_noticed(tmp_path: Path) -> None:
    folder = RegistryFolder(tmp_path / "deep" / "models")
    state = folder.decide(override("one"))
    before = folder.stamp()
    assert RegistryFolder(folder.root).state() == state
    folder.decide(override("two"))
    assert folder.stamp() != before
    assert [(d.number, d.because) for d in folder.decisions()] == [(1, "one"), (2, "two")]
    assert len((folder.root / DECISIONS).read_bytes().splitlines()) == 2


def test_a_refused_decision_leaves_no_trace(tmp_path: Path) -> None:
    folder = RegistryFolder(tmp_path)
    folder.decide(override("one"))
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(DecisionRefused):
        folder.decide(override("one"))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == files


def test_processes_that_decide_at_once_wait_for_each_other(tmp_path: Path) -> None:
    each = 10
    deciders = [decider(tmp_path, [f"m{n}-{i}" for i in range(each)]) for n in range(3)]
    assert [process.wait(60) for process in deciders] == [0, 0, 0]
    folder = RegistryFolder(tmp_path)
    decisions, state = folder.decisions(), folder.state()
    assert [d.number for d in decisions] == list(range(1, 3 * each + 1))
    assert len({d.because for d in decisions}) == 3 * each
    # Every decision saw the one before it: what it replaced is what that one had put in force.
    assert all(b.came_from == a.to for a, b in pairwise(decisions))
    assert state.active == decisions[-1].to
    assert len(state.before) == 3 * each


@pytest.mark.parametrize("die_at", [1, 2, 3, 4])
def test_killed_between_any_two_writes_the_registry_is_readable_and_goes_on(
    tmp_path: Path, die_at: int
) -> None:
    folder = RegistryFolder(tmp_path)
    folder.decide(override("one"))
    assert decider(tmp_path, ["two"], die_at).wait(60) == 9
    state, decisions = folder.state(), folder.decisions()
    assert state.active is not None
    assert state.active.model in {"one", "two"}
    # What is in force is always the last decision that can be looked up.
    assert [d.because for d in decisions] == ["one", "two"][: len(decisions)]
    assert decisions[-1] == state.decision
    folder.decide(override("three"))
    logged = [d.because for d in folder.decisions()]
    assert logged == [d.because for d in decisions] + ["three"]
    assert len((tmp_path / DECISIONS).read_bytes().splitlines()) == len(logged)


def test_a_torn_line_is_written_again_whole(tmp_path: Path) -> None:
    folder = RegistryFolder(tmp_path)
    folder.decide(override("one"))
    folder.decide(override("two"))
    log = tmp_path / DECISIONS
    log.write_bytes(log.read_bytes()[:-40])
    assert [d.because for d in folder.decisions()] == ["one", "two"]
    folder.decide(lambda state: rolled_back(state, BASE, by="bo", because="worse", at=NOON))
    assert [d.because for d in folder.decisions()] == ["one", "two", "worse"]
    assert len(log.read_bytes().splitlines()) == 3


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (ACTIVE, b"{"),
        (ACTIVE, b'{"format": "heardback.registry.v9"}'),
        (ACTIVE, b'{"format": "heardback.registry.v1", "colour": "red"}'),
        (DECISIONS, b"nonsense\n"),
    ],
)
def test_a_damaged_file_is_named_and_nothing_is_decided_on_it(
    tmp_path: Path, name: str, content: bytes
) -> None:
    folder = RegistryFolder(tmp_path)
    folder.decide(override("one"))
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RegistryUnreadable, match=name):
        folder.decide(override("two"))
    assert (tmp_path / name).read_bytes() == content


def test_a_manifest_in_the_folder_moves_with_it(tmp_path: Path) -> None:
    folder = RegistryFolder(tmp_path / "here")
    inside, outside = tmp_path / "here" / "small" / "manifest.toml", tmp_path / "manifest.toml"
    assert folder.spelled(str(inside)) == "small/manifest.toml"
    assert RegistryFolder(tmp_path / "there").located("small/manifest.toml") == str(
        tmp_path / "there" / "small" / "manifest.toml"
    )
    assert folder.located(folder.spelled(str(outside))) == str(outside)
    assert folder.located(folder.spelled("default")) == "default"
