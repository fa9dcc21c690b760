"""What the model reads does not tell who is speaking, and is otherwise what was written."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.support.scoring import POLICIES

from heardback_scoring.adapters.policy_files import load_policies
from heardback_scoring.domain.plain_reading import LONGEST, PlainReading
from heardback_scoring.domain.words import folded, words_of

POLICY = POLICIES.reading
PLAIN = PlainReading(POLICY).of

WHO = sorted(POLICY.members | POLICY.groups | POLICY.countries)
NAMES = ["Emily", "Oluwaseun", "Svetlana", "DeShawn", "Mei", "José", "O'Brien", "Anne-Marie"]
PHRASE_WORDS = sorted({word for phrase in POLICY.phrases for word in phrase.when})
ORDINARY = ["the", "parcel", "arrived", "late,", "and", "box", "was", "broken.", "My", "order;", "€5", "WHY?"]
ANY_WORD = st.sampled_from(
    [*WHO, *POLICY.words, *PHRASE_WORDS, *NAMES, *ORDINARY, "I", "they", "is", "Thanks,"]
)
CASES: list[Callable[[str], str]] = [str.lower, str.capitalize, str.upper, str]
TEXTS = st.lists(st.tuples(ANY_WORD, st.sampled_from(CASES)), max_size=12).map(
    lambda words: " ".join(change(word) for word, change in words)
)


@given(TEXTS | st.text(max_size=60))
def test_a_plain_text_stays_as_it_is(text: str) -> None:
    assert PLAIN(PLAIN(text)) == PLAIN(text)


@given(TEXTS | st.text(max_size=60))
def test_it_grows_by_a_bounded_factor_only(text: str) -> None:
    assert len(PLAIN(text)) <= LONGEST * len(text)


@given(st.lists(st.sampled_from(ORDINARY), max_size=20), st.sampled_from([" ", "  ", "\n", " … "]))
def test_other_texts_stay_character_by_character(words: list[str], between: str) -> None:
    text = between.join(words)
    assert PLAIN(text) is text


@given(st.sampled_from(WHO), st.sampled_from(WHO))
def test_no_origin_and_no_faith_is_left(one: str, other: str) -> None:
    text = f"I am {one.capitalize()}. The {other.title()} driver, from {one.capitalize()}, was late."
    assert set(words_of(folded(PLAIN(text)))).isdisjoint(WHO)


@given(st.sampled_from(sorted(POLICY.members)), st.sampled_from(sorted(POLICY.members)))
def test_all_origins_and_faiths_read_alike(one: str, other: str) -> None:
    def feedback(who: str) -> str:
        article = "an" if who[0] in "aeiou" else "a"
        return PLAIN(f"As {article} {who.title()} I was served last. My {who.title()} friend was not!")

    assert feedback(one) == feedback(other) == "As a local I was served last. My local friend was not!"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "text",
    [
        "My name is {}, where is my bag?",
        "{} here, still waiting.",
        "I spoke to {} yesterday.",
        "Mrs {} did nothing.",
        "Then {} told me to wait.",
        "It leaks. Kind regards, {}",
        "It leaks. – {}",
        "Well done!\n{}",
        "I'm {} and I want to cancel.",
    ],
)
def test_a_name_is_known_by_where_it_stands(text: str, name: str) -> None:
    assert PLAIN(text.format(name)) == text.format("Alex")


@pytest.mark.parametrize(
    "text",
    [
        "I'm Disappointed and I want to cancel.",
        "Nobody told me. Everything is Broken. Terrible",
        "Delivery in May, Support told me on Monday.",
        "Please polish the china cabinet.",
        "He spoke no English.",
        "Will they be late? I have been waiting since Monday.",
        "It is not here and nobody answers.",
        "You are right, I have no doubt.",
    ],
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert PLAIN(text) == text


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("Ah cannae", "Ah cannot"),
        ("Cannae log in, it's no working", "Cannot log in, it's not working"),
        ("THEY DIDNAE CARE", "THEY DID NOT CARE"),
        ("naebody’s there", "nobody’s there"),
        ("You ain't got no answer", "You do not have any answer"),
        ("It's broke, I ain't finna wait", "It's broken, I am not going to wait"),
        ("He done took my bag", "He took my bag"),
        ("I am not having the receipt", "I do not have the receipt"),
        ("Kindly do the needful", "Please do what is needed"),
        ("I am waiting since three hours", "I have been waiting for three hours"),
        ("The manual is only in Italian.", "The manual is only in another language."),
        ("An Italian waiter", "A local waiter"),
        ("Canada's best", "Another country's best"),
        ("a black woman with a black bag", "a local woman with a black bag"),
        ("the African-American driver", "the local driver"),
    ],
)
def test_dialect_and_origin_in_plain_words(said: str, plain: str) -> None:
    assert PLAIN(said) == plain


def test_a_policy_that_changes_nothing_can_be_made_to_measure_with(tmp_path: Path) -> None:
    from heardback_scoring.training.as_written import as_written

    (tmp_path / "reading.yaml").write_text(yaml.safe_dump(as_written()), encoding="utf8")
    text = "As a Muslim from Nigeria I cannae wait, y'all. Regards, Keisha"
    assert load_policies(tmp_path).spoken(text) == text
    assert load_policies(None).spoken(text) != text
