"""What is joined by which rule, by words, or by what a person said; and why the rest opens its own."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import numpy as np
import orjson
import pytest
from tests.support.clock import NOON
from tests.support.scored import scored

from heardback_router.backlog.domain import Item, Weight
from heardback_router.backlog.titles import LIMIT, title_of, words_of
from heardback_router.configuration.source import load_policies
from heardback_router.grouping.deciding import Alone, Evidence, Hit, Join, Seen, Told, again, group
from heardback_router.grouping.domain import GroupingPolicy, Matter, context_of, entity_of
from heardback_router.grouping.neighbourhood import Neighbourhood, Newcomer, Vector, newcomer_of
from heardback_shared.contracts.feedback import FeedbackContent, Metric, Turn

POLICY = load_policies().grouping


def item(**changes: Any) -> Item:
    fields: dict[str, Any] = {
        "id": "it_1",
        "title": "t",
        "team": "operations",
        "assignee": None,
        "state": "open",
        "weight": Weight(50, "P2"),
        "domain": None,
        "category": None,
        "key": None,
        "entity": None,
        "feedback_count": 1,
        "customers": (),
        "opened_at": NOON,
        "last_feedback_at": NOON,
        "updated_at": NOON,
        "version": 1,
    }
    return Item(**{**fields, **changes})


def matter(customer: str | None = "c-1", cause: str | None = "operations/billing", **context: str) -> Matter:
    return Matter(
        customer,
        cause,
        entity_of(context, POLICY),
        confidence=0.9,
        channel="email",
        context=context_of(context, POLICY),
    )


@dataclass
class Open:
    """The open feedback so far, of items that the test makes."""

    around: Neighbourhood = field(default_factory=Neighbourhood)
    items: dict[str, Item] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def has(self, stored: Matter, said: Vector | None = None, at: datetime = NOON, **changes: Any) -> "Open":
        of = item(**{"customers": (stored.customer_id,) if stored.customer_id else (), **changes})
        self.items[of.id] = of
        self.around.add(self._newcomer(stored, said, at), of.id)
        return self

    def answer(
        self,
        arriving: Matter,
        said: Vector | None = None,
        at: datetime = NOON,
        policy: GroupingPolicy = POLICY,
        model: str = "reader@1",
    ) -> Join | Alone:
        newcomer = self._newcomer(arriving, said, at, policy, model)
        return group(self.around.evidence(newcomer, self.items, policy), policy)

    def _newcomer(
        self,
        about: Matter,
        said: Vector | None,
        at: datetime,
        policy: GroupingPolicy = POLICY,
        model: str = "reader@1",
    ) -> Newcomer:
        bytes_said = said.astype("<f2").tobytes() if said is not None else None
        return newcomer_of(f"fb_{next(self.numbers)}", at, about, model, bytes_said, policy)


def vector(degrees: float) -> Vector:
    return np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees)), 0, 0], np.float32)


@pytest.mark.parametrize(
    ("stored", "arriving", "joins"),
    [
        (matter(), matter(), True),
        (matter(), matter("c-2"), False),
        (matter(), matter(cause="product/defect"), False),
        (matter(), matter(order="A-1"), True),
        (matter(order="A-1"), matter(order="A-1"), True),
        (matter(order="A-1"), matter(order="A-2"), False),
        (matter(release="5"), matter(release="6"), False),
        (matter(cause=None), matter(cause=None), False),
        (matter(cause=None, order="A-1"), matter(cause=None, order="A-1"), True),
        (matter(cause=None, order="A-1"), matter(cause=None), False),
        (matter(cause=None, order="A-1"), matter(order="A-1"), False),
        (matter(None), matter(None), False),
        (matter("c-1", incident="I-7"), matter("c-2", None, incident="I-7"), True),
    ],
)
def test_who_shares_an_item(stored: Matter, arriving: Matter, joins: bool) -> None:
    answer = Open().has(stored).answer(arriving)
    assert isinstance(answer, Join if joins else Alone)
    assert answer.because


@pytest.mark.parametrize("changes", [{"state": "resolved"}, {"state": "closed"}, {"parent_id": "it_0"}])
def test_an_item_that_takes_no_feedback_is_joined_by_nothing(changes: dict[str, Any]) -> None:
    assert isinstance(Open().has(matter(), **changes).answer(matter()), Alone)


def test_the_window_counts_from_the_last_feedback() -> None:
    late = NOON + timedelta(days=14)
    assert isinstance(Open().has(matter()).answer(matter(), at=late), Join)
    assert isinstance(Open().has(matter()).answer(matter(), at=late + timedelta(seconds=1)), Alone)
    heard_since = Open().has(matter()).has(matter(), at=NOON + timedelta(days=3))
    assert isinstance(heard_since.answer(matter(), at=late + timedelta(days=3)), Join)


def test_of_several_items_the_one_that_heard_last_is_joined() -> None:
    known = Open()
    for name, days in (("it_a", 1), ("it_b", 0), ("it_c", 2)):
        at = NOON - timedelta(days=days)
        known.has(matter(), at=at, id=name, last_feedback_at=at)
    answer = known.answer(matter())
    assert isinstance(answer, Join)
    assert answer.item_id == "it_b"


def test_the_reason_names_what_both_name() -> None:
    answer = Open().has(matter(order="A-1")).answer(matter(order="A-1"))
    assert answer.because == (
        "same customer, domain operations, category billing and channel email, both naming order=A-1, "
        "within 14 days (rule repeat-contact)"
    )
    answer = Open().has(matter()).answer(matter(order="A-1"))
    assert "both naming" not in answer.because


def test_words_join_what_other_customers_said_of_the_same_cause() -> None:
    known = Open().has(matter("c-1"), vector(0))
    near = known.answer(matter("c-2"), vector(15))
    assert isinstance(near, Join)
    assert near.because == (
        "says nearly the same as 1 of the item's feedbacks (similarity 0.97; 0.88 is needed), with the same "
        "root cause operations/billing"
    )
    far = known.answer(matter("c-2"), vector(40))
    assert isinstance(far, Alone)
    assert "similarity 0.77, and 0.88 is needed" in far.because


@pytest.mark.parametrize(
    ("arriving", "changes", "says"),
    [
        (matter("c-2", None), {}, "its root cause is unclear"),
        (replace(matter("c-2"), confidence=0.3), {}, "too unsure to join by words (0.30; 0.35 is needed)"),
        (matter("c-2", "product/defect"), {}, "no open feedback about product/defect is there"),
        (matter("c-2"), {"model": "other@1"}, "no open feedback about operations/billing is there"),
        (matter("c-2"), {"at": NOON + timedelta(days=15)}, "no open feedback"),
    ],
)
def test_words_join_nothing_where_they_cannot_be_compared(
    arriving: Matter, changes: dict[str, Any], says: str
) -> None:
    answer = Open().has(matter("c-1"), vector(0)).answer(arriving, vector(0), **changes)
    assert isinstance(answer, Alone)
    assert says in answer.because


def test_so_many_of_an_item_must_agree() -> None:
    known = Open().has(matter("c-1"), vector(0)).has(matter("c-2"), vector(35), feedback_count=2)
    # Near one member; the mean over both is not near enough.
    assert isinstance(known.answer(matter("c-3"), vector(-10)), Alone)
    assert isinstance(known.answer(matter("c-3"), vector(17)), Join)


def test_between_two_items_equally_near_neither_is_joined_where_the_policy_asks_for_a_margin() -> None:
    assert POLICY.similarity is not None
    strict = replace(POLICY, similarity=replace(POLICY.similarity, margin=0.02))
    known = Open().has(matter("c-1"), vector(-12)).has(matter("c-2"), vector(12), id="it_2")
    answer = known.answer(matter("c-3"), vector(0), policy=strict)
    assert isinstance(answer, Alone)
    assert answer.because.endswith("it_1 and it_2 are equally near, so neither is joined")


def test_what_any_feedback_of_the_item_names_keeps_another_out() -> None:
    known = Open().has(matter("c-1"), vector(0)).has(matter("c-2", release="5"), vector(1), feedback_count=2)
    answer = known.answer(matter("c-3", release="6"), vector(0))
    assert isinstance(answer, Alone)
    assert "it is about release 5, and this one about release 6" in answer.because


def test_a_full_item_gets_a_sibling_that_says_so() -> None:
    known = Open().has(matter(), feedback_count=POLICY.most)
    answer = known.answer(matter())
    assert isinstance(answer, Alone)
    assert answer.sibling_of == "it_1"
    assert answer.because == (
        "it_1 would have fitted, but it is full: it holds 500 feedbacks, and 500 is the most; "
        "so this opens a sibling of it"
    )


def test_the_record_gives_the_same_decision_again_byte_for_byte() -> None:
    known = Open().has(matter("c-1"), vector(0)).has(matter("c-2", order="A-9"), vector(9), id="it_2")
    for arriving, said in ((matter("c-3"), vector(5)), (matter("c-1"), None), (matter("c-4", None), None)):
        answer = known.answer(arriving, said)
        stored = orjson.dumps(answer.record)
        replayed = again(orjson.loads(stored), POLICY)
        assert type(replayed) is type(answer)
        assert orjson.dumps(replayed.record) == stored


def test_one_customer_s_matter_over_another_channel_makes_a_case() -> None:
    chat = replace(matter(), channel="chat")
    answer = Open().has(matter()).answer(chat)
    assert isinstance(answer, Alone)
    assert answer.case_with == "it_1"
    many = Open().has(matter(), customers=("c-1", "c-2")).answer(chat)
    assert isinstance(many, Alone)
    assert many.case_with is None
    other_order = Open().has(matter(order="A-1")).answer(replace(matter(order="A-2"), channel="chat"))
    assert isinstance(other_order, Alone)
    assert other_order.case_with is None
    late = Open().has(matter()).answer(chat, at=NOON + timedelta(days=15))
    assert isinstance(late, Alone)
    assert late.case_with is None


def told(kind: Any, side: Any, day: int, rule: str = "gr_1", similarity: float | None = 0.95) -> Told:
    return Told(rule, kind, side, NOON + timedelta(days=day), "ana", similarity)


def test_the_latest_of_two_people_who_disagree_is_followed() -> None:
    seen = Seen("it_1", True, 3, NOON, marks=("gr_2:left",))
    hits = (Hit("gr_1", "it_1", "fb_1", NOON),)
    for apart_on, joins in ((1, True), (3, False)):
        said = (told("together", "right", 2), told("apart", "right", apart_on, "gr_2"))
        evidence = Evidence("fb_9", NOON, matter("c-9"), hits=hits, told=said, items={"it_1": seen})
        answer = group(evidence, POLICY)
        assert isinstance(answer, Join if joins else Alone)
        assert "ana decided" in answer.because


def test_a_rule_of_a_person_outlives_every_window_and_no_bound() -> None:
    hits = (Hit("gr_1", "it_1", "fb_1", NOON),)
    late = NOON + timedelta(days=400)
    for size, joins in ((3, True), (POLICY.most, False)):
        items = {"it_1": Seen("it_1", True, size, NOON)}
        said = (told("together", "left", 1),)
        evidence = Evidence("fb_9", late, matter("c-9"), hits=hits, told=said, items=items)
        assert isinstance(group(evidence, POLICY), Join if joins else Alone)


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
