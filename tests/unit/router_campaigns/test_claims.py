"""What a campaign may say, and what it rests on."""

from datetime import UTC, datetime

import pytest
from tests.unit.router_campaigns.campaigns import TELLING, change, known, refused, stake

from heardback_router.backlog.duties import Promise
from heardback_router.campaigns.claims import ItemFacts, decision_on
from heardback_router.campaigns.guard import Guarded
from heardback_router.campaigns.people import Person, gathered
from heardback_router.loops.telling import Stakes, decide
from heardback_router.messages.domain import Result

FRIDAY = datetime(2026, 11, 27, 17, tzinfo=UTC)


def codes(*found: object) -> set[str]:
    return {getattr(one, "code") for one in found}  # noqa: B009


def test_a_reviewed_change_about_a_resolved_item_may_be_told() -> None:
    assert refused(change()) == ()


@pytest.mark.parametrize(
    ("found", "code", "pointer"),
    [
        (refused(), "no_change", "/changes"),
        (refused(change_ids=("ch_9",)), "unknown_change", "/changes/0"),
        (refused(change(reviewed_by=None)), "not_reviewed", "/changes/0"),
        (refused(change(), change("ch_2", "it_z")), "change_of_no_item", "/changes/1"),
        (
            refused(change(), items=(ItemFacts("it_a", "resolved"), ItemFacts("it_b", "resolved"))),
            "no_change",
            "/items/1",
        ),
        (refused(change(), items=(ItemFacts("it_a", "open"),)), "item_open", "/items/0"),
        (
            refused(change(), items=(ItemFacts("it_a", "resolved", open_children=("it_c",)),)),
            "child_open",
            "/items/0",
        ),
        (refused(change(tell="Dear {name}, it is done.")), "text", "/changes/ch_1/tell"),
    ],
)
def test_what_is_lacking_is_named_with_its_place(found: tuple[object, ...], code: str, pointer: str) -> None:
    assert [(getattr(one, "code"), getattr(one, "pointer")) for one in found] == [(code, pointer)]  # noqa: B009


@pytest.mark.parametrize("result", ["partial", "declined"])
@pytest.mark.parametrize(
    ("language", "text"), [("en", "The invoices are fixed."), ("de", "Der Fehler ist behoben.")]
)
def test_what_is_not_solved_is_not_called_solved_in_any_language(
    result: Result, language: str, text: str
) -> None:
    honest = "We show the seats now. The price is as before."
    found = refused(change(tell=honest, result=result, translations={language: text}))
    assert [(one.code, one.pointer) for one in found] == [("text", f"/changes/ch_1/translations/{language}")]
    assert "overclaim" in found[0].detail
    assert refused(change(tell=honest, result=result)) == ()


def test_part_of_a_change_may_be_told_while_the_item_is_open_and_a_refusal_may_not() -> None:
    items = (ItemFacts("it_a", "in_progress"),)
    said = "We show the seats now. The price is as before."
    assert refused(change(tell=said, result="partial"), items=items) == ()
    assert codes(*refused(change(tell=said, result="declined"), items=items)) == {"item_open"}


def test_a_note_for_colleagues_is_refused_and_not_repeated() -> None:
    note = "Billing forgot to close the seats of churned accounts in March."
    found = refused(
        change(tell="We forgot to close the seats of churned accounts in time."),
        guarded=(Guarded("internal", "it_a", note),),
    )
    assert [(one.code, one.pointer) for one in found] == [("leak", "/changes/ch_1/tell")]
    assert "it_a" in found[0].detail
    assert "churned" not in found[0].detail


def test_another_customers_words_are_refused_where_two_read_them_and_not_where_only_they_do() -> None:
    said = "my seat was taken by the trainee of our branch in Graz"
    text = change(tell=f"You wrote: {said}. Seats are now bound to names.")
    guarded = (Guarded("feedback", "it_a", said, "c-1"),)
    alone = gathered([stake("it_a", "c-1")], {"c-1": known("c-1")}, [text], {})
    both = gathered([stake("it_a", "c-1"), stake("it_a", "c-2")], {}, [text], {})
    assert refused(text, people=alone, guarded=guarded) == ()
    found = refused(text, people=both, guarded=guarded)
    assert codes(*found) == {"leak"}
    assert "Graz" not in found[0].detail


def test_a_promise_needs_one_on_record() -> None:
    text = change(tell="Seats are right now. We will refund the difference by Friday.")
    assert codes(*refused(text)) == {"promise"}
    given = Promise("pr_1", "Refund of the difference", None, "ana", FRIDAY)
    items = (ItemFacts("it_a", "resolved", promises=(given,)),)
    assert refused(text, items=items) == ()
    for other in (
        Promise("pr_1", "Refund of the difference", None, "ana", FRIDAY, "withdrawn"),
        Promise("pr_1", "Refund of the difference", "c-1", "ana", FRIDAY),
        Promise("pr_1", "Call every branch", None, "ana", FRIDAY),
        Promise("pr_1", "Refund of the difference", None, "ana", FRIDAY.replace(day=30)),
    ):
        items = (ItemFacts("it_a", "resolved", promises=(other,)),)
        assert codes(*refused(text, items=items)) == {"promise"}


def test_a_promise_in_german_must_name_the_day_on_record() -> None:
    text = change(
        translations={"de": "Die Zahl stimmt jetzt. Wir werden Ihnen das Geld bis zum 27.11. erstatten."}
    )
    assert codes(*refused(text)) == {"promise"}
    given = Promise("pr_1", "Refund of the difference", None, "ana", FRIDAY)
    assert refused(text, items=(ItemFacts("it_a", "resolved", promises=(given,)),)) == ()


def test_more_than_a_person_reads_at_once_is_refused() -> None:
    long = [change(f"ch_{n}", tell="Seats are right now. " * 95) for n in range(6)]
    found = refused(*long, people=gathered([stake("it_a", "c-1")], {}, long, {}))
    assert [(one.code, one.pointer) for one in found] == [("text", "/changes")]
    assert refused(*long[:5], people=gathered([stake("it_a", "c-1")], {}, long[:5], {})) == ()


def people(count: int) -> tuple[Person, ...]:
    return gathered([stake("it_a", f"c-{n}") for n in range(count)], {}, [change()], {})


@pytest.mark.parametrize(
    ("item", "count", "rule"),
    [
        (ItemFacts("it_a", "resolved", domain="operations"), 49, None),
        (ItemFacts("it_a", "resolved", domain="operations"), 50, "many-customers"),
        (ItemFacts("it_a", "resolved", domain="legal"), 1, "high-stakes-domain"),
        (ItemFacts("it_a", "resolved", tier="strategic"), 1, "strategic-customer"),
        (ItemFacts("it_a", "resolved", tier="key"), 1, None),
        (ItemFacts("it_a", "resolved", cues=frozenset({"safety"})), 1, "law-or-safety"),
    ],
)
def test_the_telling_policy_says_when_a_second_person_is_needed(
    item: ItemFacts, count: int, rule: str | None
) -> None:
    decision = decision_on([item], [change()], people(count), TELLING, "default@1")
    assert decision["second_person"] == (rule is not None)
    assert bool(decision["because"]) == (rule is not None)
    assert decision["items"]["it_a"]["rule"] == (rule or "everyone")
    assert decision["to_tell"] == count
    again = Stakes.of_record(decision["items"]["it_a"]["stakes"])
    assert decide(again, TELLING).rule == decision["items"]["it_a"]["rule"]
