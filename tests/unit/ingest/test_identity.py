"""Merges, splits and their undoing: a fold in which the undone never was."""

from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON

from heardback_ingest.domain.identity import (
    Change,
    IdentityEvent,
    can_undo,
    changes,
    followed,
    groups,
    live,
    persons,
)

IDS = ("a", "b", "c", "d", "e")


def merge(sequence: int, customer: str, into: str) -> IdentityEvent:
    return IdentityEvent(sequence, f"e{sequence}", "merge", customer, into, None, "ann", "same", NOON)


def split(sequence: int, customer: str) -> IdentityEvent:
    return IdentityEvent(sequence, f"e{sequence}", "split", customer, None, None, "ann", "other", NOON)


def undo(sequence: int, event: str) -> IdentityEvent:
    return IdentityEvent(sequence, f"e{sequence}", "undo", None, None, event, "ann", "oops", NOON)


def test_the_person_is_whom_others_were_merged_into() -> None:
    events = [merge(1, "a", "b"), merge(2, "c", "a")]
    assert persons(events) == {"a": "b", "b": "b", "c": "b"}
    assert persons([*events, split(3, "b")]) == {"a": "a", "c": "a"}
    assert persons([*events, split(3, "a")]) == {"b": "b", "c": "b"}
    assert persons([*events, undo(3, "e1")]) == {"a": "a", "c": "a"}


def test_an_undo_can_be_undone_and_nothing_twice() -> None:
    events = [merge(1, "a", "b"), undo(2, "e1")]
    assert persons(events) == {}
    assert not can_undo(events, "e1")
    assert can_undo(events, "e2")
    assert not can_undo(events, "e9")
    assert persons([*events, undo(3, "e2")]) == {"a": "b", "b": "b"}
    assert can_undo([*events, undo(3, "e2")], "e1")


def test_changes_name_everybody_concerned() -> None:
    before = persons([merge(1, "a", "b")])
    after = persons([merge(1, "a", "b"), merge(2, "b", "c")])
    assert [(x.customer_id, x.person_id, x.members) for x in changes(before, after)] == [
        ("a", "c", ("a", "b", "c")),
        ("b", "c", ("a", "b", "c")),
        ("c", "c", ("a", "b", "c")),
    ]
    assert [x.members for x in changes(after, {})] == [("a",), ("b",), ("c",)]


@st.composite
def logs(draw: st.DrawFn) -> list[IdentityEvent]:
    events: list[IdentityEvent] = []
    for sequence in range(1, draw(st.integers(1, 12)) + 1):
        undoable = [e.id for e in events if can_undo(events, e.id)]
        kind = draw(st.sampled_from(["merge", "merge", "split", "undo"] if undoable else ["merge", "split"]))
        if kind == "undo":
            events.append(undo(sequence, draw(st.sampled_from(undoable))))
        elif kind == "merge":
            events.append(merge(sequence, draw(st.sampled_from(IDS)), draw(st.sampled_from(IDS))))
        else:
            events.append(split(sequence, draw(st.sampled_from(IDS))))
    return events


@given(logs())
def test_any_log_is_the_fold_without_what_was_undone(events: list[IdentityEvent]) -> None:
    undone: set[str] = set()
    for event in reversed(events):
        if event.kind == "undo" and event.id not in undone:
            assert event.undoes is not None
            undone.add(event.undoes)
    never = [e for e in events if e.id not in undone and e.kind != "undo"]
    assert persons(events) == persons(never)
    assert live(events) == never


@given(logs())
def test_undoing_the_last_event_restores_exactly(events: list[IdentityEvent]) -> None:
    again = [*events, undo(len(events) + 1, events[-1].id)]
    assert persons(again) == persons(events[:-1])


@given(logs())
def test_persons_are_groups_named_after_one_of_them(events: list[IdentityEvent]) -> None:
    person = persons(events)
    for name, members in groups(person).items():
        assert name in members
        assert len(members) > 1


@given(logs())
def test_a_merge_or_split_is_told_from_those_it_names_alone(events: list[IdentityEvent]) -> None:
    *earlier, last = events
    if last.kind == "undo":
        return
    before = persons(earlier)
    groups_before = groups(before)
    named = {i for i in (last.customer_id, last.into_id) if i in before}
    known = [Change(i, before[i], groups_before[before[i]]) for i in named if i is not None]
    assert followed(known, last) == changes(before, persons(events))
