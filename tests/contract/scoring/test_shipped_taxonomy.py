"""The shipped model, taxonomy and learning together: few examples are enough, corrections count at once."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
import yaml
from tests.support.clock import NOON
from typer.testing import CliRunner

from heardback_scoring.adapters.inline_reader import InlineReader
from heardback_scoring.adapters.policy_files import load_policies
from heardback_scoring.adapters.py3langid_guesser import Py3langidGuesser
from heardback_scoring.app.score_batch import score_batch
from heardback_scoring.app.understanding import embed_taxonomy, understanding_of
from heardback_scoring.cli import taxonomy as commands
from heardback_scoring.domain.corrections import Correction, Corrections
from heardback_scoring.domain.root_cause import EmbeddedTaxonomy, nearest_causes
from heardback_scoring.domain.taxonomy_check import check
from heardback_scoring.inference.lexicon import LexiconScorer
from heardback_scoring.inference.ports import Scorer
from heardback_scoring.models.store import ModelChoice, load_scorer
from heardback_shared.contracts.events import FeedbackAccepted
from heardback_shared.contracts.feedback import FeedbackContent

ODD = [
    "The lift in the car park smells of paint.",
    "My neighbour heard our call through the wall of your branch.",
    "Your hold music is far too loud for my hearing aid.",
    "The till receipt fades before I can claim my expenses.",
]
NEW = {
    "policy": "mine@4",
    "decision": {
        "unclear_below": 0.25,
        "also_at": 0.35,
        "most": 3,
        "runners_up": 2,
        "keyword_confidence": 0.5,
    },
    "domains": {
        "rooms": {
            "noise": {
                "description": "Guests cannot sleep because it is loud.",
                "examples": ["The street was loud all night.", "Our neighbours had a party until four."],
            },
            "cleaning": {
                "description": "Rooms and bathrooms are not clean.",
                "examples": ["There was hair in the shower.", "The sheets had stains on them."],
            },
        },
        "food": {
            "breakfast": {
                "description": "What is served in the morning.",
                "examples": ["The coffee was cold and the bread was old.", "Great choice of fruit and eggs."],
            }
        },
    },
}


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return load_scorer(ModelChoice(threads=1))


@pytest.fixture(scope="module")
def shipped(scorer: Scorer) -> EmbeddedTaxonomy:
    embedded = embed_taxonomy(load_policies().taxonomy, scorer)
    assert embedded is not None
    return embedded


def feedback(feedback_id: str, comment: str) -> FeedbackAccepted:
    content = FeedbackContent(
        kind="survey",
        source="test",
        external_id=feedback_id,
        revision=1,
        comment=comment,
        happened_at=NOON,
    )
    return FeedbackAccepted(feedback_id=feedback_id, revision=1, accepted_at=NOON, content=content)


def vectors(scorer: Scorer, texts: list[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
    known = [r.embedding for r in scorer.read(texts) if r.embedding is not None]
    return np.stack(known)


def paths(scorer: Scorer, embedded: EmbeddedTaxonomy, texts: list[str]) -> list[set[str]]:
    answers = nearest_causes(vectors(scorer, texts), texts, embedded)
    return [{cause.path for cause in causes.found} for causes in answers]


def test_the_examples_tell_their_categories_apart(shipped: EmbeddedTaxonomy) -> None:
    found = check(shipped)
    assert found.right >= 0.7
    assert all(category.right / category.examples >= 0.4 for category in found.categories)
    assert found.near_duplicates == ()


def test_two_causes_in_one_text(scorer: Scorer, shipped: EmbeddedTaxonomy) -> None:
    text = "The parcel came two weeks late and then I was charged twice for it."
    [found] = paths(scorer, shipped, [text])
    assert {"operations/fulfilment", "operations/billing"} <= found


def test_a_correction_counts_at_once_for_the_text_and_its_like(
    scorer: Scorer, shipped: EmbeddedTaxonomy
) -> None:
    right = "account/communication"
    said = Corrections.of(
        Correction(f"fb_{i}", vector, frozenset({right})) for i, vector in enumerate(vectors(scorer, ODD))
    )
    taught = shipped.corrected(said)
    assert [right in found for found in paths(scorer, shipped, ODD)] != [True] * len(ODD)
    assert [right in found for found in paths(scorer, taught, ODD)] == [True] * len(ODD)
    [alike] = paths(scorer, taught, ["The music while I am on hold hurts my hearing aid."])
    assert right in alike
    plain = "My parcel is a week late."
    assert paths(scorer, taught, [plain]) == paths(scorer, shipped, [plain])


@pytest.mark.parametrize(
    ("text", "alike", "right"),
    [
        (
            "The lift in the car park smells of paint.",
            "There is a smell of paint in the lift of your car park.",
            "product/usability",
        ),
        (
            "Ashes of a cigarette were in my sandwich.",
            "I found cigarette ash in the sandwich.",
            "product/defect",
        ),
        (
            "Parking spaces in front of the clinic are always taken by taxis.",
            "Taxis block the parking spaces at the clinic.",
            "operations/fulfilment",
        ),
        (
            "The loyalty stamp book fell apart.",
            "My stamp book for the loyalty scheme is in pieces.",
            "account/pricing",
        ),
    ],
)
async def test_one_correction_teaches_the_very_next_reading(
    scorer: Scorer, text: str, alike: str, right: str
) -> None:
    by = understanding_of(load_policies(), Py3langidGuesser(), InlineReader(scorer), LexiconScorer())
    assert by.embedded is not None
    before = await score_batch([feedback("fb_1", text), feedback("fb_2", alike)], by)
    assert not any(cause.path == right for score in before for cause in score.root_causes)
    [vector] = vectors(scorer, [by.policies.spoken(text)])
    said = Corrections.of([Correction("fb_1", vector, frozenset({right}))])
    taught = replace(by, embedded=by.embedded.corrected(said))
    [itself, next_one] = await score_batch([feedback("fb_1", text), feedback("fb_2", alike)], taught)
    assert (itself.root_causes[0].path, itself.root_causes[0].confidence) == (right, 1.0)
    assert next_one.root_causes[0].path == right
    assert next_one.taxonomy == by.taxonomy_version + said.version


def test_two_examples_and_a_description_are_enough(scorer: Scorer, tmp_path: Path) -> None:
    file, data = tmp_path / "mine.yaml", tmp_path / "rows.jsonl"
    file.write_text(yaml.safe_dump(NEW, sort_keys=False), "utf-8")
    texts = [
        "It was so noisy that I did not sleep at all.",
        "The bathroom was dirty and the towels were stained.",
    ]
    data.write_text(
        "".join(json.dumps({"text": text}) + "\n" for text in texts) + '{"no": "text"}\n', "utf-8"
    )
    result = run("check", str(file), "--data", str(data), "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["version"] == "mine@4"
    assert [category["path"] for category in found["categories"]] == [
        "rooms/noise",
        "rooms/cleaning",
        "food/breakfast",
    ]
    assert found["preview"]["rows"] == 2
    assert found["preview"]["unread"] == 1
    assert [one["after"] for one in found["preview"]["changed"]] == [["rooms/noise"], ["rooms/cleaning"]]
    assert [one["text"] for one in found["preview"]["changed"]] == texts
    assert sum(move["rows"] for move in found["preview"]["moves"]) == 2


def test_people_read_the_same_as_a_page(tmp_path: Path) -> None:
    file, data = tmp_path / "mine.yaml", tmp_path / "rows.jsonl"
    file.write_text(yaml.safe_dump(NEW, sort_keys=False), "utf-8")
    data.write_text('{"text": "It was so noisy that I did not sleep at all."}\n', "utf-8")
    result = run("check", str(file), "--data", str(data), "--against", str(file))
    assert result.exit_code == 0, result.output
    assert "rooms/noise" in result.stdout
    assert "0 of 1 rows would change against mine@4" in result.stdout
    result = run("check", str(file), "--data", str(data))
    assert "1 of 1 rows would change against taxonomy@" in result.stdout
    assert "→ rooms/noise" in result.stdout
    assert "It was so noisy that I did not sleep at all." in result.stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("- a list\n", "expected a mapping"),
        ("policy: mine@1\n", "domains: Field required"),
        (yaml.safe_dump({**NEW, "domains": {"rooms": {"Noise!": {}}}}), "domains.rooms.Noise!.examples"),
    ],
)
def test_what_is_no_taxonomy_is_told_with_its_field(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(content, "utf-8")
    result = run("check", str(file))
    assert result.exit_code == 1
    assert said in result.output


def run(*arguments: str) -> Any:
    app = typer.Typer()
    app.add_typer(commands, name="taxonomy")
    return CliRunner().invoke(app, ["taxonomy", *arguments])
