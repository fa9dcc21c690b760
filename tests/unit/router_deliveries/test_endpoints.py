"""Which endpoint takes what, and what counts as its consent."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON

from heardback_router.deliveries.domain import Response
from heardback_router.deliveries.endpoint import (
    FIELDS,
    OPERATIONAL_EVENTS,
    SUBSCRIBABLE,
    Endpoint,
    Group,
    disabled,
    enabled,
    moved,
    proved,
    takes,
)
from heardback_router.deliveries.proof import Proven, Unproven, judge_handshake, judge_ping
from heardback_router.deliveries.schemas import EventType, FieldName
from heardback_shared.contact.domain import Recipient

READY = Endpoint("ep_1", "https://a.example", None, (), True, None, None, NOON, NOON, proven=True)
ANN = Recipient("c-1", "p-1", ("webhook",), tier="key", segment="retail", region="EU")


def test_an_empty_filter_takes_everything_from_everybody() -> None:
    assert all(takes(READY, event, ANN) for event in SUBSCRIBABLE)
    assert all(takes(READY, event, None) for event in SUBSCRIBABLE)


def test_a_filter_takes_only_what_it_names() -> None:
    told = replace(READY, event_types=("loop.told",))
    assert takes(told, "loop.told", ANN)
    assert not takes(told, "loop.planned", ANN)
    assert not takes(told, "endpoint.disabled", None)


@pytest.mark.parametrize(
    ("group", "holds"),
    [
        (Group(), True),
        (Group(tiers=("key", "strategic")), True),
        (Group(tiers=("strategic",)), False),
        (Group(tiers=("key",), regions=("US",)), False),
        (Group(segments=("retail",), regions=("EU", "US")), True),
    ],
)
def test_a_group_holds_whom_every_list_names(group: Group, holds: bool) -> None:
    assert takes(replace(READY, group=group), "loop.told", ANN) is holds


@given(st.sampled_from(["tiers", "segments", "regions"]))
def test_who_is_not_known_is_in_no_group_but_the_tenants_own_news_always_are(name: str) -> None:
    some: Any = {name: ("x",)}
    narrow = replace(READY, group=Group(**some))
    assert not takes(narrow, "loop.told", Recipient("c-1", "p-1", ()))
    assert not takes(narrow, "loop.told", None)
    assert all(takes(narrow, event, None) for event in OPERATIONAL_EVENTS)


def test_nothing_is_queued_for_what_is_disabled_or_unproven() -> None:
    assert not takes(replace(READY, enabled=False), "loop.told", ANN)
    assert not takes(replace(READY, proven=False), "loop.told", ANN)


def test_moving_asks_for_proof_again_and_enabling_does_not_give_it() -> None:
    elsewhere = moved(READY, "https://b.example", NOON)
    assert (elsewhere.proven, elsewhere.held_since) == (False, NOON)
    assert not enabled(elsewhere, NOON).proven
    again = proved(elsewhere, "ping", None, NOON)
    assert (again.proven, again.held_since) == (True, None)
    stopped = disabled(again, "person", "moving house", NOON)
    assert proved(stopped, "ping", None, NOON).held_since == NOON
    assert enabled(stopped, NOON).held_since is None


def test_what_the_interface_takes_is_what_there_is() -> None:
    assert EventType.__args__ == SUBSCRIBABLE  # type: ignore[attr-defined]
    assert FieldName.__args__ == FIELDS  # type: ignore[attr-defined]


HANDSHAKES = [
    (Response(200, allowed_origin="*"), Proven("handshake")),
    (Response(200, allowed_origin="feedback.example.com"), Proven("handshake")),
    (Response(200, allowed_origin=" Feedback.Example.com "), Proven("handshake")),
    (Response(405, allowed_origin="*"), Proven("handshake")),
    (Response(200, allowed_origin="*", allowed_rate="*"), Proven("handshake")),
    (Response(200, allowed_origin="*", allowed_rate="120"), Proven("handshake", 120)),
    (Response(200), "named no WebHook-Allowed-Origin"),
    (Response(200, allowed_origin="evil.example"), "allowed 'evil.example'"),
    (Response(200, allowed_origin="*", allowed_rate="0"), "whole number above 0"),
    (Response(200, allowed_origin="*", allowed_rate="many"), "whole number above 0"),
    (Response(None, "no answer within 15 s"), "no answer"),
]


@pytest.mark.parametrize(("answer", "expected"), HANDSHAKES)
def test_the_answer_to_a_handshake_is_consent_not_its_status(
    answer: Response, expected: Proven | str
) -> None:
    verdict = judge_handshake(answer, "feedback.example.com")
    if isinstance(expected, Proven):
        assert verdict == expected
    else:
        assert isinstance(verdict, Unproven)
        assert expected in verdict.because


PINGS = [
    (Response(200, excerpt="abc"), True),
    (Response(202, excerpt=" abc\n"), True),
    (Response(200, excerpt='{"challenge":"abc"}'), True),
    (Response(200, excerpt='{"challenge":["abc"]}'), False),
    (Response(200, excerpt='{"echo":"abc"}'), False),
    (Response(200, excerpt="abcd"), False),
    (Response(200, excerpt="ok"), False),
    (Response(200, excerpt="{"), False),
    (Response(200, excerpt="Grüße"), False),
    (Response(404, excerpt="abc"), False),
    (Response(302, excerpt="abc"), False),
    (Response(None, "refused: 10.0.0.7 is not a public address (private)"), False),
]


@pytest.mark.parametrize(("answer", "proven"), PINGS)
def test_a_ping_is_answered_by_its_challenge_and_2xx(answer: Response, proven: bool) -> None:
    verdict = judge_ping(answer, "abc")
    assert isinstance(verdict, Proven if proven else Unproven)
