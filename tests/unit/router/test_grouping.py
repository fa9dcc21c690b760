"""The same customer, the same matter, lately: one item. Anything else: its own."""

from datetime import timedelta
from typing import Any

import pytest
from tests.support.clock import NOON
from tests.support.scored import scored

from heardback_router.backlog.domain import Item, Weight
from heardback_router.backlog.titles import LIMIT, title_of, words_of
from heardback_router.configuration.source import load_policies
from heardback_router.grouping.domain import Alone, Join, Matter, entity_of, group
from heardback_shared.contracts.feedback import FeedbackContent, Metric, Turn

POLICY = load_policies().grouping


def item(matter: Matter, **changes: Any) -> Item:
    fields: dict[str, Any] = {
        "id": "it_1",
        "title": "t",
        "team": "operations",
        "assignee": None,
        "state": "open",
        "weight": Weight(50, "P2"),
        "domain": None,
        "category": None,
        "key": matter.key,
        "entity": matter.entity,
        "feedback_count": 1,
        "customers": (),
        "opened_at": NOON,
        "last_feedback_at": NOON,
        "updated_at": NOON,
        "version": 1,
    }
    return Item(**{**fields, **changes})


BILLING = Matter("c-1", "operations/billing", None)


@pytest.mark.parametrize(
    ("stored", "arriving", "joins"),
    [
        (BILLING, BILLING, True),
        (BILLING, Matter("c-2", "operations/billing", None), False),
        (BILLING, Matter("c-1", "product/defect", None), False),
        (BILLING, Matter("c-1", "operations/billing", "order=A-1"), True),
        (
            Matter("c-1", "operations/billing", "order=A-1"),
            Matter("c-1", "operations/billing", "order=A-1"),
            True,
        ),
        (
            Matter("c-1", "operations/billing", "order=A-1"),
            Matter("c-1", "operations/billing", "order=A-2"),
            False,
        ),
        (Matter("c-1", None, None), Matter("c-1", None, None), False),
        (Matter("c-1", None, "order=A-1"), Matter("c-1", None, "order=A-1"), True),
        (Matter("c-1", None, "order=A-1"), Matter("c-1", None, None), False),
        (Matter(None, "operations/billing", None), Matter(None, "operations/billing", None), False),
    ],
)
def test_who_shares_an_item(stored: Matter, arriving: Matter, joins: bool) -> None:
    answer = group(arriving, NOON, [item(stored)], POLICY)
    assert isinstance(answer, Join if joins else Alone)
    assert answer.because


@pytest.mark.parametrize("state", ["resolved", "closed"])
def test_a_resolved_item_takes_nothing_more(state: str) -> None:
    assert isinstance(group(BILLING, NOON, [item(BILLING, state=state)], POLICY), Alone)


def test_the_window_counts_from_the_last_feedback() -> None:
    late = NOON + timedelta(days=14)
    assert isinstance(group(BILLING, late, [item(BILLING)], POLICY), Join)
    assert isinstance(group(BILLING, late + timedelta(seconds=1), [item(BILLING)], POLICY), Alone)
    heard_since = item(BILLING, last_feedback_at=NOON + timedelta(days=3))
    assert isinstance(group(BILLING, late + timedelta(days=3), [heard_since], POLICY), Join)


def test_of_several_items_the_one_that_heard_last_is_joined() -> None:
    items = [
        item(BILLING, id="it_a", last_feedback_at=NOON - timedelta(days=1)),
        item(BILLING, id="it_b"),
        item(BILLING, id="it_c", last_feedback_at=NOON - timedelta(days=2)),
    ]
    answer = group(BILLING, NOON, items, POLICY)
    assert isinstance(answer, Join)
    assert answer.item_id == "it_b"


def test_the_reason_names_what_both_name() -> None:
    matter = Matter("c-1", "operations/billing", "order=A-1")
    answer = group(matter, NOON, [item(matter)], POLICY)
    assert answer.because == (
        "same customer, about operations/billing, both naming order=A-1, within 14 days, "
        "and the item is not resolved"
    )


def test_the_first_filled_entity_field_counts() -> None:
    assert entity_of({"invoice": 7, "order": ""}, POLICY) == "invoice=7"
    assert entity_of({"region": "EU"}, POLICY) is None


def content(**fields: Any) -> FeedbackContent:
    return FeedbackContent(**{"kind": "survey", "source": "s", "external_id": "e", "revision": 1, **fields})


def test_a_title_is_what_the_customer_said_first_that_says_something() -> None:
    turns = (
        Turn(role="agent", text="Hello, how can I help you today?"),
        Turn(role="customer", text="Hi there"),
        Turn(role="customer", text="My  parcel\nnever arrived."),
    )
    talk = content(kind="transcript", turns=turns)
    assert title_of(talk) == "My parcel never arrived."
    assert words_of(talk) == "Hi there\nMy  parcel\nnever arrived."
    assert title_of(content(comment="Bad.")) == "Bad."
    long = title_of(content(comment="word " * 60))
    assert len(long) <= LIMIT
    assert long.endswith("word…")
    assert len(title_of(content(comment="x" * 500))) <= LIMIT


def test_a_feedback_without_words_still_has_a_title() -> None:
    metric = Metric(kind="nps", value=2, min=0, max=10, direction="higher_is_better")
    assert (
        title_of(content(metric=metric, touchpoint="delivery"))
        == "NPS 2 on 0 to 10 at delivery, without words"
    )
    assert title_of(content(kind="transcript")) == "Transcript without words"
    assert title_of(scored().accepted.content)
