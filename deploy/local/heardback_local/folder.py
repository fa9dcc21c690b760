"""The one folder that holds everything an embedded stack keeps: data, secrets, logs, and who is running."""

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heardback_local.failures import MendableError

if TYPE_CHECKING:
    import psutil


MODELS = "models"
"""The model registry within the folder; made at the first decision."""


class FolderInUseError(MendableError):
    """Another stack runs on this folder. The message names its process."""


class DataFolder:
    """Paths and small files below one root. Creating it makes the folders; `claim` makes it ours."""

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().resolve()
        self.logs = self.root / "logs"
        self._lock_path = self.root / "lock"
        self._environment_path = self.root / "environment.json"
        self._children_path = self.root / "children.json"
        self._lock: int | None = None
        for path in (self.root, self.logs):
            path.mkdir(parents=True, exist_ok=True)

    def claim(self) -> None:
        """Holds the folder for this process until `release` or its end. Raises FolderInUseError."""
        descriptor = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode().strip() or "unknown"
            os.close(descriptor)
            raise FolderInUseError(
                f"{self.root} is in use by process {holder}; stop that one, or give another --data-dir"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._lock = descriptor

    def release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def secret_key(self) -> str:
        """Base64 of 32 bytes, made at first use and kept with mode 0600.

        Whoever loses it loses the original texts: they are encrypted under it.
        """
        path = self.root / "secret.key"
        if not path.exists():
            _write_private(path, base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
        return path.read_text().strip()

    def note_environment(self, environment: Mapping[str, str]) -> None:
        """Lets other commands find a running stack: its addresses, and nothing that is secret."""
        _write_private(self._environment_path, json.dumps(dict(environment), indent=2) + "\n")

    def forget_environment(self) -> None:
        self._environment_path.unlink(missing_ok=True)

    def environment(self) -> dict[str, str]:
        """What `note_environment` wrote, or nothing when no stack is up on this folder."""
        try:
            found: Any = json.loads(self._environment_path.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}

    def note_children(self, pids: Iterable[int]) -> None:
        """Remembers our processes, so that the next start can end what a SIGKILL of this one left behind."""
        import psutil  # only a stack needs it; commands against other servers do not

        entries = [[pid, psutil.Process(pid).create_time()] for pid in pids if psutil.pid_exists(pid)]
        _write_private(self._children_path, json.dumps(entries) + "\n")

    def children(self) -> "list[psutil.Process]":
        """Noted processes that still live. A number given to another program since is not ours."""
        try:
            entries: Any = json.loads(self._children_path.read_text())
        except (FileNotFoundError, ValueError):
            return []
        return [process for pid, started in entries if (process := _same_process(pid, started)) is not None]


def _same_process(pid: int, started: float) -> "psutil.Process | None":
    import psutil

    try:
        process = psutil.Process(pid)
        alive = abs(process.create_time() - started) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
    return process if alive else None


def _write_private(path: Path, text: str) -> None:
    """Whole or not at all, readable by the owner only."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path)
