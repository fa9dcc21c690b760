"""Rows of an import: from lines of CSV or NDJSON to fields, and what they would change. Pure."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from heardback_ingest.domain.customer import PERSONAL, Facts

BOM = "\ufeff"
ID = "id"
MAPS = ("preferences", "external_ids")
"""Columns named `external_ids.<system>` and `preferences.<name>` become entries of these fields."""
NUMBERS = ("lifetime_value",)


class ImportFormatError(ValueError):
    """The file as a whole cannot be read. The message says what to mend."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row with the number of the line it begins on; `broken` says why it cannot be read."""

    line: int
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)
    broken: str | None = None


def csv_rows(lines: Iterable[str], mapping: Mapping[str, str], first_line: int = 1) -> Iterator[Row]:
    """`mapping` names columns of the file → fields; columns it does not name stand for themselves, and those
    it maps to "" are passed over. An empty cell tells nothing. Raises ImportFormatError on the header."""
    counted = _Counted(lines, first_line)
    reader = csv.reader(counted, strict=True)
    try:
        header = [name.strip() for name in next(reader)]
    except StopIteration as error:
        raise ImportFormatError("there is no header line") from error
    except csv.Error as error:
        raise ImportFormatError(f"the header line cannot be read: {error}") from error
    header[0] = header[0].removeprefix(BOM).strip()
    names = _mapped(header, mapping)
    while True:
        begins = counted.line + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(begins, broken=f"is not CSV: {error}")
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(names):
            yield Row(begins, broken=f"has {len(cells)} cells where the header has {len(names)}")
            continue
        yield Row(
            begins, _nested((n, c.strip()) for n, c in zip(names, cells, strict=True) if n and c.strip())
        )


def ndjson_rows(lines: Iterable[str], mapping: Mapping[str, str], first_line: int = 1) -> Iterator[Row]:
    """One JSON object per line; blank lines are passed over."""
    for number, line in enumerate(lines, first_line):
        written = line.removeprefix(BOM).strip() if number == first_line else line.strip()
        if not written:
            continue
        try:
            told = json.loads(written, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            yield Row(number, broken="is not JSON")
            continue
        if not isinstance(told, dict):
            yield Row(number, broken="is not a JSON object")
            continue
        yield Row(number, {mapping.get(n, n): v for n, v in told.items() if mapping.get(n, n)})


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _mapped(header: Sequence[str], mapping: Mapping[str, str]) -> list[str]:
    unknown = sorted(set(mapping) - set(header))
    if unknown:
        raise ImportFormatError(f"the header has no column {', '.join(unknown)}, which is mapped")
    names = [mapping.get(name, name) for name in header]
    twice = sorted({n for n in names if n and names.count(n) > 1})
    if twice:
        raise ImportFormatError(f"several columns stand for {', '.join(twice)}; map all but one to nothing")
    if ID not in names:
        raise ImportFormatError("no column stands for id; name one so, or map one to it")
    return names


def _nested(cells: Iterable[tuple[str, str]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, cell in cells:
        kind, dot, entry = name.partition(".")
        if dot and kind in MAPS:
            fields.setdefault(kind, {})[entry] = cell
        elif name in NUMBERS:
            fields[name] = _number(cell)
        else:
            fields[name] = cell
    return fields


def _number(cell: str) -> float | str:
    """As it is where it is no plain number, to be refused with its place: 1.000,50 is nobody's guess."""
    try:
        return float(cell)
    except ValueError:
        return cell


class _Counted:
    """The lines, and the number of the last one given; a row of CSV may go over several."""

    def __init__(self, lines: Iterable[str], first_line: int) -> None:
        self._lines = iter(lines)
        self.line = first_line - 1

    def __iter__(self) -> "_Counted":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.line += 1
        return line


def lines_of(text: str) -> Iterator[str]:
    """Only CR and LF end a line; a value may hold any other separator of Unicode."""
    return iter(io.StringIO(text, newline=None))


@dataclass(frozen=True, slots=True)
class FieldChange:
    """Of a personal field only that it changes, not from what to what."""

    name: str
    before: Any = None
    after: Any = None


def changes(before: Facts | None, after: Facts, told: Iterable[str]) -> tuple[FieldChange, ...]:
    """What a telling changes in what is known, field by field. A later confirmation of the same value is no
    change; a telling that is older than what is known changes nothing."""
    found = []
    for name in sorted(told):
        was, will = (_value(f, name) for f in (before or {}, after))
        if was != will:
            found.append(FieldChange(name) if name in PERSONAL else FieldChange(name, was, will))
    return tuple(found)


def _value(facts: Mapping[str, Any], name: str) -> Any:
    return facts[name]["value"] if name in facts else None
