"""A cursor continues exactly its own question."""

import base64

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clock import NOON

from heardback_router.backlog.listing import CursorError, Filters, Place, read, spell

FILTERS = Filters(team="operations", state=("open", "resolved"), q="late")
PLACE = Place(61.5, NOON, "it_1")


@settings(deadline=None)
@given(st.floats(0, 100), st.datetimes(timezones=st.just(NOON.tzinfo)), st.from_regex(r"\Ait_[a-z2-7]{26}\Z"))
def test_a_cursor_gives_its_place_back_exactly(severity: float, opened_at: object, item_id: str) -> None:
    place = Place(severity, opened_at, item_id)  # type: ignore[arg-type]
    assert read(spell(place, FILTERS), FILTERS) == place


def test_the_order_of_values_in_a_filter_does_not_matter() -> None:
    assert (
        read(spell(PLACE, FILTERS), Filters(team="operations", state=("resolved", "open"), q="late")) == PLACE
    )


@pytest.mark.parametrize(
    "other", [Filters(), Filters(team="product", state=("open", "resolved"), q="late"), Filters(q="late")]
)
def test_other_filters_refuse_it(other: Filters) -> None:
    with pytest.raises(CursorError, match="other filters"):
        read(spell(PLACE, FILTERS), other)


def spelled(value: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "ü",
        "====",
        "a" * 2_000,
        spell(PLACE, FILTERS)[:-3],
        spelled({}),
        spelled([FILTERS.fingerprint, 1.0, "2026-11-22T12:00:00", "it_1"]),
        spelled([FILTERS.fingerprint, "x", NOON.isoformat(), "it_1"]),
        spelled([FILTERS.fingerprint, 1.0, NOON.isoformat(), "it\x00"]),
        spelled([FILTERS.fingerprint, 1.0, 5, "it_1"]),
    ],
)
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(CursorError, match="is not a cursor"):
        read(cursor, FILTERS)
