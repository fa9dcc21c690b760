"""The difference of two policies: nothing is missed, nothing is invented."""

from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from heardback_router.configuration.diff import Difference, differences, lines

NAME = st.sampled_from(("a", "b", "c", "d/e", "f~g"))
LEAF = st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.sampled_from(("x", "y", "1")))


def policies(below: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    rules = st.lists(
        st.fixed_dictionaries({"name": NAME, "value": below}), max_size=4, unique_by=lambda rule: rule["name"]
    )
    return st.one_of(st.dictionaries(NAME, below, max_size=3), st.lists(below, max_size=3), rules)


POLICY = st.recursive(LEAF, policies, max_leaves=12)


@given(POLICY, POLICY)
def test_two_policies_differ_where_and_only_where_they_say_something_else(before: Any, after: Any) -> None:
    found = list(differences(before, after))
    assert (found == []) == (repr(before) == repr(after) or _alike(before, after))
    assert list(differences(after, after)) == []


def _alike(one: Any, other: Any) -> bool:
    """Equal, true and 1 told apart; the order of a mapping says nothing."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    return type(one) is type(other) and bool(one == other)


RULES = {"policy": "x@1", "rules": [{"name": n, "when": n * 2, "team": "t"} for n in "abcd"]}


def test_a_changed_rule_is_named_wherever_it_stands() -> None:
    after = deepcopy(RULES)
    rules: Any = after["rules"]
    rules.insert(0, {"name": "new", "when": "n", "team": "t"})
    rules[3]["team"] = "other"
    del rules[4]
    assert list(differences(RULES, after)) == [
        Difference("/rules/c/team", "changed", "t", "other"),
        Difference("/rules/d", "removed", {"name": "d", "when": "dd", "team": "t"}, None),
        Difference("/rules/new", "added", None, {"name": "new", "when": "n", "team": "t"}),
    ]


def test_rules_that_change_places_are_told_because_the_first_that_holds_wins() -> None:
    after = deepcopy(RULES)
    rules: Any = after["rules"]
    rules[1], rules[2] = rules[2], rules[1]
    assert list(differences(RULES, after)) == [
        Difference("/rules/c", "moved", 2, 1),
        Difference("/rules/b", "moved", 1, 2),
    ]


def test_a_weight_is_found_by_the_count_it_starts_from() -> None:
    before = {"breadth": [{"at_least": 2, "points": 2}, {"at_least": 5, "points": 5}]}
    after = {"breadth": [{"at_least": 2, "points": 2}, {"at_least": 5, "points": 7}]}
    assert list(differences(before, after)) == [Difference("/breadth/5/points", "changed", 5, 7)]


@given(st.text(alphabet="ab\n"), st.text(alphabet="ab\n"))
def test_lines_are_empty_only_where_every_line_is_the_same(before: str, after: str) -> None:
    told = lines(before, after, ("old", "new"))
    assert (told == "") == (before.splitlines() == after.splitlines())
