"""Sets of corrections: one word per feedback, bounded, erasable, with a version that replays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heardback_scoring.domain import corrections as module
from heardback_scoring.domain.corrections import NO_CORRECTIONS, Correction, Corrections

UNIT = np.eye(3, dtype=np.float32)


def correction(number: int, *right: str, axis: int = 0) -> Correction:
    return Correction(f"fb_{number}", UNIT[axis], frozenset(right))


def test_the_later_word_about_a_feedback_counts() -> None:
    kept = Corrections.of([correction(1, "a/b"), correction(2), correction(1, "a/c")])
    assert [c.feedback_id for c in kept] == ["fb_2", "fb_1"]
    about = kept.about("fb_1")
    assert about is not None
    assert about.right == frozenset({"a/c"})
    assert kept.about("fb_7") is None


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    kept = Corrections.of(correction(n) for n in range(5)).with_one(correction(9))
    assert [c.feedback_id for c in kept] == ["fb_3", "fb_4", "fb_9"]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 6), unique=True, min_size=1))
def test_the_version_is_that_of_the_set_not_of_its_history(numbers: list[int]) -> None:
    one = Corrections.of(correction(n, "a/b") for n in numbers)
    other = Corrections.of(correction(n, "a/b") for n in reversed(numbers))
    more = one.with_one(correction(8)).without("fb_8")
    assert one.version == other.version == more.version
    assert one.version.startswith(f"+{len(numbers)}correction")
    assert one.with_one(correction(numbers[0], "a/c")).version != one.version
    assert one.with_one(correction(numbers[0], "a/b", axis=1)).version != one.version


def test_nothing_corrected_has_no_version() -> None:
    assert NO_CORRECTIONS.version == ""
    assert Corrections.of([correction(1)]).without("fb_1").version == ""


@pytest.mark.parametrize(
    ("fields", "mend"),
    [
        ({"feedback_id": "", "vector": UNIT[0], "right": frozenset()}, "feedback_id: name"),
        ({"feedback_id": "x", "vector": UNIT[0]}, "right, wrong: give"),
        (
            {"feedback_id": "x", "vector": UNIT[0], "right": frozenset({"a/b"}), "wrong": frozenset({"a/b"})},
            "a/b cannot be both",
        ),
        ({"feedback_id": "x", "vector": 2 * UNIT[0], "right": frozenset()}, "vector: must be"),
        ({"feedback_id": "x", "vector": UNIT, "right": frozenset()}, "vector: must be"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, object], mend: str) -> None:
    with pytest.raises(ValueError, match=mend):
        Correction(**fields)  # type: ignore[arg-type]
