"""One message per person, and who gets none has a reason."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.router_campaigns.campaigns import change, known, stake

from heardback_router.campaigns.people import Stake, gathered

stakes = st.builds(
    stake,
    st.sampled_from(["it_a", "it_b", "it_c"]),
    st.sampled_from([None, *(f"c-{n}" for n in range(6))]),
    state=st.sampled_from([None, "changed", "told", "disputed", "confirmed"]),
    told=st.sampled_from([frozenset(), frozenset({"ch_1"}), frozenset({"ch_2"})]),
    coming=st.sampled_from([frozenset(), frozenset({"ch_1"})]),
    waiting=st.booleans(),
)
changes = [change("ch_1", "it_a", "it_b"), change("ch_2", "it_b", "it_c")]


@given(
    st.lists(stakes, max_size=15),
    st.lists(st.integers(0, 2), min_size=6, max_size=6),
    st.dictionaries(st.sampled_from(["p-0", "p-1"]), st.sampled_from([frozenset({"ch_1"})])),
    st.randoms(),
)
def test_everybody_is_there_once_with_all_their_stakes_in_any_order(
    held: list[Stake], persons: list[int], told: dict[str, frozenset[str]], chance: Random
) -> None:
    recipients = {f"c-{n}": known(f"c-{n}", f"p-{person}") for n, person in enumerate(persons)}
    people = gathered(held, recipients, changes, told)
    assert len({one.person_id for one in people}) == len(people)
    assert sum(len(one.stakes) + len(one.left_out) for one in people) == len(held)
    for one in people:
        assert (one.code is None) == bool(one.stakes) == bool(one.change_ids)
        assert not set(one.change_ids) & told.get(one.person_id, frozenset())
        for kept in one.stakes:
            assert not {c.id for c in changes if kept.item_id in c.item_ids} <= kept.told | kept.coming
            assert kept.state not in {"disputed", "confirmed"}
            assert not kept.waiting
            assert kept.customer_id is not None
            assert recipients[kept.customer_id].person_id == one.person_id
            assert any(kept.item_id in c.item_ids for c in changes if c.id in one.change_ids)
    shuffled = list(held)
    chance.shuffle(shuffled)
    again = gathered(shuffled, recipients, changes, told)
    assert [(one.person_id, one.code is None, one.change_ids) for one in again] == [
        (one.person_id, one.code is None, one.change_ids) for one in people
    ]


def test_a_person_with_two_ids_and_two_items_hears_once_of_both() -> None:
    recipients = {"c-1": known("c-1", "p"), "c-2": known("c-2", "p")}
    (person,) = gathered([stake("it_a", "c-1"), stake("it_c", "c-2")], recipients, changes, {})
    assert person.change_ids == ("ch_1", "ch_2")
    assert [one.item_id for one in person.stakes] == ["it_a", "it_c"]


def test_a_person_hears_only_of_changes_to_what_they_raised() -> None:
    (person,) = gathered([stake("it_a", "c-1")], {}, changes, {})
    assert person.change_ids == ("ch_1",)


def test_a_change_that_was_told_or_is_being_told_is_not_told_again_and_news_are() -> None:
    for values, code, told in (
        ({"told": frozenset({"ch_1"})}, "already_told", ()),
        ({"coming": frozenset({"ch_1"})}, "on_its_way", ()),
        ({"told": frozenset({"ch_0"})}, None, ("ch_1",)),
    ):
        (person,) = gathered([stake("it_a", "c-1", **values)], {}, changes, {})
        assert (person.code, person.change_ids) == (code, told)
    (person,) = gathered([stake("it_b", "c-1", told=frozenset({"ch_1"}))], {}, changes, {})
    assert person.change_ids == ("ch_2",)


def test_who_gets_none_has_the_reason() -> None:
    held = [
        stake("it_a", None),
        stake("it_a", "c-1", state="disputed"),
        stake("it_a", "c-2", waiting=True),
        stake("it_a", "c-3"),
        stake("it_a", "c-4"),
        stake("it_a", "c-5"),
    ]
    recipients = {
        "c-3": known("c-3", refused=frozenset({"case_updates"})),
        "c-4": known("c-4", refused_items=frozenset({"it_a"})),
    }
    people = gathered(held, recipients, changes, {"c-5": frozenset({"ch_1"})})
    assert {one.person_id: one.code for one in people} == {
        "feedback:fb_it_a_None": "unknown_customer",
        "c-1": "disputed_open",
        "c-2": "in_review",
        "c-3": "opted_out",
        "c-4": "opted_out_of_item",
        "c-5": "already_told",
    }
    assert all(one.because for one in people)


def test_an_item_that_a_person_does_not_want_to_hear_of_is_left_out_and_the_rest_is_told() -> None:
    recipients = {"c-1": known("c-1", refused_items=frozenset({"it_b"}))}
    (person,) = gathered([stake("it_a", "c-1"), stake("it_b", "c-1")], recipients, changes, {})
    assert person.code is None
    assert person.change_ids == ("ch_1",)
    assert [(one.item_id, one.code) for one in person.left_out] == [("it_b", "opted_out_of_item")]


def test_an_opt_out_under_one_id_counts_for_the_person() -> None:
    recipients = {
        "c-1": known("c-1", "p", refused=frozenset({"case_updates"})),
        "c-2": known("c-2", "p"),
    }
    (person,) = gathered([stake("it_a", "c-1"), stake("it_a", "c-2")], recipients, changes, {})
    assert person.code == "opted_out"
