"""Which of several tellings counts, as a truth table; and what undoes a withdrawal."""

from datetime import timedelta
from itertools import permutations, product
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON

from heardback_shared.contact.domain import Card, Channel, Provenance, Purpose
from heardback_shared.contact.wishes import (
    Consent,
    Scope,
    Telling,
    Told,
    in_force,
    permitted,
    recipient,
    refused_items,
)

OLD, NEW = NOON - timedelta(days=400), NOON


def said(value: str, provenance: Provenance, new: bool) -> Telling:
    return Telling("digest", value, provenance, f"of {value}", NEW if new else OLD)


@pytest.mark.parametrize(
    ("first", "second", "wins"),
    [
        # (provenance, newer than the other?) of each, and which one counts
        (("stated", False), ("observed", True), 1),
        (("stated", False), ("inferred", True), 1),
        (("observed", False), ("inferred", True), 1),
        (("stated", True), ("observed", False), 1),
        (("stated", True), ("inferred", False), 1),
        (("observed", True), ("inferred", False), 1),
        (("stated", True), ("stated", False), 1),
        (("observed", True), ("observed", False), 1),
        (("inferred", True), ("inferred", False), 1),
        (("observed", True), ("stated", False), 2),
        (("inferred", True), ("stated", False), 2),
        (("inferred", True), ("observed", False), 2),
    ],
)
def test_explicit_beats_inferred_and_newer_beats_older(
    first: tuple[Provenance, bool], second: tuple[Provenance, bool], wins: int
) -> None:
    one, two = said("daily", *first), said("weekly", *second)
    for order in ((one, two), (two, one)):
        assert in_force(order)["digest"] is (one if wins == 1 else two)


def test_the_order_in_which_tellings_come_does_not_matter() -> None:
    told = [said(f"{p}-{new}", p, new) for p, new in product(get_args(Provenance), (False, True))]
    told.append(Telling("digest", "same instant", "stated", "another", NEW))
    assert len({in_force(order)["digest"].value for order in permutations(told)}) == 1


consents = st.builds(
    Consent,
    id=st.just("cs"),
    scope=st.sampled_from(get_args(Scope)),
    given=st.booleans(),
    provenance=st.sampled_from(get_args(Provenance)),
    source=st.just("page"),
    at=st.integers(0, 6).map(lambda h: NOON + timedelta(hours=h)),
    proved=st.booleans(),
)
ledgers = st.lists(consents, max_size=6)
purposes = st.sampled_from(get_args(Purpose))


def line(scope: Scope, given: bool, hour: int = 0, **more: Any) -> Consent:
    known: dict[str, Any] = {"provenance": "stated", "proved": given, **more}
    return Consent("cs", scope, given, source="page", at=NOON + timedelta(hours=hour), **known)


@given(ledgers, purposes)
def test_a_withdrawal_is_never_undone_but_by_a_later_stated_and_proved_consent(
    ledger: list[Consent], purpose: Purpose
) -> None:
    withdrawn = [c for c in ledger if not c.given and c.scope in (purpose, "everything")]
    if not withdrawn:
        return
    last = max(c.at for c in withdrawn)
    undone = [
        c
        for c in ledger
        if c.given and c.scope == purpose and c.at > last and c.proved and c.provenance == "stated"
    ]
    assert permitted(ledger, purpose) == bool(undone)


@given(ledgers, purposes)
def test_the_ledger_may_come_in_any_order(ledger: list[Consent], purpose: Purpose) -> None:
    assert permitted(ledger, purpose) == permitted(list(reversed(ledger)), purpose)


@given(ledgers, purposes, consents)
def test_no_refusal_is_lifted_by_one_more_line_that_does_not_lift_it(
    ledger: list[Consent], purpose: Purpose, more: Consent
) -> None:
    if not permitted(ledger, purpose) and not (
        more.given and more.scope == purpose and more.proved and more.provenance == "stated"
    ):
        assert not permitted([*ledger, more], purpose)


def test_answers_to_feedback_are_allowed_and_profiling_is_off_until_agreed_to() -> None:
    assert {p: permitted([], p) for p in get_args(Purpose)} == {
        "case_updates": True,
        "surveys": True,
        "profiling": False,
    }
    assert permitted([line("profiling", True)], "profiling")
    assert not permitted([line("profiling", True, provenance="inferred")], "profiling")
    assert not permitted([line("profiling", True, proved=False)], "profiling")
    assert not permitted([line("everything", True)], "profiling")


def test_who_left_everything_comes_back_purpose_by_purpose() -> None:
    ledger = [line("everything", False), line("surveys", True, 1)]
    assert {p: permitted(ledger, p) for p in get_args(Purpose)} == {
        "case_updates": False,
        "surveys": True,
        "profiling": False,
    }


def test_one_matter_can_be_left_and_the_others_heard_of() -> None:
    ledger = [line("case_updates", False, item_id="it-1"), line("case_updates", True, 1)]
    assert refused_items(ledger) == {"it-1"}
    assert permitted(ledger, "case_updates")
    assert refused_items([*ledger, line("case_updates", True, 1, item_id="it-1")]) == frozenset()


def reached(*tellings: Telling, **addresses: Provenance) -> tuple[Channel, ...]:
    known: dict[Channel, Provenance] = {"email": addresses["email"]} if "email" in addresses else {}
    return recipient(Told("c-1", tellings=tellings, addresses=known), NOON).channels


def wanted(provenance: Provenance, *channels: Channel) -> Telling:
    return Telling("channels", list(channels), provenance, "page", NOON)


def test_channels_are_those_wanted_and_usable_in_the_order_wanted() -> None:
    assert reached() == ("webhook",)
    assert reached(email="observed") == ("webhook", "email")
    assert reached(email="inferred") == ("webhook",)
    assert reached(wanted("stated", "email", "in_app"), email="stated") == ("email", "in_app")
    assert reached(wanted("stated", "email")) == ()
    assert reached(wanted("stated", "sms", "in_app")) == ("in_app",)
    # What somebody seems to like is no reason to use a channel that nobody asked for.
    assert reached(wanted("inferred", "in_app")) == ("webhook",)


def test_what_is_only_guessed_is_marked() -> None:
    card = Card("c-1", "p-1", NOON, language="de", tier="key", region="EU", provenance={"tier": "stated"})
    told = Told("c-1", card, [Telling("digest", "daily", "inferred", "model", NOON)])
    assert recipient(told, NOON).inferred == {"language", "region", "digest"}
