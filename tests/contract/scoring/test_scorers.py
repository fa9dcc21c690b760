"""One suite that every implementation of Scorer passes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.support.scorers import tiny_hub_model

from heardback_scoring.inference.lexicon import LexiconScorer
from heardback_scoring.inference.ports import Scorer, TextReading
from heardback_scoring.models.store import HubChoice, ModelChoice, load_scorer

TEXTS = [
    "The parcel was late and the app is awful!",
    "great",
    "It was not bad.",
    "",
    "   \n\t ",
    "🙂🙃 ŽÅ漢字 \u0000",
    "half a sign \ud83d here",
    "good " * 3000,
    "x" * 50_000,
    "great",
]


def onnx_scorer(_: Path) -> Scorer:
    return load_scorer(ModelChoice(threads=1))


def caching_onnx_scorer(_: Path) -> Scorer:
    return load_scorer(ModelChoice(threads=1, cache_texts=4))


def lexicon_scorer(_: Path) -> Scorer:
    return LexiconScorer()


def hub_scorer(folder: Path) -> Scorer:
    model = tiny_hub_model(folder / "tiny", {0: "NEG", 1: "neutral", 2: "Positive"})
    return load_scorer(ModelChoice(hub=HubChoice(str(model), "local", max_tokens=64), threads=1))


MAKERS: list[Callable[[Path], Scorer]] = [onnx_scorer, caching_onnx_scorer, lexicon_scorer, hub_scorer]


@pytest.fixture(params=MAKERS, ids=lambda maker: maker.__name__, scope="module")
def scorer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scorer]:
    made: Scorer = request.param(tmp_path_factory.mktemp("model"))
    yield made
    made.close()


def probabilities(reading: TextReading) -> tuple[float, float, float]:
    return reading.negative, reading.neutral, reading.positive


def test_one_reading_per_text_and_probabilities_that_sum_to_one(scorer: Scorer) -> None:
    readings = scorer.read(TEXTS)
    assert len(readings) == len(TEXTS)
    for reading in readings:
        assert sum(probabilities(reading)) == pytest.approx(1, abs=1e-9)
        assert all(0 <= value <= 1 for value in probabilities(reading))


def test_embeddings_are_of_unit_length_or_absent_throughout(scorer: Scorer) -> None:
    embeddings = [reading.embedding for reading in scorer.read(TEXTS)]
    if scorer.degraded:
        assert embeddings == [None] * len(TEXTS)
        return
    for embedding in embeddings:
        assert embedding is not None
        assert embedding.dtype == np.float32
        assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-4)


def test_order_is_kept_and_neighbours_do_not_matter(scorer: Scorer) -> None:
    together = scorer.read(TEXTS)
    alone = [scorer.read([text])[0] for text in TEXTS]
    for one, other in zip(together, alone, strict=True):
        assert probabilities(one) == pytest.approx(probabilities(other), abs=1e-3)


def test_the_same_texts_are_read_the_same_again(scorer: Scorer) -> None:
    first, second = scorer.read(TEXTS), scorer.read(TEXTS)
    for one, other in zip(first, second, strict=True):
        # A cache changes who shares a batch, and with it the rounding of float sums.
        assert probabilities(one) == pytest.approx(probabilities(other), abs=1e-6)
    assert probabilities(first[1]) == probabilities(first[-1])


def test_no_texts_no_readings(scorer: Scorer) -> None:
    assert scorer.read([]) == []
    assert scorer.lengths([]) == []


def test_lengths_are_at_least_one_and_grow_with_the_text(scorer: Scorer) -> None:
    lengths = scorer.lengths(["", "good", "good bad", "good bad not great"])
    assert min(lengths) >= 1
    assert lengths == sorted(lengths)
    assert lengths[1] < lengths[3]


def test_the_model_is_named_with_a_hash(scorer: Scorer) -> None:
    assert scorer.model.name
    assert scorer.model.revision
    assert len(scorer.model.sha256) == 64
    int(scorer.model.sha256, 16)


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
def test_closing_twice_is_allowed_and_reading_after_it_is_not(
    maker: Callable[[Path], Scorer], tmp_path: Path
) -> None:
    made = maker(tmp_path)
    made.close()
    made.close()
    with pytest.raises(RuntimeError, match="closed"):
        made.read(["text"])


def test_what_was_read_already_is_not_read_again(tmp_path: Path) -> None:
    scorer = caching_onnx_scorer(tmp_path)
    [first] = scorer.read(["My router is broken."])
    again, new = scorer.read(["My router is broken.", "It works now."])
    assert again is first
    assert new is not first
    scorer.close()
