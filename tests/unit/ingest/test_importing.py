"""Reading rows of an import: lines, headers, mappings, and what would change."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON

from heardback_ingest.domain.customer import merged
from heardback_ingest.domain.importing import (
    FieldChange,
    ImportFormatError,
    changes,
    csv_rows,
    lines_of,
    ndjson_rows,
)


def test_rows_know_the_line_they_begin_on_even_after_a_cell_of_several_lines() -> None:
    text = '\ufeffid,owner\nc-1,"Ann\nBerg"\n\nc-2,Bob\nc-3\n'
    rows = list(csv_rows(lines_of(text), {}))
    assert [(r.line, r.fields, r.broken) for r in rows] == [
        (2, {"id": "c-1", "owner": "Ann\nBerg"}, None),
        (5, {"id": "c-2", "owner": "Bob"}, None),
        (6, {}, "has 1 cells where the header has 2"),
    ]


def test_columns_are_mapped_passed_over_and_nested() -> None:
    text = "Nr,Stufe,intern,external_ids.crm,lifetime_value\n7,key,x,9,1200.5\n8,,,,\n"
    mapping = {"Nr": "id", "Stufe": "tier", "intern": ""}
    first, second = csv_rows(lines_of(text), mapping)
    assert first.fields == {"id": "7", "tier": "key", "external_ids": {"crm": "9"}, "lifetime_value": 1200.5}
    assert second.fields == {"id": "8"}


@pytest.mark.parametrize(
    ("text", "mapping", "says"),
    [
        ("", {}, "no header"),
        ("name\nx\n", {}, "no column stands for id"),
        ("id,tier\n", {"Stufe": "tier"}, "no column Stufe"),
        ("id,tier,stufe\n", {"stufe": "tier"}, "several columns stand for tier"),
    ],
)
def test_a_header_that_cannot_be_used_is_refused(text: str, mapping: dict[str, str], says: str) -> None:
    with pytest.raises(ImportFormatError, match=says):
        list(csv_rows(lines_of(text), mapping))


def test_a_broken_quote_breaks_its_row_and_not_the_file_before_it() -> None:
    rows = list(csv_rows(lines_of('id,owner\nc-1,Ann\nc-2,"Bob" x\nc-3,Cid\n'), {}))
    assert [(r.line, r.broken is None) for r in rows] == [(2, True), (3, False), (4, True)]


def test_lines_of_json_that_are_none_are_named() -> None:
    text = '\ufeff{"id":"c-1","Stufe":"key"}\n\n[1]\n{"id":\n{"id":"c-2","lifetime_value":NaN}\n'
    rows = list(ndjson_rows(lines_of(text), {"Stufe": "tier"}))
    assert rows[0].fields == {"id": "c-1", "tier": "key"}
    assert [(r.line, r.broken) for r in rows[1:]] == [
        (3, "is not a JSON object"),
        (4, "is not JSON"),
        (5, "is not JSON"),
    ]


CELLS = st.text(st.characters(exclude_characters="\x00\r", exclude_categories=["Cs"]), max_size=8)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=8))
def test_any_file_written_as_csv_reads_back_with_its_lines(cells: list[tuple[str, str]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["id", "owner", "end"])
    starts = []
    for one, two in cells:
        starts.append(out.getvalue().count("\n") + 1)
        writer.writerow([one, two, "."])
    rows = list(csv_rows(lines_of(out.getvalue()), {}))
    assert [r.line for r in rows] == starts
    for row, (one, two) in zip(rows, cells, strict=True):
        expected = {"id": one.strip(), "owner": two.strip(), "end": "."}
        assert row.fields == {name: cell for name, cell in expected.items() if cell}


def test_changes_are_told_field_by_field_and_personal_ones_without_their_values() -> None:
    before = merged({}, {"tier": "key", "region": "EU", "email": "a@b.example"}, "crm", NOON)
    told = {"tier": "standard", "region": "EU", "email": "c@d.example"}
    after = merged(before, told, "file", NOON)
    assert changes(before, after, told) == (FieldChange("email"), FieldChange("tier", "key", "standard"))
    assert changes(None, after, {"region"}) == (FieldChange("region", None, "EU"),)
