"""Sets from a folder: what is read, what is refused with its line, and what a set is told to be good for."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.evaluation import the_set, write_lines, write_rows

from heardback_scoring.adapters.policy_files import load_policies
from heardback_scoring.evaluation.data import DataRefused, Row, find_sets, read_part
from heardback_scoring.evaluation.label_maps import Meaning, packaged_maps
from heardback_scoring.evaluation.slices import text_slices
from heardback_scoring.evaluation.tasks import (
    Task,
    TrueCauses,
    causes_of,
    cues_of,
    flag_of,
    recognise,
    sentiment_of,
)

GOOD = {"text": "It works.", "label": "positive"}


def rows(*data: dict[str, Any]) -> list[Row]:
    return [Row(number, one) for number, one in enumerate(data, 1)]


def test_rows_that_cannot_be_used_are_named_and_the_others_stay(tmp_path: Path) -> None:
    lines = [
        json.dumps(GOOD),
        "{not json",
        "[1]",
        '{"text": ""}',
        '{"label": "positive"}',
        '{"turns": []}',
        '{"turns": [{"role": "customer"}]}',
        "",
        '{"turns": [{"role": "customer", "text": "hi"}]}',
    ]
    write_lines(tmp_path, "reviews", "dev", "\n".join(lines).encode() + b'\n{"text": "\xff"}\n')
    part = read_part(tmp_path / "reviews", "dev")
    assert [row.line for row in part.rows] == [1, 9]
    assert [problem.line for problem in part.problems] == [2, 3, 4, 5, 6, 7, 10]
    assert str(part.problems[3]) == "reviews/dev.jsonl.gz:5: text: missing"


def test_a_damaged_file_keeps_what_could_be_read(tmp_path: Path) -> None:
    write_rows(tmp_path, "reviews", "dev", [GOOD] * 5000)
    path = tmp_path / "reviews" / "dev.jsonl.gz"
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    part = read_part(tmp_path / "reviews", "dev")
    assert "damaged after" in str(part.problems[-1])
    path.write_bytes(b"no gzip at all")
    assert "damaged after 0 rows" in str(read_part(tmp_path / "reviews", "dev").problems[0])


def test_what_is_absent_is_named(tmp_path: Path) -> None:
    write_rows(tmp_path, "one", "dev", [GOOD])
    write_rows(tmp_path, "two", "train", [GOOD])
    (tmp_path / "notes").mkdir()
    found, absent = find_sets(tmp_path, "dev")
    assert [one.name for one in found] == ["one"]
    assert len(absent) == 1
    assert absent[0].startswith("two: has no dev split")
    assert found[0].train is None
    with pytest.raises(DataRefused, match=r"--only three: not in .* There are: one, two"):
        find_sets(tmp_path, "dev", ["three"])
    with pytest.raises(DataRefused, match="no such folder"):
        find_sets(tmp_path / "nowhere", "dev")
    with pytest.raises(DataRefused, match="no folder in it holds"):
        find_sets(tmp_path / "notes", "dev")


def test_label_maps_lie_beside_the_sets(tmp_path: Path) -> None:
    write_rows(tmp_path, "reviews", "dev", [GOOD])
    maps = {
        "reviews.label": {"late": "operations/fulfilment"},
        "reviews.weak": {"_warning": "x"},
        "_note": "y",
    }
    (tmp_path / "label_maps.json").write_text(json.dumps(maps))
    assert the_set(tmp_path, "reviews").maps == {"label": {"late": Meaning("operations/fulfilment")}}
    for damaged in ("{", "[]"):
        (tmp_path / "label_maps.json").write_text(damaged)
        with pytest.raises(DataRefused, match="Mend it"):
            find_sets(tmp_path, "dev")


def test_packaged_maps_lead_to_the_packaged_taxonomy_and_go_first(tmp_path: Path) -> None:
    write_rows(tmp_path, "marc_app_reviews", "dev", [GOOD])
    (tmp_path / "label_maps.json").write_text('{"marc_app_reviews.label": {"bug": "account/pricing"}}')
    assert the_set(tmp_path, "marc_app_reviews").maps["label"]["bug"].cause == "product/defect"
    causes = {f"{d}/{name}" for d, name, category in load_policies().taxonomy.categories if category.cause}
    for maps in packaged_maps().values():
        meanings = [meaning for labels in maps.values() for meaning in labels.values()]
        assert meanings
        assert {path for m in meanings for path in (m.cause, *m.also) if path is not None} <= causes
        assert all(m.cause is None or m.cause not in m.also for m in meanings)
    # Labels that hold both in like parts are in no map, so that their rows are not judged.
    assert "topping_up_by_card" not in packaged_maps()["banking77"]["label"]


@pytest.mark.parametrize(
    ("data", "tasks"),
    [
        ([{"text": "a", "label": "negative"}, {"text": "b", "label": "neutral"}], [Task.SENTIMENT]),
        ([{"text": "a", "label": "positive", "score": 2.5}], [Task.SENTIMENT, Task.INTENSITY]),
        ([{"text": "a", "cues": []}, {"text": "b", "cues": ["churn"]}], [Task.CUES]),
        ([{"text": "a", "label": "irony"}, {"text": "b", "label": "non_irony"}], [Task.FLAG]),
        ([{"text": "a", "label": "offensive"}, {"text": "b", "label": "not_offensive"}], [Task.FLAG]),
        ([{"text": "a", "label": "anger"}, {"text": "b", "label": "joy"}], [Task.EMOTION]),
        (
            [{"text": "a", "labels": ["anger", "fear"], "sentiment": ["negative"]}],
            [Task.SENTIMENT, Task.EMOTION],
        ),
        (
            [{"text": "a", "labels": [{"aspect": "price", "polarity": "negative"}]}],
            [Task.SENTIMENT, Task.ASPECTS],
        ),
        ([{"text": "a", "labels": ["refund", "how"]}, {"text": "b", "labels": []}], [Task.TOPICS]),
        ([{"text": "a", "label": "card_lost"}, {"text": "b", "label": "pin"}], [Task.INTENTS]),
        ([{"turns": [], "satisfaction": -0.5}], [Task.SATISFACTION]),
        ([{"turns": [], "overall": 3}], [Task.SATISFACTION]),
        ([{"turns": [], "escalated": True}], [Task.ESCALATION]),
        ([{"text": "a", "category": "x"}], []),
        ([], []),
    ],
)
def test_tasks_are_told_from_the_rows(data: list[dict[str, Any]], tasks: list[Task]) -> None:
    assert list(recognise(rows(*data), {})) == tasks


def test_labels_get_our_names() -> None:
    [row] = rows({"text": "a", "cues": ["churn", "human_handoff", "money_dispute"]})
    assert cues_of(row) == frozenset({"wants_to_leave", "asks_for_human", "money_dispute"})
    [yes, no] = rows({"text": "a", "label": "irony"}, {"text": "a", "label": "non_irony"})
    assert (flag_of(yes), flag_of(no)) == (("sarcasm_suspected", True), ("sarcasm_suspected", False))
    maps = {"aspect": {"price": Meaning("account/pricing", ("operations/billing",)), "brand": Meaning(None)}}
    [priced, brand, other] = rows(
        *({"text": "a", "labels": [{"aspect": a, "polarity": "negative"}]} for a in ("price", "brand", "new"))
    )
    assert causes_of(priced, maps) == TrueCauses(
        frozenset({"account/pricing"}), frozenset({"account/pricing", "operations/billing"})
    )
    assert causes_of(brand, maps) == TrueCauses(frozenset(), frozenset())
    assert causes_of(other, maps) is None
    mixed = {
        "text": "a",
        "labels": [{"aspect": a, "polarity": p} for a, p in (("x", "negative"), ("y", "positive"))],
    }
    assert [sentiment_of(row) for row in rows(mixed, {"text": "a", "sentiment": ["ambiguous"]})] == [
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("text", "slices"),
    [
        ("Great", {"length 1-3"}),
        ("It does not work", {"length 4-10", "negation"}),
        ("THIS IS A DISGRACE", {"length 4-10", "upper case"}),
        ("Nice app but slow", {"length 4-10", "contrast"}),
        ("But why?", {"length 1-3"}),
        ("Was it good? Not really", {"length 4-10", "negation", "question with a short answer"}),
        ("I definately love it", {"length 4-10", "typos"}),
        ("sooooo good 😀", {"length 1-3", "typos", "emoji"}),
        ("The 2nd parcel (of 3) came today", {"length 4-10"}),
    ],
)
def test_slices(text: str, slices: set[str]) -> None:
    assert set(text_slices(rows({"text": text}))) == {"all", *slices}


def test_slices_by_where_a_text_comes_from() -> None:
    data = [{"text": "hi", "source": "a", "lang": "en"} for _ in range(25)]
    data += [{"text": "hi", "source": "b", "lang": "en"} for _ in range(25)] + [{"text": "hi", "source": "c"}]
    found = text_slices(rows(*data))
    assert {name: int(mask.sum()) for name, mask in found.items() if "source" in name} == {
        "source a": 25,
        "source b": 25,
    }
    assert not any(name.startswith("language") for name in found), "one language is no slice"


def test_the_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    write_rows(tmp_path, "a", "dev", [GOOD])
    write_rows(tmp_path, "b", "dev", [GOOD])
    (tmp_path / "b" / "dev.jsonl.gz").write_bytes(gzip.compress(json.dumps(GOOD).encode() + b" \n"))
    assert read_part(tmp_path / "a", "dev").sha256 != read_part(tmp_path / "b", "dev").sha256
