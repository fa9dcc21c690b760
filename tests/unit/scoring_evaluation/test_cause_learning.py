"""How root causes are measured, as shipped and after corrections, on sets whose answers are known."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from tests.support.evaluation import said, subject_saying, the_set, write_rows
from typer.testing import CliRunner

from heardback_scoring.cli import taxonomy as commands
from heardback_scoring.domain.root_cause import nearest_causes
from heardback_scoring.evaluation import scorecard
from heardback_scoring.evaluation.cause_learning import BARE, LearningPlan, measure_learning
from heardback_scoring.evaluation.figures import figure_of
from heardback_scoring.evaluation.measures import Measured
from heardback_scoring.evaluation.root_causes import cause_figures
from heardback_scoring.evaluation.statistics import point
from heardback_scoring.evaluation.subject import NoEmbeddings, Subject
from heardback_scoring.evaluation.tasks import TrueCauses
from heardback_scoring.inference.ports import TextReading

APP = typer.Typer()
APP.add_typer(commands, name="taxonomy")
# Words of a trade that no packaged example has, so that only corrections can teach them.
TRADE = {"bellows": "operations/support", "gasket": "account/contract", "plinth": "none"}
MAPS = {"trade.label": TRADE}


def by_trade(text: str) -> TextReading:
    """Near each other when they hold the same word of the trade; all else lies on an axis of its own."""
    words = [float(word in text.lower()) for word in TRADE]
    return said(0.2, 0.2, *words, 0.0 if any(words) else 1.0, 0.01 * (len(text) % 7))


def sentences(count: int, start: int = 0) -> list[dict[str, Any]]:
    """Rows of each label in turn."""
    return [
        {"text": f"This is what I have to say about the {word}, number {number} of the year.", "label": word}
        for number in range(start, start + count)
        for word in TRADE
    ]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_rows(tmp_path, "trade", "train", [*sentences(12, 100), *sentences(4)])
    write_rows(tmp_path, "trade", "dev", [*sentences(8), {"text": "Nothing mapped.", "label": "unmapped"}])
    (tmp_path / "label_maps.json").write_text(json.dumps(MAPS))
    return tmp_path


def values(measured: Measured) -> dict[tuple[str, str], float | None]:
    return {(m.slice, m.figure): figure_of(m).value for m in measured.measures}


async def test_corrections_teach_what_the_examples_do_not_know(data: Path) -> None:
    plan = LearningPlan((2, 6), seeds=2)
    measured = await measure_learning(the_set(data, "trade"), subject_saying(by_trade), plan)
    found = values(measured)
    assert found[BARE, "cause_right"] in (None, 0.0)
    for taught in ("2 per class", "6 per class"):
        assert found[taught, "cause_given"] == 1.0
        assert found[taught, "cause_right"] == found[taught, "cause_meant"] == 1.0
        assert found[taught, "unclear_right"] == 1.0
        assert found[taught, "answer_given"] == pytest.approx(2 / 3, abs=1e-4)
    assert {m.rows for m in measured.measures} == {24}
    assert any(note.startswith("2 per class: 6 to 6 corrections in all, 2 seeds") for note in measured.notes)


async def test_no_correction_has_the_words_of_a_judged_row(data: Path) -> None:
    write_rows(data, "trade", "train", sentences(8))
    measured = await measure_learning(
        the_set(data, "trade"), subject_saying(by_trade), LearningPlan((50,), seeds=1)
    )
    assert any(note.startswith("50 per class: 0 to 0 corrections") for note in measured.notes)
    found = values(measured)
    assert all(found["50 per class", name] == found[BARE, name] for _, name in found)


async def test_rows_in_another_language_count_as_unclear(data: Path) -> None:
    german = {"text": "Die Lieferung kam wieder viel zu spät und niemand antwortet mir.", "label": "bellows"}
    write_rows(data, "trade", "dev", [*sentences(1), german])
    subject = subject_saying(by_trade)
    measured = await measure_learning(the_set(data, "trade"), subject, LearningPlan((6,), seeds=1))
    assert values(measured)["6 per class", "cause_given"] == pytest.approx(2 / 3, abs=1e-4)


async def test_answers_as_shipped_are_those_of_the_product() -> None:
    subject = subject_saying(by_trade)
    texts = ["The bellows broke.", "Die Lieferung kam wieder viel zu spät.", "A gasket is missing.", "n/a"]
    scores = await subject.scores([{"text": text} for text in texts])
    heard = await subject.heard(texts)
    assert [one is not None for one in heard] == [True, False, True, False]
    expected = [score.root_causes for score in scores]
    for one, causes in zip(heard, expected, strict=True):
        if one is None:
            assert causes == ()
        else:
            [found] = nearest_causes(one.vector[None], [one.text], subject.taxonomy())
            assert found.found == causes


async def test_without_embeddings_nothing_can_be_learnt(data: Path) -> None:
    subject = subject_saying(lambda text: said(0.2, 0.2))
    with pytest.raises(NoEmbeddings):
        await measure_learning(the_set(data, "trade"), subject, LearningPlan())


def test_the_conventions_by_hand() -> None:
    billing, both = frozenset({"operations/billing"}), frozenset({"operations/billing", "account/pricing"})
    truths = [
        TrueCauses(billing, both),
        TrueCauses(billing, both),
        TrueCauses(both, both),
        TrueCauses(billing, billing),
        TrueCauses(frozenset(), frozenset()),
        TrueCauses(frozenset(), frozenset()),
    ]
    first = ["operations/billing", "account/pricing", "operations/support", None, None, "product/defect"]
    found = {name: point(figure, 6) for name, figure in cause_figures(first, truths).items()}
    assert found == {
        "cause_given": pytest.approx(3 / 4),
        "cause_right": pytest.approx(2 / 3),
        "cause_meant": pytest.approx(1 / 3),
        "domain_right": pytest.approx(1.0),
        "answer_given": pytest.approx(4 / 6),
        "answer_right": pytest.approx(2 / 4),
        "unclear_right": pytest.approx(1 / 2),
    }
    assert "unclear_right" not in cause_figures(first[:4], truths[:4])
    assert np.isnan(point(cause_figures([None], truths[:1])["cause_right"], 1))


@pytest.mark.parametrize("plan", [{"per_class": ()}, {"per_class": (0,)}, {"seeds": 0}])
def test_a_plan_has_numbers(plan: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        LearningPlan(**plan)


def run(*arguments: str | Path) -> tuple[int, str, str]:
    wide = {"COLUMNS": "400"}  # no message is broken by where a test keeps its files
    result = CliRunner().invoke(APP, ["taxonomy", "learn", *map(str, arguments)], env=wide)
    return result.exit_code, result.stdout, " ".join(result.stderr.split()).replace("│ ", "")


def test_the_command_prints_keeps_and_takes_up(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heardback_scoring.evaluation.command.open_subject", _opened)
    kept = tmp_path / "kept.jsonl"
    options = ("--data", data, "--corrections", "6", "--corrections", "2", "--seeds", "2", "--resume", kept)
    code, page, _ = run(*options)
    assert code == 0
    for told in ("trade dev, 25 rows", "as shipped", "2 per class", "6 per class", "cause_right"):
        assert told in page

    async def refuse(*_: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr(scorecard, "measure_learning", refuse)
    code, out, _ = run(*options, "--json")
    card = json.loads(out)
    assert code == 0
    assert [report["name"] for report in card["sets"]] == ["trade"]
    assert kept.read_bytes().count(b"\n") == 1
    # Another plan is another measurement.
    with pytest.raises(AssertionError, match="measured again"):
        CliRunner().invoke(
            APP, ["taxonomy", "learn", "--data", str(data), "--resume", str(kept)], catch_exceptions=False
        )


def test_sets_without_a_map_are_refused_by_name(data: Path) -> None:
    (data / "label_maps.json").unlink()
    code, _, err = run("--data", data)
    assert code == 2
    assert "a map of its labels to causes" in err


def test_a_model_without_embeddings_is_refused(data: Path) -> None:
    code, _, err = run("--data", data, "--model", "lexicon")
    assert code == 2
    assert "has no embeddings" in err


def _opened(*_: object, **__: object) -> Subject:
    return subject_saying(by_trade)
