"""Comparison records: written and read back, and refused when anything in them was changed."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heardback_scoring.evaluation.record import (
    ComparedData,
    ComparedFigure,
    ComparisonRecord,
    FigureVerdict,
    RecordRefused,
    make_record,
    parse_record,
    read_record,
    record_bytes,
    verdict_of,
    write_record,
)
from heardback_shared.contracts.score import ModelRef

AT = datetime(2026, 11, 22, 10, tzinfo=UTC)
A = ModelRef(name="a", revision="1", sha256="a" * 64)
B = ModelRef(name="b", revision="2", sha256="b" * 64)
finite = st.floats(allow_nan=False, allow_infinity=False)


def figure(verdict: FigureVerdict = "holds", difference: float = 0.01) -> ComparedFigure:
    return ComparedFigure(
        set="reviews",
        slice="all",
        figure="macro_recall",
        baseline=0.7,
        candidate=0.7 + difference,
        difference=difference,
        low=-0.01,
        high=0.03,
        bound=0.01,
        verdict=verdict,
    )


def record(*figures: ComparedFigure) -> ComparisonRecord:
    data = [ComparedData(name="reviews", split="dev", rows=100, sha256="c" * 64)]
    return make_record(baseline=A, candidate=B, policy="release@1", data=data, figures=figures, at=AT)


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "comparison.json"
    path.write_text("older")
    write_record(record(figure()), path)
    assert read_record(path) == record(figure())
    assert json.loads(path.read_text())["digest"] == record(figure()).digest
    assert [p.name for p in tmp_path.iterdir()] == ["comparison.json"]


@settings(max_examples=30, deadline=None)
@given(difference=finite)
def test_any_finite_figure_survives(difference: float) -> None:
    made = record(figure(difference=difference))
    assert parse_record(record_bytes(made)) == made


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "fail"},
        {"candidate": {"name": "b", "revision": "3", "sha256": "b" * 64}},
        {"at": "2026-11-23T10:00:00Z"},
        {"figures": []},
        {"more": 1},
        {"digest": "0" * 64},
        {"digest": None},
    ],
)
def test_any_change_is_noticed(change: dict[str, Any]) -> None:
    changed = {**json.loads(record_bytes(record(figure()))), **change}
    with pytest.raises(RecordRefused, match="does not match its digest"):
        parse_record(json.dumps(changed).encode())


def test_a_verdict_that_does_not_follow_is_refused_even_with_a_right_digest() -> None:
    lied = record(figure("worse")).model_copy(update={"verdict": "pass"})
    with pytest.raises(RecordRefused, match="figures say 'fail'"):
        parse_record(record_bytes(lied))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "heardback.comparison.v2"}'])
def test_other_files_are_refused_with_the_mend(text: str) -> None:
    with pytest.raises(RecordRefused, match="heardback models compare"):
        parse_record(text.encode())


def test_a_missing_or_binary_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordRefused, match=r"absent.json cannot be read"):
        read_record(tmp_path / "absent.json")
    (tmp_path / "x").write_bytes(b"\xff\xfe")
    with pytest.raises(RecordRefused, match="not JSON"):
        read_record(tmp_path / "x")


def test_verdicts() -> None:
    assert verdict_of([figure("holds"), figure("unsure"), figure("too_small")]) == "pass"
    assert verdict_of([figure("holds"), figure("worse")]) == "fail"
    assert verdict_of([figure("too_small"), figure("unbound")]) == "fail", "nothing was judged"
    assert verdict_of([]) == "fail"
