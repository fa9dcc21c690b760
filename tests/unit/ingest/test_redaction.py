"""What is personal goes, what only looks like it stays, and clean text costs next to nothing."""

from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.ingest.redaction_samples import FOUND, STAYS

from heardback_ingest.domain.redaction import PLACEHOLDERS, redact

RECALL = 0.95


@pytest.mark.parametrize("kind", sorted(FOUND))
def test_recall_per_kind(kind: str) -> None:
    samples = FOUND[kind]
    missed = [text for text, secret in samples if secret in redact(text).text]
    assert 1 - len(missed) / len(samples) >= RECALL, missed


@pytest.mark.parametrize("kind", sorted(FOUND))
def test_each_kind_has_its_placeholder_and_count(kind: str) -> None:
    named = [
        t for t, _ in FOUND[kind] if PLACEHOLDERS[kind] in redact(t).text and dict(redact(t).counts)[kind]
    ]
    assert len(named) / len(FOUND[kind]) >= RECALL


@pytest.mark.parametrize("text", STAYS)
def test_lookalikes_stay(text: str) -> None:
    assert redact(text).text == text


def test_the_rest_of_the_text_stays_as_it_was() -> None:
    found = redact("Order 4417-2231: mail jane@example.com or call +49 170 1234567 by 22.11.2026.")
    assert found.text == "Order 4417-2231: mail [email] or call [phone] by 22.11.2026."
    assert found.counts == (("email", 1), ("phone", 1))


def test_a_card_ends_where_the_card_ends() -> None:
    assert redact("4242 4242 4242 4242 12/27 123").text == "[card] 12/27 123"


def test_known_names_go_whole_and_by_surname() -> None:
    names = ("Maria Lopez", "Al")
    text = "This is maria lopez. Mrs Lopez called Al. Lopezstraat stays, maria too."
    assert redact(text, names).text == "This is [name]. Mrs [name] called Al. Lopezstraat stays, maria too."


def test_redacting_twice_changes_nothing_more() -> None:
    for samples in FOUND.values():
        for text, _ in samples:
            once = redact(text).text
            assert redact(once).text == once


@given(st.text(max_size=200))
def test_any_text_is_taken_and_what_nothing_was_found_in_stays(text: str) -> None:
    found = redact(text)
    if not found.counts:
        assert found.text == "".join(c for c in text if c in found.text)


CHECKED = [
    secret for kind in ("card", "email") for _, secret in FOUND[kind] if secret.isascii() and len(secret) > 11
]


@given(
    st.text(alphabet=st.characters(categories=["Ll", "Lu"], max_codepoint=127), max_size=40),
    st.sampled_from([secret for secret in CHECKED if "@" in secret or secret[0].isdigit()]),
)
def test_what_stands_around_does_not_hide_it(words: str, secret: str) -> None:
    assert secret not in redact(f"{words} {secret} {words}").text


def test_clean_short_text_is_cheap() -> None:
    text = "The delivery came late again and nobody at the desk could tell me why. Really disappointed."
    best = min(_seconds(text) for _ in range(20))
    assert best < 100e-6  # 9 µs where it was written; the rest is for slow machines


def _seconds(text: str) -> float:
    started = thread_time()
    for _ in range(50):
        redact(text)
    return (thread_time() - started) / 50
