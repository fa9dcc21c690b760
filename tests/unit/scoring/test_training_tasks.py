"""What the training sets are read as, what frames make, and what the losses count."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.training


def written(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    (folder / name).mkdir(parents=True)
    with gzip.open(folder / name / "train.jsonl.gz", "wt", encoding="utf8") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)


def read(folder: Path, name: str) -> list[Any]:
    from heardback_scoring.training.tasks import SOURCES, read_examples

    source = next(s for s in SOURCES if s.name == name)
    found = read_examples(folder, source, "train")
    assert found is not None
    return found


def test_a_set_tells_of_what_it_knows_and_of_nothing_else(tmp_path: Path) -> None:
    written(tmp_path, "sst2", [{"text": "fine film", "label": "positive"}])
    written(tmp_path, "tweeteval_irony", [{"text": "oh great", "label": "irony"}])
    written(
        tmp_path,
        "derived_cues",
        [{"text": "close my account", "cues": ["churn"], "source": "natcs"}],
    )
    assert read(tmp_path, "sst2")[0].labels.binary
    irony = read(tmp_path, "tweeteval_irony")[0].labels
    assert (irony.sentiment, dict(irony.cues)) == (None, {"sarcasm_suspected": True})
    cues = read(tmp_path, "derived_cues")[0]
    assert cues.origin == "natcs"
    assert cues.labels.cues["wants_to_leave"]
    assert not cues.labels.cues["not_working"]
    assert "anger" not in cues.labels.cues


def test_a_review_of_two_minds_is_left_out(tmp_path: Path) -> None:
    both = [{"aspect": "a", "polarity": "positive"}, {"aspect": "b", "polarity": "negative"}]
    written(
        tmp_path, "fabsa", [{"text": "good but late", "labels": both}, {"text": "good", "labels": both[:1]}]
    )
    assert [e.text for e in read(tmp_path, "fabsa")] == ["good"]


def test_a_set_that_is_not_there_is_none(tmp_path: Path) -> None:
    from heardback_scoring.training.tasks import SOURCES, read_examples

    assert read_examples(tmp_path, SOURCES[0], "train") is None


def test_frames_fill_every_slot_and_give_the_same_sentences_for_the_same_seed() -> None:
    from heardback_scoring.training.frames import framed_examples

    examples = framed_examples(7)
    assert [e.text for e in examples] == [e.text for e in framed_examples(7)]
    assert len({e.text for e in examples}) == len(examples) > 500
    assert {e.labels.sentiment for e in examples} == {0, 1, 2}
    assert not any("{" in e.text for e in examples)


def test_parts_of_a_sentence_stand_for_themselves() -> None:
    pytest.importorskip("numpy")
    from heardback_scoring.training.transfer import parts_of

    assert parts_of("a fine film , but the ending drags on") == ["a fine film", "the ending drags on"]
    assert parts_of("great") == []


def test_a_row_without_neutral_is_judged_between_its_two_classes() -> None:
    torch = pytest.importorskip("torch", reason="the losses need the extra `training`")
    from heardback_scoring.training.losses import cue_loss, emotion_loss, sentiment_loss
    from heardback_scoring.training.tasks import Example, Labels

    logits = torch.tensor([[0.0, 50.0, 4.0]])
    binary = sentiment_loss(logits, [Example("sst2", "t", Labels(sentiment=2, binary=True))], smoothing=0.0)
    three = sentiment_loss(logits, [Example("tweets", "t", Labels(sentiment=2))], smoothing=0.0)
    assert binary.item() == pytest.approx(np.log1p(np.exp(-4)), rel=1e-4)
    assert three.item() == pytest.approx(46, rel=1e-3)
    nothing = [Example("x", "t", Labels())]
    assert sentiment_loss(logits, nothing).item() == 0
    assert emotion_loss(torch.zeros(1, 4), nothing).item() == 0
    assert cue_loss(torch.zeros(1, 12), nothing).item() == 0


def test_the_embedding_loss_is_nothing_for_the_same_and_counts_what_lies_apart() -> None:
    torch = pytest.importorskip("torch", reason="the losses need the extra `training`")
    from heardback_scoring.training.losses import embedding_loss

    wanted = torch.nn.functional.normalize(
        torch.randn(4, 8, generator=torch.Generator().manual_seed(1)), dim=1
    )
    assert embedding_loss(wanted, wanted).item() == pytest.approx(0, abs=1e-5)
    assert embedding_loss(-wanted, wanted).item() == pytest.approx(2, abs=1e-4)


def test_platt_finds_the_curve_it_was_drawn_from() -> None:
    pytest.importorskip("torch", reason="calibration lives beside the training")
    from heardback_scoring.training.finish import platt

    random = np.random.default_rng(3)
    x = random.normal(0, 3, 20_000).astype(np.float32)
    truth = (random.random(20_000) < 1 / (1 + np.exp(-(0.6 * x - 1.0)))).astype(np.float32)
    slope, shift = platt(x, truth)
    assert slope == pytest.approx(0.6, abs=0.03)
    assert shift == pytest.approx(-1.0, abs=0.06)


def test_it_abstains_below_the_confidence_from_which_it_is_right_nine_times_in_ten() -> None:
    from heardback_scoring.training.measure import abstain_below

    # Confidence is the accuracy, so what lies above 0.8 is right nine times in ten.
    tops = np.linspace(0.5, 1.0, 1001)
    chances = np.stack([tops, (1 - tops) * 0.6, (1 - tops) * 0.4], axis=1).repeat(40, axis=0)
    random = np.random.default_rng(5)
    others = 1 + random.integers(0, 2, len(chances))
    labels = np.where(random.random(len(chances)) < chances[:, 0], 0, others)
    assert abstain_below([(chances, labels)]) == pytest.approx(0.8, abs=0.03)
    assert abstain_below([(chances, (labels + 1) % 3)]) == 1.0
