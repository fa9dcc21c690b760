"""Reports of sets that are done, kept line by line so that an interrupted evaluation goes on where it was."""

import hashlib
from pathlib import Path

import orjson
from pydantic import ValidationError

from heardback_scoring.evaluation.data import DataRefused, LabelledSet
from heardback_scoring.evaluation.figures import SetReport
from heardback_scoring.evaluation.subject import Subject

VERSION = "evaluation@1"
"""Of how figures are made; raise it when one changes, so that no older one is taken for it."""


class Finished:
    """A file of reports by what they were made from: model, policies, and the bytes of the data."""

    def __init__(self, path: Path | None) -> None:
        """Raises DataRefused for a file that holds something else. A torn last line is left out."""
        self._path = path
        self._reports: dict[str, SetReport] = {}
        if path is not None and path.exists():
            lines = path.read_bytes().split(b"\n")
            for number, line in enumerate(lines[:-1], 1):
                self._take(line, number)

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
            raise DataRefused(
                f"--resume {self._path}:{number} is no finished report. Name a new file, or one of an "
                "earlier run of heardback eval."
            ) from error


def key_of(data: LabelledSet, subject: Subject) -> str:
    model = subject.model
    parts = [VERSION, model.name, model.revision, model.sha256, *subject.policies, data.name, data.split]
    parts += [data.judged.sha256, data.train.sha256 if data.train else "", str(sorted(data.maps.items()))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
