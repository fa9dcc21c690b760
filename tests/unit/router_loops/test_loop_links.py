"""A link opens one loop until it expires; nothing can be changed in it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON

from heardback_router.loops.links import (
    ExpiredError,
    LinkClaim,
    TamperedError,
    given_out_by,
    read_link,
    sign_link,
)

KEY = b"k" * 32
CLAIM = LinkClaim("default", "lp_1", NOON + timedelta(days=30))
TOKEN = sign_link(KEY, CLAIM)


def test_a_link_says_what_was_put_into_it() -> None:
    assert read_link(KEY, TOKEN, NOON) == CLAIM
    assert sign_link(KEY, CLAIM) == TOKEN


def test_it_expires_at_its_moment() -> None:
    assert read_link(KEY, TOKEN, CLAIM.expires_at - timedelta(seconds=1)) == CLAIM
    with pytest.raises(ExpiredError):
        read_link(KEY, TOKEN, CLAIM.expires_at)


@given(st.integers(0, len(TOKEN) - 1), st.characters(min_codepoint=33, max_codepoint=126))
def test_no_character_can_be_changed(position: int, character: str) -> None:
    changed = TOKEN[:position] + character + TOKEN[position + 1 :]
    if changed != TOKEN:
        with pytest.raises(TamperedError):
            read_link(KEY, changed, NOON)


@given(st.text(max_size=200))
def test_anything_else_is_refused_quietly(text: str) -> None:
    with pytest.raises(TamperedError):
        read_link(KEY, text, NOON)


@pytest.mark.parametrize(
    "token", [TOKEN + "=", TOKEN[:-1], "." + TOKEN, TOKEN + "." + TOKEN, "a" * 5_000, "."]
)
def test_other_spellings_are_other_tokens(token: str) -> None:
    with pytest.raises(TamperedError):
        read_link(KEY, token, NOON)


def test_another_key_does_not_fit() -> None:
    with pytest.raises(TamperedError):
        read_link(b"x" * 32, TOKEN, NOON)


def test_a_signed_claim_of_another_shape_is_refused() -> None:
    from heardback_router.loops import links

    body = links._encode(b'{"tenant":"default"}')
    token = f"{body}.{links._encode(links._mac(KEY, body))}"
    with pytest.raises(TamperedError):
        read_link(KEY, token, NOON)


@given(st.integers(1, 40), st.integers(-50, 50))
def test_a_link_is_from_before_an_erasure_by_the_time_it_is_still_good(days: int, hours: int) -> None:
    given_out = NOON + timedelta(hours=hours)
    lasts = timedelta(days=days)
    assert given_out_by(given_out + lasts, lasts, NOON) == (hours <= 0)
    assert not given_out_by(given_out + lasts, lasts, None)
