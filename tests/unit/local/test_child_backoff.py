"""How long a dead process is left alone."""

from hypothesis import given
from hypothesis import strategies as st

from heardback_local.child import Backoff


def test_pauses_double_from_the_first_to_the_longest() -> None:
    backoff = Backoff(first=0.5, longest=3)
    assert [backoff.pause(deaths) for deaths in (1, 2, 3, 4, 9)] == [0.5, 1, 2, 3, 3]


@given(st.integers(1, 500))
def test_more_deaths_never_shorten_the_pause(deaths: int) -> None:
    backoff = Backoff()
    assert 0 < backoff.pause(deaths) <= backoff.pause(deaths + 1) <= backoff.longest
