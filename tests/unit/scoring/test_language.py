"""Language: declared wins, short texts are never foreign, unknown is an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.scoring import POLICIES

from heardback_scoring.adapters.py3langid_guesser import Py3langidGuesser
from heardback_scoring.domain.language import (
    Guess,
    TextLanguage,
    decide,
    of_conversation,
    says_nothing,
    spoken,
)
from heardback_scoring.domain.words import Text, folded
from heardback_shared.contracts.score import Language

POLICY = POLICIES.language
GUESSER = Py3langidGuesser()


def language(text: str, declared: str | None = None) -> TextLanguage:
    return decide(Text.of(text), declared, GUESSER.guess, POLICY)


@pytest.mark.parametrize(
    "text",
    [
        "The order is late again and nobody answers my emails",
        "fine I guess",
        "ok",
        "thx",
        "Best!",
        "Cant update",
        "I’m done with this, it’s awful",
        "It is a terrible application to sell good reviews for a resort of extremely bad quality in Vietnam.",
        "Order no delivered since 3 days plz help",
        "WORST SERVICE EVER",
    ],
)
def test_english(text: str) -> None:
    found = language(text)
    assert (found.code, found.readable) == ("en", True)
    assert 0 < found.confidence <= 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Die Lieferung war schon wieder zu spät.", "de"),
        ("Das Paket kam beschädigt an und niemand antwortet.", "de"),
        ("Sehr schlecht, nie wieder!", "de"),
        ("Ich will mein Geld zurück", "de"),
        ("Der Kundenservice ist eine Katastrophe, ich kündige.", "de"),
        ("el pedido llegó tarde y nadie responde", "es"),
        ("Le colis est arrivé cassé et personne ne répond", "fr"),
        ("商品が壊れていました", "ja"),
        ("Посылка пришла повреждённой", "ru"),
    ],
)
def test_foreign(text: str, code: str) -> None:
    found = language(text)
    assert (found.code, found.readable) == (code, False)


@pytest.mark.parametrize(
    "text", ["👍", "12", "n/a", "...", "John", "Welington", "danke", "gr8 svc", "meh", "ORG727"]
)
def test_too_little_to_tell_is_never_foreign(text: str) -> None:
    found = language(text)
    assert found.code in {"und", "en"}
    assert found.readable


def test_letters_of_another_script_are_not_read_even_when_the_guess_is_unsure() -> None:
    found = decide(Text.of("ඔබට ස්තූතියි"), None, lambda _: Guess("th", 0.1), POLICY)
    assert (found.code, found.readable) == ("und", False)


def test_a_longer_text_without_english_words_is_not_read() -> None:
    found = language("bwana oda yangu haijafika bado tena hakuna jibu")
    assert (found.code, found.readable) == ("und", False)
    assert language("Non-functional app on my S9, sadly.").readable


@pytest.mark.parametrize(
    "text",
    [
        "bhai mera order abhi tak nahi aaya aur koi jawab nahi deta",
        "order abhi tak nahi aaya, very bad service",
        "Bahut achha kaam kiya aap ne",
    ],
)
def test_hindi_in_latin_letters_and_mixtures_are_not_read(text: str) -> None:
    found = language(text)
    assert (found.code, found.readable) == ("hi", False)


@pytest.mark.parametrize(
    "text", ["Die hard fan, came in a day", "Ich", "mi casa card works", "I saw it in Das Boot"]
)
def test_a_foreign_word_makes_no_foreign_text(text: str) -> None:
    assert language(text).readable


def test_a_declared_language_wins() -> None:
    assert language("Die Lieferung war zu spät.", "en-GB").readable
    found = language("The delivery was late.", "DE-at")
    assert (found.code, found.confidence, found.readable) == ("de", 1.0, False)


def test_a_conversation_is_in_the_language_of_most_letters() -> None:
    texts = [language("Guten Tag, meine Rechnung ist falsch und zu hoch."), language("ok"), language("John")]
    assert of_conversation(texts).code == "de"
    assert of_conversation([language("John")]).code == "und"
    assert of_conversation([]) == Language(code="und", confidence=0.0)
    assert of_conversation([language("123", "en")]) == Language(code="en", confidence=1.0)


@pytest.mark.parametrize(
    "text", ["", " - ", "N/A", "n.a.", "None.", "12345", "...", "'''", "🛸", "no comment"]
)
def test_texts_that_say_nothing(text: str) -> None:
    assert says_nothing(Text.of(text), POLICY)


@pytest.mark.parametrize("text", ["no", "ok", "👍", "none of it works", "nothing works"])
def test_texts_that_say_something(text: str) -> None:
    assert not says_nothing(Text.of(text), POLICY)


def test_signs_alone_become_words_and_other_texts_stay() -> None:
    assert spoken("👍👍", POLICY) == "good good"
    assert spoken("😡!", POLICY) == "very angry"
    assert spoken("good 👍", POLICY) == "good 👍"
    assert spoken("🛸", POLICY) == "🛸"
    assert spoken("123", POLICY) == "123"


@given(st.text(max_size=80), st.text("abcdefghijkl", max_size=4), st.floats(0, 1))
def test_every_text_gets_an_answer(text: str, code: str, confidence: float) -> None:
    found = decide(Text.of(text), None, lambda _: Guess(code, confidence), POLICY)
    assert 0 <= found.confidence <= 1
    assert found.readable or found.code != "en"


@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=6))
def test_one_short_word_is_never_foreign(word: str) -> None:
    assert language(word).readable


@given(st.text(max_size=60))
def test_folding_keeps_every_place(text: str) -> None:
    assert len(folded(text)) == len(text)
