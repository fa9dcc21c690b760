"""`heardback eval` and `heardback models compare` end to end, with models that need no weights."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.support.evaluation import write_lines, write_rows
from typer.testing import CliRunner

from heardback_scoring.cli import compare, evaluate
from heardback_scoring.evaluation import scorecard
from heardback_scoring.evaluation.record import read_record

APP = typer.Typer()
APP.command("eval")(evaluate)
APP.command("compare")(compare)
GOOD = ["I love it, excellent work", "Thank you, very helpful and friendly", "Great service, I am happy"]
BAD = ["Terrible, I am very angry", "The worst service, rude and useless", "Awful, it is broken again"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = [{"text": text, "label": "positive"} for text in GOOD]
    rows += [{"text": text, "label": "negative"} for text in BAD]
    rows += [{"text": "The table is in the kitchen", "label": "neutral"}]
    write_rows(tmp_path / "data", "reviews", "dev", rows * 20)
    write_rows(tmp_path / "data", "learning", "train", rows)
    return tmp_path / "data"


def run(*arguments: str | Path) -> tuple[int, str, str]:
    wide = {"COLUMNS": "400"}  # no message is broken by where a test keeps its files
    result = CliRunner().invoke(APP, [str(argument) for argument in arguments], env=wide)
    return result.exit_code, result.stdout, " ".join(result.stderr.split())


def test_a_scorecard_as_json_and_as_a_page(data: Path) -> None:
    code, out, err = run("eval", "--data", data, "--model", "lexicon", "--json")
    card: dict[str, Any] = json.loads(out)
    assert code == 0
    assert (card["format"], card["split"], card["model"]["name"]) == (
        "heardback.scorecard.v1",
        "dev",
        "lexicon-en",
    )
    [report] = card["sets"]
    figures = {(f["figure"], f["slice"]): f for f in report["figures"]}
    found = figures["macro_recall", "all"]
    assert found["low"] <= found["value"] <= found["high"]
    assert {one["name"] for one in card["behaviour"]} >= {"negation", "role of the speaker"}
    assert "ABSENT learning: has no dev split" in err
    assert "ABSENT banking77: not in" in err
    code, page, _ = run("eval", "--data", data, "--model", "lexicon", "--only", "reviews")
    assert code == 0
    for told in ("reviews dev, 140 rows: sentiment", "macro_recall", "length 4-10", "negation", "dialect"):
        assert told in page


def test_rows_that_cannot_be_used_give_status_1_and_their_line(data: Path) -> None:
    write_lines(data, "broken", "dev", b'{"text": "fine", "label": "positive"}\n{"label": 1}\n')
    code, out, err = run("eval", "--data", data, "--model", "lexicon", "--only", "broken", "--json")
    assert code == 1
    assert "broken/dev.jsonl.gz:2: text: missing" in err
    assert json.loads(out)["sets"][0]["rows"] == 1


def test_finished_sets_are_taken_from_the_file(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept.jsonl"
    options = ("eval", "--data", data, "--model", "lexicon", "--only", "reviews", "--json", "--resume", kept)
    first = json.loads(run(*options)[1])
    with kept.open("ab") as torn:
        torn.write(b'{"key":"half a li')

    async def refuse(*_: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr(scorecard, "measure_set", refuse)
    assert json.loads(run(*options)[1])["sets"] == first["sets"]
    assert kept.read_bytes().count(b"\n") == 1
    assert kept.read_bytes().endswith(b"\n")
    for other in ("something else\n", "a letter to my aunt"):
        kept.write_text(other)
        code, _, err = run(*options)
        assert code == 2
        assert "kept.jsonl:1 is no finished report" in err.replace("│ ", "")
        assert kept.read_text() == other


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--model", "nonsense"], "give default, green, lexicon"),
        (["--model", "absent.toml"], "cannot be evaluated"),
        (["--only", "nothing"], "--only nothing: not in"),
        (["--policies", "/nowhere"], "does not exist"),
        (["--resume", "/nowhere/kept.jsonl"], "does not exist"),
    ],
)
def test_a_wrong_option_is_named(data: Path, options: list[str], said: str) -> None:
    code, _, err = run("eval", "--data", data, *options)
    assert code == 2
    assert said in err.replace("│ ", "")


def test_the_gate_passes_the_same_model_and_refuses_a_worse_one(data: Path, tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    code, page, _ = run("compare", "lexicon", "lexicon", "--data", data, "--record", record)
    assert code == 0
    assert "PASS by release@" in page
    found = read_record(record)
    assert found.verdict == "pass"
    assert found.baseline == found.candidate
    assert [(one.name, one.split, one.rows) for one in found.data] == [("reviews", "dev", 140)]
    assert all(figure.difference == 0 for figure in found.figures)

    code, out, _ = run("compare", "lexicon", "constant", "--data", data, "--record", record, "--json")
    assert code == 1
    refused = read_record(record)
    assert refused.verdict == "fail"
    assert json.loads(out)["digest"] == refused.digest
    worse = {(f.set, f.slice, f.figure) for f in refused.figures if f.verdict == "worse"}
    assert ("reviews", "all", "macro_recall") in worse
    assert ("behaviour", "plain words", "failure_rate") in worse
