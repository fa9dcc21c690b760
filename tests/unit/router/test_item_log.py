"""An item is the fold of its log; people may do only what its state allows."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clock import NOON

from heardback_router.backlog.commands import (
    LEGAL,
    Claim,
    Close,
    Command,
    Comment,
    IllegalCommandError,
    Reassign,
    Reopen,
    Resolve,
    Start,
    decide,
)
from heardback_router.backlog.domain import Item, ItemEvent, Weight, heaviest
from heardback_router.backlog.fold import BrokenLogError, apply, fold
from heardback_router.configuration.source import load_policies
from heardback_router.wording import CustomerText, InternalText

WHY = InternalText("because")
WEIGHING = load_policies().weighing
OPENED = ItemEvent(
    "it_1",
    1,
    "opened",
    "router",
    NOON,
    "operations owns it",
    {
        "feedback_id": "fb_1",
        "customer_id": "c-1",
        "opened_at": NOON.isoformat(),
        "severity": 60.0,
        "band": "P2",
        "entity": None,
        "title": "The invoice is wrong",
        "team": "operations",
        "domain": "operations",
        "category": "billing",
        "key": "k",
    },
)
commands = st.one_of(
    st.builds(Claim, st.sampled_from(["ana", "ben"])),
    st.just(Start()),
    st.just(Comment(InternalText("hm"))),
    st.just(Resolve(WHY, WHY, CustomerText("It works again."))),
    st.just(Resolve(WHY, WHY, WHY)),
    st.just(Reopen(WHY)),
    st.builds(Reassign, st.sampled_from(["operations", "product"]), st.just(WHY)),
    st.just(Close(WHY)),
)


@settings(deadline=None)
@given(st.lists(commands, max_size=30))
def test_the_kept_item_is_the_fold_of_its_log_whatever_people_try(tried: list[Command]) -> None:
    log, item, at = [OPENED], fold([OPENED]), NOON
    for command in tried:
        at += timedelta(minutes=1)
        try:
            event = decide(item, command, "ana", at, WEIGHING)
        except IllegalCommandError:
            continue
        assert item.state in LEGAL[event.kind]
        log.append(event)
        item = apply(item, event)
        assert item == fold(log)
        assert item.team
        assert item.version == len(log)
        assert (item.resolution is not None) == (item.state in {"resolved", "closed"})
        assert item.touched


def do(*tried: Command) -> Item:
    item = fold([OPENED])
    for command in tried:
        item = apply(item, decide(item, command, "ana", NOON, WEIGHING))
    return item


def test_claiming_never_changes_the_team_and_reassigning_clears_the_person() -> None:
    claimed = do(Claim("ben"), Start())
    assert (claimed.team, claimed.assignee, claimed.state) == ("operations", "ben", "in_progress")
    moved = apply(claimed, decide(claimed, Reassign("product", WHY), "ana", NOON, WEIGHING))
    assert (moved.team, moved.assignee, moved.state) == ("product", None, "open")


def test_each_resolution_has_its_own_number() -> None:
    told, quiet = Resolve(WHY, WHY, CustomerText("Done.")), Resolve(WHY, WHY, InternalText("a test"))
    item = do(told, Reopen(WHY), quiet)
    assert item.resolution is not None
    assert (item.resolutions, item.resolution.number) == (2, 2)
    assert (item.resolution.tell_customer, item.resolution.not_telling_because) == (None, "a test")
    reopened = do(told, Reopen(WHY))
    assert (reopened.state, reopened.resolution, reopened.resolutions) == ("open", None, 1)


@pytest.mark.parametrize(
    ("done", "tried", "says"),
    [
        ((), Close(WHY), "can be closed only while it is resolved"),
        ((), Reopen(WHY), "only while it is resolved or closed"),
        ((Start(),), Start(), "The item is in progress"),
        ((Resolve(WHY, WHY, WHY),), Claim("ben"), "only while it is open or in progress"),
        ((), Reassign("operations", WHY), "belongs to operations already"),
    ],
)
def test_what_the_state_does_not_allow_is_refused_in_words(
    done: tuple[Command, ...], tried: Command, says: str
) -> None:
    with pytest.raises(IllegalCommandError, match=says):
        do(*done, tried)


def test_a_log_with_a_gap_or_without_a_beginning_is_no_item() -> None:
    started = ItemEvent("it_1", 2, "started", "ana", NOON, None, {})
    for log in ([], [started], [OPENED, OPENED], [OPENED, replace(started, sequence=3)]):
        with pytest.raises(BrokenLogError):
            fold(log)


def test_an_item_weighs_as_much_as_its_heaviest_feedback() -> None:
    weights = [Weight(10, "P4"), Weight(70, "P2"), Weight(70, "P1"), Weight(30, "P3")]
    assert heaviest(weights) == Weight(70, "P1")


@pytest.mark.parametrize("kind", [CustomerText, InternalText])
def test_texts_say_something_within_their_limit(kind: type[CustomerText] | type[InternalText]) -> None:
    assert kind("a").text == "a"
    for text in (" \n", "x" * 20_001):
        with pytest.raises(ValueError, match="must"):
            kind(text)
