"""Few-shot learning: right, deterministic, indifferent to order and repetition, never misled by agreement."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from heardback_scoring.domain.calibration import best_share, calibrate
from heardback_scoring.domain.few_shot import FewShot, Learning
from heardback_scoring.domain.ngrams import PLACES, ngram_vectors

Vectors = NDArray[np.float32]
DIMENSIONS = 12


def points(centres: Vectors, per_class: int, spread: float, seed: int) -> tuple[Vectors, list[str]]:
    """`per_class` unit vectors about each centre, and the name of its class."""
    random = np.random.default_rng(seed)
    labels = [f"class {c}" for c in range(len(centres)) for _ in range(per_class)]
    rows = np.repeat(centres, per_class, axis=0)
    rows = rows + spread * random.standard_normal(rows.shape) / np.sqrt(DIMENSIONS)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32), labels


CENTRES = np.eye(DIMENSIONS, dtype=np.float32)[:4]
VECTORS, LABELS = points(CENTRES, 6, 0.6, seed=1)
TEXTS = [f"text{i}" for i in range(len(LABELS))]


def learnt(order: list[int] | None = None) -> FewShot:
    rows = order if order is not None else list(range(len(LABELS)))
    return FewShot.fit(
        VECTORS[rows],
        [TEXTS[i] for i in rows],
        [{LABELS[i]} for i in rows],
    )


def test_new_points_are_told_apart() -> None:
    vectors, labels = points(CENTRES, 50, 0.6, seed=2)
    fitted = learnt()
    best = fitted.probabilities(vectors, [""] * len(vectors)).argmax(axis=1)
    assert np.mean([fitted.classes[i] == label for i, label in zip(best, labels, strict=True)]) > 0.95
    assert fitted.left_out.shape == (24, 4)
    assert np.mean(fitted.left_out.argmax(axis=1) == np.repeat(np.arange(4), 6)) > 0.9


def test_two_classes_none_and_the_best_first() -> None:
    both = np.asarray((CENTRES[0] + CENTRES[1])[None] / np.sqrt(2), dtype=np.float32)
    vectors = np.concatenate([VECTORS, *[both] * 4])
    texts = [*TEXTS, *(f"both{i}" for i in range(4))]
    labels = [*({label} for label in LABELS), *[{"class 0", "class 1"}] * 4]
    fitted = FewShot.fit(vectors, texts, labels)
    nowhere = np.eye(DIMENSIONS, dtype=np.float32)[8:9]
    assert [set(found) for found in fitted.predict(both, [""])] == [{"class 0", "class 1"}]
    assert fitted.predict(nowhere, [""]) == [()]
    [most] = fitted.predict(CENTRES[2:3], [""], at=0.0)
    assert most[0] == "class 2"
    assert len(most) == 4


def test_words_count_beside_meaning() -> None:
    same = np.repeat(np.eye(2, dtype=np.float32)[:1], 6, axis=0)
    texts = [f"refund of number{i}" for i in range(3)] + [f"parcel of number{i}" for i in range(3)]
    fitted = FewShot.fit(same, texts, [{"billing"}] * 3 + [{"fulfilment"}] * 3)
    scores = fitted.scores(same[:2], ["where is my refund", "where is my parcel"])
    assert list(scores.argmax(axis=1)) == [0, 1]


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(len(LABELS))))
def test_order_makes_no_difference(order: list[int]) -> None:
    straight, mixed = learnt(), learnt(order)
    assert np.array_equal(straight.scores(VECTORS, TEXTS), mixed.scores(VECTORS, TEXTS))
    assert np.array_equal(straight.left_out[order], mixed.left_out)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, len(LABELS) - 1), max_size=30))
def test_repetition_makes_no_difference(again: list[int]) -> None:
    assert np.array_equal(
        learnt().scores(VECTORS, TEXTS), learnt([*range(len(LABELS)), *again]).scores(VECTORS, TEXTS)
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 3), st.integers(0, 2**32 - 1), st.floats(0, 0.05))
def test_an_example_beside_a_text_never_lowers_its_class(label: int, seed: int, beside: float) -> None:
    random = np.random.default_rng(seed)
    pair = random.standard_normal(DIMENSIONS) + np.array([np.zeros(DIMENSIONS), random.normal(0, beside, 12)])
    text, example = np.asarray(pair / np.linalg.norm(pair, axis=1, keepdims=True), dtype=np.float32)
    name = f"class {label}"
    more = FewShot.fit(
        np.concatenate([VECTORS, example[None]]), [*TEXTS, "new"], [*({one} for one in LABELS), {name}]
    )
    before = learnt().scores(text[None], [""])[0, label]
    assert more.scores(text[None], [""])[0, label] >= min(before, 1.0) - 1e-4


def test_fewer_landmarks_than_examples_answer_nearly_the_same() -> None:
    vectors, labels = points(CENTRES, 60, 0.8, seed=3)
    texts = [f"t{i}" for i in range(len(labels))]
    whole = FewShot.fit(vectors, texts, [{label} for label in labels])
    part = FewShot.fit(vectors, texts, [{label} for label in labels], Learning(landmarks=40))
    new, _ = points(CENTRES, 30, 0.8, seed=4)
    both = [fitted.scores(new, [""] * len(new)).argmax(axis=1) for fitted in (whole, part)]
    assert np.mean(both[0] == both[1]) > 0.95


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(ValueError, match="one set of labels per text"):
        FewShot.fit(VECTORS, TEXTS, [{"a"}])
    with pytest.raises(ValueError, match="0 classes"):
        FewShot.fit(VECTORS[:1], ["a"], [set()])


def test_left_out_probabilities_are_honest() -> None:
    """Calibrated on them, the mean probability is the share of right classes, and the order is kept."""
    random = np.random.default_rng(5)
    scores = random.normal(0.3, 0.3, (200, 5))
    targets = (random.random((200, 5)) < 1 / (1 + np.exp(-(6 * scores - 3)))).astype(np.float64)
    fitted = calibrate(scores, targets)
    probabilities = fitted.probabilities(scores)
    assert probabilities.mean() == pytest.approx(targets.mean(), abs=0.01)
    assert fitted.slope == pytest.approx(6, abs=1.5)
    assert 0.3 < best_share(probabilities, targets) < 0.6


@pytest.mark.parametrize("targets", [np.zeros((3, 2)), np.ones((3, 2)), np.eye(3)[:, :2]])
def test_calibration_survives_a_handful(targets: NDArray[np.float64]) -> None:
    fitted = calibrate(np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.1]]), targets)
    assert fitted.slope >= 1
    assert np.isfinite(fitted.offsets).all()


@given(st.text(max_size=60))
@settings(max_examples=50, deadline=None)
def test_word_vectors_have_unit_length_or_are_zero(text: str) -> None:
    [row] = ngram_vectors([text])
    assert row.shape == (PLACES,)
    assert np.linalg.norm(row) == pytest.approx(1.0, abs=1e-5) or not row.any()
    assert (
        np.array_equal(row, ngram_vectors(["something else", text.upper().lower()])[1]) or not text.isascii()
    )


def test_word_vectors_are_near_for_shared_words() -> None:
    one, two, three = ngram_vectors(["the refund is late", "late refunds", "dark mode please"])
    assert one @ two > 0.3 > abs(one @ three) + 0.1
