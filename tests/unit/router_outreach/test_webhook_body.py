"""What a webhook is told: no text and nothing about the customer unless asked for, and never too large."""

from datetime import UTC, date, datetime
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from heardback_router.deliveries.endpoint import FIELDS
from heardback_router.messages.domain import ChangeFacts, MessageFacts, MessageLinks, Rendered
from heardback_router.outreach.domain import Draft
from heardback_router.outreach.payload import MAX_BYTES, Origin, Outgoing, Part, webhook_body
from heardback_router.wording import CustomerText

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
SECRET = "what we changed for you"


def part(number: int = 1, text: str = SECRET, loops: int = 1, origins: int = 1) -> Part:
    facts = MessageFacts(
        changes=(ChangeFacts("done", CustomerText(SECRET), date(2026, 11, 21), f"ch_{number}"),)
    )
    ids = tuple(f"lp_{number}_{n}_{'x' * 20}" for n in range(loops))
    draft = Draft(f"me_{number}", "c-1", "told", facts, item_ids=ids, loop_ids=ids)
    links = MessageLinks("https://f.example/" + "p" * 120, confirm="https://f.example/" + "c" * 120)
    rendered = Rendered(CustomerText(SECRET), CustomerText(text), "en", "default@1#told/standard/en")
    named = tuple(Origin(f"fb_{n}", "typeform", f"r-{n}") for n in range(origins))
    return Part(draft, rendered, links, named)


def body(parts: list[Part], fields: frozenset[str]) -> dict[str, Any]:
    given = Outgoing("out_1", "c-1", "sms", tuple(parts), "https://f.example/d", AT)
    raw = webhook_body(given, fields)
    assert len(raw) < MAX_BYTES
    return dict(orjson.loads(raw))


def test_by_itself_it_is_thin() -> None:
    raw = orjson.dumps(body([part()], frozenset())).decode()
    assert SECRET not in raw
    assert "r-0" not in raw
    assert '"details_url":"https://f.example/d"' in raw


def test_each_field_brings_its_own_and_nothing_else() -> None:
    shown = {"message": SECRET, "feedback": "r-0", "changes": "ch_1"}
    assert set(shown) == set(FIELDS)
    for field, what in shown.items():
        data = body([part()], frozenset({field}))["data"]
        assert what in orjson.dumps(data).decode(), field
        others = set(FIELDS) - {field}
        assert not others & data.keys(), field


@given(
    st.integers(1, 20),
    st.integers(0, 2_000),
    st.integers(1, 300),
    st.integers(0, 300),
    st.frozensets(st.sampled_from(sorted(FIELDS))),
)
def test_it_is_never_too_large_and_says_what_was_left_out(
    parts: int, text: int, loops: int, origins: int, fields: frozenset[str]
) -> None:
    given_parts = [part(n, "ü" * max(text, 1), loops, origins) for n in range(parts)]
    got = body(given_parts, fields)
    data = got["data"]
    assert got["type"] == ("loop.told" if parts == 1 else "loop.digest")
    left_out = set(data.get("left_out", []))
    assert left_out <= fields
    told = data["steps"][0] if parts > 1 else data
    for field in fields - left_out:
        assert field in told
    assert data["details_url"]
