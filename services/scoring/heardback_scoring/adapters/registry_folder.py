"""The registry on disk: `active.json`, what is in force, and `decisions.jsonl`, everything decided so far.

`active.json` is replaced whole and carries the decision that made it; the log gets that decision afterwards.
After a crash between the two, what is in force is known with its reasons, and the next writer completes the
log.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from heardback_scoring.domain.registry import UNDECIDED, Decision, RegistryState

ACTIVE, DECISIONS, LOCK = "active.json", "decisions.jsonl", "lock"
Stamp = tuple[int, int, int]


class RegistryUnreadable(Exception):  # noqa: N818  (told to people as it is)
    """A file of the registry does not say what it should. The message names it and what to do."""


class RegistryFolder:
    """Any number of processes may read and decide at once; deciders wait for each other."""

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().resolve()
        self._active = self.root / ACTIVE
        self._decisions = self.root / DECISIONS

    def stamp(self) -> Stamp | None:
        """Changes whenever `active.json` is replaced; None while there is none."""
        try:
            found = self._active.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def state(self) -> RegistryState:
        """What is in force; UNDECIDED where nothing was decided. Raises RegistryUnreadable."""
        try:
            return RegistryState.model_validate_json(self._active.read_bytes())
        except FileNotFoundError:
            return UNDECIDED
        except (OSError, ValidationError) as error:
            raise RegistryUnreadable(
                f"{self._active} cannot be used ({_first(error)}). Put back the file as `heardback models` "
                "wrote it."
            ) from error

    def decisions(self) -> list[Decision]:
        """Every decision in order, the one in force included even if its line was never written."""
        state, found = self.state(), self._logged()[0]
        last = found[-1].number if found else 0
        if state.decision is not None and state.decision.number > last:
            found.append(state.decision)
        return found

    def decide(self, change: Callable[[RegistryState], RegistryState]) -> RegistryState:
        """Puts `change` of the state in force, durably, and logs it; what `change` raises changes nothing."""
        self.root.mkdir(parents=True, exist_ok=True)
        with self._locked():
            state = self.state()
            self._complete_log(state)
            changed = change(state)
            _replace(self._active, changed.model_dump_json(by_alias=True, indent=2).encode() + b"\n")
            self._complete_log(changed)
            return changed

    def spelled(self, model: str) -> str:
        """A manifest's path as the registry keeps it: relative to the folder if inside, absolute if not."""
        if not model.endswith(".toml"):
            return model
        path = Path(model).expanduser().resolve()
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)

    def located(self, model: str) -> str:
        """A model as it is to be opened from this folder."""
        return str(self.root / model) if model.endswith(".toml") else model

    def _complete_log(self, state: RegistryState) -> None:
        logged, whole = self._logged()
        last = logged[-1].number if logged else 0
        if state.decision is None or state.decision.number <= last:
            return
        line = state.decision.model_dump_json(by_alias=True).encode() + b"\n"
        with self._decisions.open("ab") as log:
            log.truncate(whole)  # what a crash left of a line; it is written again, whole
            log.write(line)
            log.flush()
            os.fsync(log.fileno())
        _sync_folder(self.root)

    def _logged(self) -> tuple[list[Decision], int]:
        """(the decisions of whole lines, their length in bytes)."""
        try:
            content = self._decisions.read_bytes()
        except FileNotFoundError:
            return [], 0
        whole = content[: content.rfind(b"\n") + 1]
        try:
            return [Decision.model_validate_json(line) for line in whole.splitlines()], len(whole)
        except ValidationError as error:
            raise RegistryUnreadable(
                f"{self._decisions} holds a line that is no decision ({_first(error)}). "
                "Lines are only ever added: put back what was there."
            ) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        descriptor = os.open(self.root / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _replace(path: Path, content: bytes) -> None:
    """Whole or not at all, and durable when it returns."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _first(error: OSError | ValidationError) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    found = error.errors()[0]
    where = ".".join(str(part) for part in found["loc"])
    return f"{where}: {found['msg']}" if where else found["msg"]
