"""`heardback score`: files in and out, bad rows kept, exit status, no server."""

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from heardback_scoring.cli import score

APP = typer.Typer()
APP.command()(score)
ROWS = [{"id": i, "text": f"The delivery number {i} was late.", "label": "x"} for i in range(5)]


def lines(rows: list[Any]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(APP, ["--model", "constant", *arguments])
    return result.exit_code, result.output


def answers(path: Path) -> list[dict[str, Any]]:
    raw = path.read_bytes()
    text = gzip.decompress(raw) if path.suffix == ".gz" else raw
    return [json.loads(line) for line in text.splitlines()]


def test_rows_come_back_in_order_with_a_score(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(lines(ROWS) + "\n", "utf-8")
    code, output = run(str(source), "--out", str(target), "--batch", "2")
    assert code == 0
    assert "scoring" in output
    found = answers(target)
    assert [{k: v for k, v in row.items() if k != "score"} for row in found] == ROWS
    assert all(row["score"]["models"][0]["name"] == "constant" for row in found)
    assert run(str(source), "--out", str(target), "--quiet") == (0, "")


def test_gzip_in_and_out(tmp_path: Path) -> None:
    source, target = tmp_path / "in.data", tmp_path / "out.jsonl.gz"
    source.write_bytes(gzip.compress(lines(ROWS).encode()))
    assert run(str(source), "-o", str(target))[0] == 0
    assert len(answers(target)) == 5


def test_bad_rows_are_kept_counted_and_end_with_1(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(lines([ROWS[0], {"id": 7}, [1]]) + "{broken\n" + lines([ROWS[1]]), "utf-8")
    code, output = run(str(source), "-o", str(target))
    assert code == 1
    assert "3 of 5 rows" in output
    good, empty, array, broken, last = answers(target)
    assert "score" in good
    assert "score" in last
    assert empty == {"id": 7, "error": "line 2: give text, turns, or a whole survey or transcript"}
    assert array == {"line": [1], "error": "line 3: expected an object"}
    assert broken["line"] == "{broken"
    assert broken["error"].startswith("line 4: not JSON")


def test_standard_input_and_output(monkeypatch: pytest.MonkeyPatch, capfdbinary: Any) -> None:
    stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(gzip.compress(lines(ROWS).encode()))))
    monkeypatch.setattr(sys, "stdin", stdin)
    with pytest.raises(typer.Exit) as ended:
        score(file=Path("-"), out=Path("-"), model="constant", batch=3, policies=None, quiet=True)
    assert ended.value.exit_code == 0
    found = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert [row["id"] for row in found] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("nowhere.jsonl",), "cannot be read"),
        (("--model", "something", "-"), "NAME@COMMIT"),
        (("--policies", "/nowhere", "-"), "does not exist"),
    ],
)
def test_what_the_caller_can_mend_is_said(arguments: tuple[str, ...], why: str) -> None:
    code, output = run(*arguments)
    assert code == 2
    assert why in " ".join(output.split())


def test_the_lexicon_says_that_it_is_degraded(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(lines(ROWS[:1]), "utf-8")
    code, output = run(str(source), "-o", str(target), "--model", "lexicon")
    assert (code, "degraded" in output) == (0, True)
    assert answers(target)[0]["score"]["status"] == "degraded"
