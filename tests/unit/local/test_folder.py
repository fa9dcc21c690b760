"""The data folder: who holds it, what it keeps secret, and whose processes it remembers."""

import os
import stat
from pathlib import Path

import pytest

from heardback_local.folder import DataFolder, FolderInUseError
from heardback_local.target import NoTargetError, adopt


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    first, second = DataFolder(tmp_path), DataFolder(tmp_path)
    first.claim()
    with pytest.raises(FolderInUseError, match=str(os.getpid())):
        second.claim()
    first.release()
    second.claim()
    second.release()


def test_the_secret_key_is_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    key = DataFolder(tmp_path).secret_key()
    assert DataFolder(tmp_path).secret_key() == key
    assert len(key) == 44
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


def test_a_number_given_to_another_process_is_not_ours(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.note_children([os.getpid()])
    assert [process.pid for process in folder.children()] == [os.getpid()]
    (tmp_path / "children.json").write_text(f"[[{os.getpid()}, 12.5]]")
    assert folder.children() == []


def test_commands_find_the_running_stack_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEARDBACK_DATABASE_URL", "HEARDBACK_SECRET_KEY", "HEARDBACK_INGEST_PORT"):
        monkeypatch.setenv(name, "")
    with pytest.raises(NoTargetError, match="heardback run"):
        adopt(tmp_path)
    folder = DataFolder(tmp_path)
    folder.note_environment({"HEARDBACK_DATABASE_URL": "postgresql://x/y", "HEARDBACK_INGEST_PORT": "8801"})
    assert adopt(tmp_path)
    assert os.environ["HEARDBACK_DATABASE_URL"] == "postgresql://x/y"
    assert os.environ["HEARDBACK_SECRET_KEY"] == folder.secret_key()


def test_an_environment_that_names_a_database_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEARDBACK_DATABASE_URL", "postgresql://mine/own")
    assert not adopt(tmp_path)
    assert os.environ["HEARDBACK_DATABASE_URL"] == "postgresql://mine/own"
