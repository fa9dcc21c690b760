"""The nearest of a topic, compared one by one, are those that a plain loop finds."""

from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON

from heardback_router.grouping.comparing import OneTopic
from heardback_router.grouping.domain import Matter
from heardback_router.grouping.neighbourhood import Newcomer, Vector
from heardback_router.grouping.vectors import packed

WINDOW = timedelta(days=14)
EPOCH = NOON.replace(year=2000, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)

whole = st.integers(-3, 3)
places = st.lists(st.tuples(st.tuples(whole, whole, whole), st.integers(-20, 20)), min_size=1, max_size=40)
askers = st.lists(st.tuples(st.tuples(whole, whole, whole), st.integers(-5, 5)), min_size=1, max_size=6)


def vector(values: tuple[int, ...]) -> Vector:
    """Small whole numbers, so that no order of adding changes a sum, and many are equally near."""
    return np.array(values, np.float32)


def asking(number: int, values: tuple[int, ...], days: int) -> Newcomer:
    matter = Matter(f"c-{number}", "product/defect", None)
    at = NOON + timedelta(days=days)
    return Newcomer(f"new_{number}", at, matter, {}, None, "reader@1", vector(values))


@given(places, askers, st.integers(1, 12))
def test_the_nearest_are_those_a_plain_loop_finds(
    stored: list[tuple[tuple[int, int, int], int]],
    asked: list[tuple[tuple[int, int, int], int]],
    most: int,
) -> None:
    ids = [f"fb_{number:02d}" for number in range(len(stored))]
    moments = [NOON + timedelta(days=days, microseconds=1) for _, days in stored]
    times = b"".join(
        ((at - EPOCH) // timedelta(microseconds=1)).to_bytes(8, "big", signed=True) for at in moments
    )
    sent = b"".join(packed(vector(values)) for values, _ in stored)
    topic = OneTopic.sent(ids, [f"it_{one}" for one in ids], times, sent)
    newcomers = [asking(number, *one) for number, one in enumerate(asked)]
    found = topic.nearest(newcomers, WINDOW, most)
    for newcomer, (values, _) in zip(newcomers, asked, strict=True):
        wanted = sorted(
            (-float(np.dot(values, other)), ids[place], moments[place])
            for place, (other, _) in enumerate(stored)
            if abs(moments[place] - newcomer.at) <= WINDOW
        )[:most]
        mine = [one for one in found if one.newcomer is newcomer]
        assert [(-one.similarity, one.feedback_id, one.at) for one in mine] == wanted
        assert all(one.item_id == f"it_{one.feedback_id}" for one in mine)


@given(st.lists(st.floats(-1, 1, width=16), min_size=1, max_size=8))
def test_a_vector_comes_back_as_it_was_sent(values: list[float]) -> None:
    one = OneTopic.sent(["fb"], ["it"], bytes(8), packed(np.array(values, np.float32)))
    assert one.vectors.tolist() == [values]
