"""What leaves the house: thin, small, and no word that was meant for colleagues."""

from datetime import timedelta

import orjson
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON

from heardback_router.loops.domain import LoopPlan
from heardback_router.loops.payload import MAX_BYTES, Origin, links, loop_told
from heardback_router.wording import CUSTOMER_TEXT_LIMIT, CustomerText

TO = links("https://feedback.example.com/", "token.mac", NOON + timedelta(days=30))
PLAN = LoopPlan("lp_1", "c-1", "email", ("fb_1",), "pending", None)


def test_the_whole_payload() -> None:
    body = loop_told(
        PLAN, "it_1", CustomerText("We fixed it."), [Origin("fb_1", "typeform", "r-1")], TO, NOON
    )
    assert orjson.loads(body) == {
        "type": "loop.told",
        "timestamp": "2026-11-22T12:00:00Z",
        "data": {
            "loop_id": "lp_1",
            "item_id": "it_1",
            "customer_id": "c-1",
            "channel": "email",
            "feedback": [{"id": "fb_1", "source": "typeform", "external_id": "r-1"}],
            "feedback_count": 1,
            "message": "We fixed it.",
            "view_url": "https://feedback.example.com/v1/loops/token.mac",
            "confirm_url": "https://feedback.example.com/v1/loops/token.mac:confirm",
            "dispute_url": "https://feedback.example.com/v1/loops/token.mac:dispute",
            "expires_at": "2026-12-22T12:00:00Z",
        },
    }


@given(
    st.text(min_size=1, max_size=CUSTOMER_TEXT_LIMIT).filter(str.strip).filter(str.isprintable),
    st.integers(0, 300),
)
def test_it_stays_under_20_kb_and_says_how_many_there_are(text: str, count: int) -> None:
    origins = [Origin(f"fb_{n}", "s" * 64, "é" * 200) for n in range(count)]
    body = loop_told(PLAN, "it_1", CustomerText(text), origins, TO, NOON)
    data = orjson.loads(body)["data"]
    assert len(body) < MAX_BYTES
    assert data["feedback_count"] == count
    assert data["message"] == text


def test_the_longest_text_of_the_widest_characters_fits() -> None:
    for wide in ("😀", "\x01"):
        body = loop_told(PLAN, "it_1", CustomerText("a" + wide * (CUSTOMER_TEXT_LIMIT - 1)), [], TO, NOON)
        assert len(body) < MAX_BYTES


def test_the_same_loop_is_always_the_same_bytes() -> None:
    made = {
        loop_told(PLAN, "it_1", CustomerText("We fixed it."), [Origin("fb_1", "a", "b")], TO, NOON)
        for _ in range(3)
    }
    assert len(made) == 1
