"""Figures of whole sets by models whose answers are known."""

from pathlib import Path
from typing import Any

import pytest
from tests.support.evaluation import said, subject_saying, the_set, write_rows

from heardback_scoring.evaluation.evaluators import measure_set
from heardback_scoring.evaluation.figures import Figure, figure_of
from heardback_scoring.evaluation.learning import LogisticLearner, few_of_each
from heardback_scoring.evaluation.measures import Measured
from heardback_scoring.inference.ports import TextReading

FEELINGS = {"good": said(0.05, 0.9, 1, 0), "bad": said(0.9, 0.05, 0, 1), "table": said(0.1, 0.1, 1, 1)}


def feel(text: str) -> TextReading:
    return next((reading for word, reading in FEELINGS.items() if word in text), said(0.34, 0.33, 1, 0))


async def measured(folder: Path, name: str) -> tuple[Measured, dict[tuple[str, str], Figure]]:
    async with subject_saying(feel) as subject:
        _, found = await measure_set(the_set(folder, name), subject, LogisticLearner())
    return found, {(m.figure, m.slice): figure_of(m) for m in found.measures}


def row(text: str, **labels: Any) -> dict[str, Any]:
    return {"text": text, **labels}


async def test_sentiment_of_three_classes(tmp_path: Path) -> None:
    rows = [row("This is good", label="positive"), row("This is bad", label="negative")] * 10
    rows += [row("There is a table", label="neutral")] * 10 + [
        row("It was not a bad one", label="positive")
    ] * 5
    write_rows(tmp_path, "reviews", "dev", [*rows, row("What is this", label="angry")])
    found, figures = await measured(tmp_path, "reviews")
    assert figures["macro_recall", "all"].value == pytest.approx((1 + 1 + 10 / 15) / 3, abs=1e-4)
    assert figures["accuracy", "all"].value == pytest.approx(30 / 35, abs=1e-4)
    assert figures["accuracy", "negation"].value == 0
    assert figures["accuracy", "negation"].rows == 5
    assert figures["abstained", "all"].value == 0
    assert [str(p) for p in found.problems] == [
        "reviews/dev.jsonl.gz:36: label 'angry': expected one of negative, neutral, positive"
    ]


async def test_what_the_product_does_not_answer_counts_as_abstained(tmp_path: Path) -> None:
    spanish = "El pedido llegó muy tarde y nadie me contesta el teléfono desde hace dos semanas"
    rows = [row(spanish, label="negative"), row("There are many of them here", label="neutral")] * 5
    write_rows(tmp_path, "mixed", "dev", [*rows, row("This is good", label="positive")])
    _, figures = await measured(tmp_path, "mixed")
    assert figures["abstained", "all"].value == pytest.approx(10 / 11, abs=1e-4)
    assert figures["answered_accuracy", "all"].value == 1
    assert figures["accuracy", "all"].value == pytest.approx(6 / 11, abs=1e-4)


async def test_two_classes_are_judged_without_neutral(tmp_path: Path) -> None:
    rows = [row("a table that leans bad", label="negative"), row("good", label="positive")] * 5
    write_rows(tmp_path, "films", "dev", rows)
    found, figures = await measured(tmp_path, "films")
    assert figures["accuracy", "all"].value == 1
    assert "no neutral labels: judged between negative and positive" in found.notes


async def test_cues_by_patterns_and_by_the_model(tmp_path: Path) -> None:
    rows = [row("I want to cancel my contract", cues=["churn"])] * 4 + [row("When do you open?", cues=[])] * 4
    rows += [row("The shop is closed today", cues=["churn", "complaint"])] * 4
    write_rows(tmp_path, "weak", "dev", rows)
    found, figures = await measured(tmp_path, "weak")
    assert figures["wants_to_leave recall", "all"].value == 0.5
    assert figures["wants_to_leave precision", "all"].value == 1
    assert figures["wants_to_leave recall_at_precision_0.9", "all"].value == 0.5
    assert found.notes == ["cues that are not ours, left out: complaint"]


async def test_probes_learn_from_train_and_are_judged_on_dev(tmp_path: Path) -> None:
    for name, label in (("moods", ("joy", "anger")), ("intents", ("card_lost", "new_pin"))):
        pairs = [("something good", label[0]), ("something bad", label[1])]
        write_rows(
            tmp_path, name, "train", [row(f"{t} {i}", label=one) for i in range(15) for t, one in pairs]
        )
        write_rows(tmp_path, name, "dev", [row(f"{t} indeed", label=one) for t, one in pairs * 5])
    _, moods = await measured(tmp_path, "moods")
    assert moods["emotion_macro_f1", "all"].value == 1
    _, intents = await measured(tmp_path, "intents")
    assert intents["accuracy_10_shot", "all"].value == 1
    assert intents["accuracy_full", "all"].value == 1


async def test_several_labels_a_text(tmp_path: Path) -> None:
    kinds = [("good", ["price"]), ("bad", ["staff"]), ("table", ["price", "staff"])]
    rows = [row(f"{t} {i}", labels=labels) for i in range(20) for t, labels in kinds]
    write_rows(tmp_path, "topics", "train", rows)
    write_rows(tmp_path, "topics", "dev", rows[:12])
    _, figures = await measured(tmp_path, "topics")
    assert figures["micro_f1_full", "all"].value == 1
    assert figures["micro_f1_20_shot", "all"].value == 1


async def test_a_set_without_train_or_without_a_task_says_so(tmp_path: Path) -> None:
    write_rows(
        tmp_path, "intents", "dev", [row("good", label="x"), row("bad", label="y"), row("a", label="z")]
    )
    found, _ = await measured(tmp_path, "intents")
    assert found.notes == ["no train split to learn from"]
    write_rows(tmp_path, "odd", "dev", [row("good", category="x")])
    found, _ = await measured(tmp_path, "odd")
    assert found.notes == ["no task can be told from its rows (category, text); not measured"]


async def test_satisfaction_follows_the_ratings(tmp_path: Path) -> None:
    def dialogue(said_by_customer: str, rating: float) -> dict[str, Any]:
        turns = [{"role": "agent", "text": "Hello."}, {"role": "customer", "text": said_by_customer}]
        return {"turns": turns, "satisfaction": rating}

    rows = [dialogue("This is bad", -1), dialogue("A table", 0), dialogue("All good", 1.5)] * 5
    write_rows(tmp_path, "calls", "dev", rows)
    _, figures = await measured(tmp_path, "calls")
    assert figures["satisfaction_spearman", "all"].value == pytest.approx(1)
    assert figures["low_recall", "all"].value == 1


def test_few_of_each_takes_the_same_ones_for_a_seed_and_no_more() -> None:
    labels = [frozenset({name}) for name in "aaaaabbbbbc"]
    first = few_of_each(labels, 2, seed=1)
    assert first == few_of_each(labels, 2, seed=1)
    assert first != few_of_each(labels, 2, seed=2)
    assert sorted("".join(*[labels[i] for i in [place]]) for place in first) == list("aabbc")
