"""Characters that hide or disguise words, and addresses that no message needs."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heardback_router.campaigns.guard import Guarded, contacts_in, leaks
from heardback_router.characters import plain, unreadable

NOTE = "the ledger job counted closed seats twice"
SAME = {
    "zero width": "the led\u200bger job coun\u200dted closed seats twice",
    "full width": "ｔｈｅ ledger job ｃｏｕｎｔｅｄ closed seats twice",
    "Cyrillic": "thе lеdgеr jоb соuntеd сlоsеd sеаts twісе",
    "Greek": "the lεdger jοb cοunted clοsed seats twice",
    "accents": "thé lédgér jób countéd closed seats twice",
    "apart": "the le\u0301dger job counted closed seats twice",
    "capitals": "THE LEDGER JOB COUNTED CLOSED SEATS TWICE",
    "soft hyphen": "the led\u00adger job coun\u00adted closed seats twice",
    "spaces": "the\u00a0ledger\u2003job\u3000counted closed seats twice",
    "ligatures": "the ledger job counted closed seats twice".replace("st", "ﬆ"),
}


@pytest.mark.parametrize("spelt", SAME.values(), ids=SAME.keys())
def test_a_copied_note_is_found_however_its_letters_are_disguised(spelt: str) -> None:
    note = Guarded("internal", "it_1", NOTE)
    assert list(leaks([f"Dear customer, {spelt}. Yours"], [note]))


def test_a_copied_note_is_found_where_no_spaces_stand_between_words() -> None:
    note = Guarded("internal", "it_1", "請求処理が三月から席を二重に数えていた。誰にも言わないこと。")
    assert list(leaks(["お客様へ。請求処理が三月から席を二重に数えていたためです。"], [note]))
    assert not list(leaks(["お客様へ。請求を直しました。ご連絡ありがとうございます。"], [note]))
    thai = Guarded("internal", "it_1", "ระบบนับที่นั่งที่ปิดแล้วซ้ำสองครั้งตั้งแต่เดือนมีนาคม")
    assert list(leaks(["เรียนลูกค้า ระบบนับที่นั่งที่ปิดแล้วซ้ำสองครั้ง"], [thai]))


@given(st.text())
def test_what_is_plain_stays_plain(text: str) -> None:
    once = plain(text)
    assert plain(once) == once
    assert not any(unicodedata.category(one) in {"Cf", "Mn"} for one in once)


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs", "S"])))
def test_letters_digits_and_marks_of_every_language_are_readable(text: str) -> None:
    assert unreadable(text) is None


@pytest.mark.parametrize(
    "one", ["\u202e", "\u2066", "\u200b", "\ufeff", "\x07", "\x1b", "\r", "\u2028", "\U000e0041", "\x85"]
)
def test_what_a_reader_does_not_see_is_named(one: str) -> None:
    assert unreadable(f"The invoice{one} is right.") == f"U+{ord(one):04X}"


def test_what_some_languages_and_emoji_need_is_readable() -> None:
    for text in ("می\u200cخواهم", "👩\u200d💻", "שלום\u200f!", "Line one\nline two\tindented", "❤️"):
        assert unreadable(text) is None


GIVEN_AWAY = {
    "an e-mail address": ["write to bob@example.com", "ｂｏｂ＠example.com", "b\u200bob@exa\u200bmple.com"],
    "a link": ["see https://evil.example/x", "see www.evil.example", "HTTPS://EVIL.EXAMPLE"],
    "a telephone number": ["call +49 30 1234567", "0049 (30) 123-4567 89", "＋４９ ３０ １２３４５６７"],
    "a bank account": ["pay to DE89 3704 0044 0532 0130 00", "gb29nwbk60161331926819"],
}


@pytest.mark.parametrize(("kind", "text"), [(k, t) for k, texts in GIVEN_AWAY.items() for t in texts])
def test_addresses_numbers_and_links_are_found(kind: str, text: str) -> None:
    assert contacts_in(text) == [kind]


def test_what_the_policy_names_may_stand_there_and_what_only_looks_like_it_may_not() -> None:
    named = frozenset({"acme.example"})
    assert contacts_in("See https://help.acme.example/seats or help@acme.example.", named) == []
    for text in (
        "https://acme.example.evil.test",
        "https://notacme.example",
        "https://acme.example@evil.test/",
    ):
        assert contacts_in(text, named), text


@pytest.mark.parametrize(
    "text",
    [
        "As of 2026-11-20, order 1234567890 is at £1,250.00 for 3 seats.",
        "Version 10.2.3 and 10.2.4 are both right since 20.11.2026 14:30.",
        "Your reference is AB12 and your meter reads 00451.",
    ],
)
def test_days_amounts_and_numbers_of_orders_are_nobodys_address(text: str) -> None:
    assert contacts_in(text) == []
