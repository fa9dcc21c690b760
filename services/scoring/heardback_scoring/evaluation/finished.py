"""Reports of sets that are done, kept line by line so that an interrupted evaluation goes on where it was."""

import hashlib
import os
from pathlib import Path

import orjson
from pydantic import ValidationError

from heardback_scoring.evaluation.data import DataRefused, LabelledSet
from heardback_scoring.evaluation.figures import SetReport
from heardback_scoring.evaluation.subject import Subject

_BEGINNING = b'{"key":'
_MEND = "Name a new file, or one of an earlier run of heardback eval."
VERSION = "evaluation@2"
"""Of how figures are made; raise it when one changes, so that no older one is taken for it."""


class Finished:
    """A file of reports by what they were made from: model, policies, and the bytes of the data."""

    def __init__(self, path: Path | None) -> None:
        """Raises DataRefused for a file that holds something else. A torn last line is cut off."""
        self._path = path
        self._reports: dict[str, SetReport] = {}
        if path is not None and path.exists():
            raw = path.read_bytes()
            *whole, torn = raw.split(b"\n")
            for number, line in enumerate(whole, 1):
                self._take(line, number)
            if torn and not torn.startswith(_BEGINNING):
                raise DataRefused(f"--resume {path}:{len(whole) + 1} is no finished report. {_MEND}")
            if torn:
                os.truncate(path, len(raw) - len(torn))

    def report(self, key: str) -> SetReport | None:
        return self._reports.get(key)

    def add(self, key: str, report: SetReport) -> None:
        if self._path is None:
            return
        line = orjson.dumps({"key": key, "report": report.model_dump(mode="json")})
        with self._path.open("ab") as out:
            out.write(line + b"\n")

    def _take(self, line: bytes, number: int) -> None:
        try:
            entry = orjson.loads(line)
            self._reports[str(entry["key"])] = SetReport.model_validate(entry["report"])
        except (orjson.JSONDecodeError, KeyError, TypeError, ValidationError) as error:
            raise DataRefused(f"--resume {self._path}:{number} is no finished report. {_MEND}") from error


def key_of(data: LabelledSet, subject: Subject, how: str = "") -> str:
    """`how` says what else the figures depend on."""
    model = subject.model
    parts = [VERSION, model.name, model.revision, model.sha256, *subject.policies, data.name, data.split]
    parts += [data.judged.sha256, data.train.sha256 if data.train else "", str(sorted(data.maps.items()))]
    parts += [how]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
