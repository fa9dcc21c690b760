"""Identifiers, sealed secrets, API keys and rate limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heardback_shared.access.keys import Principal, matches, new_secret, parse, spell
from heardback_shared.errors import ProblemError
from heardback_shared.http import rate_limit
from heardback_shared.http.rate_limit import RateLimiter
from heardback_shared.ids import derived_id, new_id, new_traceparent, trace_id
from heardback_shared.keyring import Keyring, SealBrokenError

KEYRING = Keyring(b"k" * 32)
PARTS = st.lists(st.text(max_size=8), min_size=2, max_size=4)


@given(PARTS)
def test_derived_ids_are_stable_and_safe_in_urls(parts: list[str]) -> None:
    made = derived_id("fb", *parts)
    assert made == derived_id("fb", *parts)
    assert made.startswith("fb_")
    assert made.removeprefix("fb_").isalnum()
    assert len(made) == 29


@given(PARTS, PARTS)
def test_other_parts_give_other_ids(one: list[str], other: list[str]) -> None:
    assert (derived_id("fb", *one) == derived_id("fb", *other)) == (
        one == other or _joined(one) == _joined(other)
    )
    assert derived_id("fb", *one) != derived_id("it", *one)


def _joined(parts: list[str]) -> str:
    return "\x1f".join(parts)


def test_random_ids_differ_and_traces_are_well_formed() -> None:
    assert new_id("it") != new_id("it")
    assert len(trace_id(new_traceparent()) or "") == 32
    assert trace_id("nonsense") is None


@given(st.binary(max_size=200), st.text(max_size=20))
def test_sealed_data_opens_only_with_the_same_key_purpose_and_place(plain: bytes, place: str) -> None:
    sealed = KEYRING.seal("a", plain, place)
    assert KEYRING.open("a", sealed, place) == plain
    for keyring, purpose, where in (
        (KEYRING, "b", place),
        (KEYRING, "a", place + "x"),
        (Keyring(b"l" * 32), "a", place),
    ):
        with pytest.raises(SealBrokenError):
            keyring.open(purpose, sealed, where)
    with pytest.raises(SealBrokenError):
        KEYRING.open("a", sealed[:-1] + bytes([sealed[-1] ^ 1]), place)


def test_a_key_is_told_by_its_secret_alone() -> None:
    key_id, secret = new_secret()
    assert parse(spell(key_id, secret)) == (key_id, secret)
    assert matches(KEYRING, secret, KEYRING.digest("api-keys", secret))
    assert not matches(KEYRING, "other", KEYRING.digest("api-keys", secret))


@pytest.mark.parametrize("token", ["", "hb_", "hb_a", "hb__b", "xx_a_b", "hb_a_b_c"])
def test_a_malformed_key_is_no_key(token: str) -> None:
    assert parse(token) is None


def test_admin_includes_every_scope() -> None:
    assert Principal("t", "k", "n", frozenset({"admin"})).may("items:write")
    assert not Principal("t", "k", "n", frozenset({"items:read"})).may("items:write")


def test_the_limit_holds_per_key_and_refills_with_time() -> None:
    now = 0.0
    limiter = RateLimiter(60, lambda: now)
    for _ in range(60):
        limiter.spend("a")
    with pytest.raises(ProblemError) as refused:
        limiter.spend("a")
    assert refused.value.status == 429
    assert refused.value.headers["Retry-After"] == "1"
    limiter.spend("b")
    now = 1.0
    limiter.spend("a")


def test_no_limit_means_none() -> None:
    limiter = RateLimiter(0)
    for _ in range(10_000):
        limiter.spend("a")


def test_a_limiter_forgets_those_who_have_rested_and_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "MOST_KEYS", 3)
    now = 0.0
    limiter = RateLimiter(1, lambda: now, who="The holder of this link")
    for key in ("a", "b", "c"):
        limiter.spend(key)
    now = 30.0
    limiter.spend("d")
    now = 61.0
    limiter.spend("e")
    assert sorted(limiter._buckets) == ["d", "e"]
    with pytest.raises(ProblemError, match="The holder of this link may send 1 requests a minute"):
        limiter.spend("d")
