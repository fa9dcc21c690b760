"""An event survives the log; what is no event is refused with a reason a person can act on."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON

from heardback_shared.contracts.envelope import Envelope, EnvelopeError, from_record, to_kafka

NAMES = st.text(
    st.characters(categories=("L", "N"), include_characters="-_:/. "), min_size=1, max_size=40
).filter(lambda s: s.strip() == s)


@given(
    id_=NAMES,
    tenant=NAMES,
    key=NAMES,
    data=st.dictionaries(st.text(max_size=5), st.integers(-(2**53), 2**53), max_size=3),
)
def test_an_event_reads_back_as_it_was_written(id_: str, tenant: str, key: str, data: dict[str, int]) -> None:
    event = Envelope(
        id=id_,
        source="/heardback/ingest",
        type="heardback.feedback.accepted.v1",
        data=_bytes(data),
        time=NOON,
        subject="fb_1",
        tenant_id=tenant,
        key=key,
        traceparent="00-a-b-01",
        causation_id="ev_0",
    )
    assert from_record(*to_kafka(event)) == event


def test_structured_mode_is_read_too() -> None:
    body = {
        "specversion": "1.0",
        "id": "1",
        "source": "/x",
        "type": "t.v1",
        "tenantid": "acme",
        "data": {"a": 1},
    }
    event = from_record(b"c-1", [("content-type", b"application/cloudevents+json")], orjson.dumps(body))
    assert (event.id, event.tenant_id, event.key, orjson.loads(event.data)) == ("1", "acme", "c-1", {"a": 1})


@pytest.mark.parametrize(
    ("headers", "value", "said"),
    [
        ([], None, "no value"),
        ([], b"not json", "not a CloudEvents"),
        ([], b"[]", "not a CloudEvents"),
        ([], b'{"id": "1"}', "source"),
        ([("ce_id", b"1"), ("ce_source", b"/x"), ("ce_type", b"t")], b"{}", "specversion"),
        (
            [("ce_specversion", b"0.3"), ("ce_id", b"1"), ("ce_source", b"/x"), ("ce_type", b"t")],
            b"{}",
            "send 1.0",
        ),
        (
            [
                ("ce_specversion", b"1.0"),
                ("ce_id", b"1"),
                ("ce_source", b"/x"),
                ("ce_type", b"t"),
                ("content-type", b"text/xml"),
            ],
            b"<a/>",
            "application/json",
        ),
        ([("ce_id", b"\xff"), ("ce_specversion", b"1.0")], b"{}", "not a CloudEvents"),
    ],
)
def test_what_is_no_event_is_refused_with_the_reason(
    headers: list[tuple[str, bytes]], value: bytes | None, said: str
) -> None:
    with pytest.raises(EnvelopeError, match=said):
        from_record(None, headers, value)


@given(st.binary(max_size=200))
def test_no_bytes_whatever_raise_anything_else(value: bytes) -> None:
    try:
        from_record(None, [], value)
    except EnvelopeError:
        return


def _bytes(data: object) -> bytes:
    return orjson.dumps(data)
