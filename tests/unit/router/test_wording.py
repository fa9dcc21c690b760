"""Nearly the same words about another thing, or the opposite, are told from the same thing said again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heardback_router.grouping.wording import unlike


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The app crashes when I open the camera.", "The app crashes when I open the calendar."),
        ("My refund has not arrived yet.", "My refund has arrived already."),
        ("Please cancel my subscription.", "Please don’t cancel my subscription."),
        ("The agent was very friendly.", "The agent was very unfriendly."),
        ("The price went up without any notice.", "The price went down without any notice."),
    ],
)
def test_another_thing_or_the_opposite_in_the_same_words(one: str, other: str) -> None:
    assert unlike(one, other)
    assert unlike(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I want to cancel my order", "i want to cancle the orders please"),
        ("The delivery was late", "my delivery is late agian"),
        ("How do I reset my password?", "I forgot my passcode, what now"),
        ("My parcel never came", "Where is what I ordered last week"),
        ("", "The app crashes"),
    ],
)
def test_the_same_thing_said_again_or_in_words_that_are_not_the_same(one: str, other: str) -> None:
    assert not unlike(one, other)
    assert not unlike(other, one)


@given(st.text(max_size=200), st.text(max_size=200))
def test_nothing_is_unlike_itself_and_the_order_does_not_matter(one: str, other: str) -> None:
    assert not unlike(one, one)
    assert unlike(one, other) == unlike(other, one)
