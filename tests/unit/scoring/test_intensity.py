"""How strongly something is put."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heardback_scoring.domain.intensity import intensity_of, strongest, tells_consequence, wishes
from heardback_scoring.domain.words import Text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The parcel was late.", 0),
        ("The parcel was a bit late, no big deal.", -1),
        ("The parcel was slightly late.", -0.5),
        ("This is an utter disgrace, the worst service ever!!", 1),
        ("This is unacceptable.", 0.5),
        ("I am NOT HAPPY with THIS at all", 0.5),
        ("THE PARCEL WAS LATE", 0),
        ("Where is it?!", 0.5),
        ("Absolutely awful, but no rush.", 0.5),
        ("", 0),
    ],
)
def test_strong_and_mild_words_are_weighed(text: str, expected: float) -> None:
    assert intensity_of(Text.of(text)) == expected


def test_of_several_texts_the_strongest_counts() -> None:
    texts = [Text.of(t) for t in ("It is a bit slow.", "This is outrageous!!", "Hello.")]
    assert strongest(texts) == 1
    assert strongest(()) == 0


@given(st.text(max_size=200))
def test_any_text_has_an_intensity(text: str) -> None:
    assert -1 <= intensity_of(Text.of(text)) <= 1


@pytest.mark.parametrize(
    "text",
    [
        "Love it. It would be nice if you had a dark mode.",
        "Next time we would prefer a smaller room.",
        "The reports could arrive a little earlier.",
        "My only complaint is the font.",
    ],
)
def test_a_wish_is_heard(text: str) -> None:
    assert wishes(Text.of(text))


@pytest.mark.parametrize(
    "text",
    [
        "None of our drivers can log in.",
        "The checkout is down and we are losing orders.",
        "I cannot pay my rent.",
        "We missed our connecting flight.",
        "I took another day off work for nothing.",
    ],
)
def test_what_it_has_led_to_is_heard(text: str) -> None:
    assert tells_consequence(Text.of(text))


@pytest.mark.parametrize(
    "text", ["The flight was on time.", "I miss the old design.", "We can log in again.", ""]
)
def test_a_plain_remark_tells_no_consequence(text: str) -> None:
    assert not tells_consequence(Text.of(text))


def test_small_children_are_not_playing_it_down() -> None:
    assert intensity_of(Text.of("We are stuck here with two small children.")) == 0
    assert intensity_of(Text.of("A typo on the settings page.")) < 0


@pytest.mark.parametrize("text", ["We wish you all the best.", "Great work, thank you!", ""])
def test_plain_praise_is_no_wish(text: str) -> None:
    assert not wishes(Text.of(text))
