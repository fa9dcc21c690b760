"""Words that were not meant for customers do not get into a message."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from heardback_router.campaigns.guard import RUN, Guarded, leaks, runs_of, words_of

NOTE = "The ledger job counted closed seats twice since March, do not tell anybody about it."
word = st.text("abcdefghijklmnopqrstuvwxyzäöüß", min_size=1, max_size=8)
marks = st.sampled_from([" ", ", ", ". ", "\n", " - ", "! ", ": "])


def found(text: str, *guarded: Guarded) -> list[tuple[int, Guarded]]:
    return list(leaks([text], guarded))


def spelt(words: Sequence[str], between: Sequence[str]) -> str:
    return "".join(one + between[number % len(between)] for number, one in enumerate(words))


@given(st.lists(word, min_size=RUN, max_size=12), st.lists(marks, min_size=1), st.data())
def test_six_words_in_a_row_are_found_in_any_case_and_between_any_marks(
    words: list[str], between: list[str], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(words) - RUN))
    copied = [data.draw(st.sampled_from([w, w.upper(), w.title()])) for w in words[start : start + RUN]]
    text = f"Dear customer, {spelt(copied, between)} Yours"
    assert found(text, Guarded("internal", "it_a", spelt(words, [" "])))


@given(st.lists(word, max_size=30), st.lists(word, max_size=30))
def test_only_a_shared_run_is_a_leak(one: list[str], other: list[str]) -> None:
    text, note = spelt(one, [" "]), spelt(other, [" "])
    shared = any(
        words_of(text)[at : at + RUN] == words_of(note)[start : start + RUN]
        for at in range(len(words_of(text)) - RUN + 1)
        for start in range(len(words_of(note)) - RUN + 1)
    )
    assert bool(found(text, Guarded("internal", "it_a", note))) == shared


def test_a_note_in_a_customers_message_is_found_and_five_words_of_it_are_not() -> None:
    note = Guarded("internal", "it_a", NOTE)
    assert found("We found that the ledger job counted closed seats twice.", note) == [(0, note)]
    assert not found("The ledger job counted closed orders.", note)


def test_customers_may_read_their_own_words_and_nobody_elses() -> None:
    said = "my daughter was in hospital when your driver called"
    theirs = Guarded("feedback", "it_a", said, "c-1")
    text = f"You told us: {said}."
    assert not list(leaks([text], [theirs], frozenset({"c-1"})))
    assert list(leaks([text], [theirs], frozenset({"c-2"})))


def test_a_short_text_has_no_runs() -> None:
    assert runs_of("only five words are here") == frozenset()
    assert len(runs_of("now there are six words here")) == 1
