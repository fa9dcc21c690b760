"""A grouping policy that cannot be used is refused whole, every fault with its name and what to do."""

import pytest

from heardback_router.configuration.source import packaged
from heardback_router.grouping.policy import read_grouping, shown
from heardback_shared.policies.reading import PolicyError

HEAD = "policy: p@1\nmost: 10\ncase_window_days: 7\n"


def test_the_policy_that_comes_with_heardback_is_shown_as_it_is_applied() -> None:
    policy = read_grouping(packaged("grouping.yaml"))
    rules = {rule["name"]: rule for rule in shown(policy)["rules"]}
    assert rules["repeat-contact"]["apart_by"] == list(policy.rules[1].apart_by) != []
    assert shown(policy)["similarity"]["threshold"] == policy.similarity.threshold if policy.similarity else 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rules: [{name: a, fields: [colour], window_days: 1}]", "colour is no field; use customer, domain"),
        ("rules: [{name: a, fields: [], window_days: 1}]", "rules/0/fields"),
        ("rules: [{name: a, fields: [domain], window_days: 0}]", "rules/0/window_days"),
        ("similarity: {threshold: 1.2}", "similarity/threshold"),
        ("alarms: [{name: a, at_least: 11}]", "never rings, because no item grows beyond most (10)"),
        ("alarms: [{name: a, at_least: 60, within_hours: 1}]", "at_least may be at most 50"),
        ("windows: 3", "windows: Extra inputs"),
        (
            "rules:\n- {name: a, fields: [domain], window_days: 9}\n"
            "- {name: a, fields: [touchpoint], window_days: 9}",
            "rules: two are named a",
        ),
        (
            "rules:\n- {name: a, fields: [domain], window_days: 9}\n"
            "- {name: b, fields: [domain, touchpoint], window_days: 9}",
            "rule b: never decides, because a before it joins all that it would; put it first",
        ),
        (
            "similarity: {threshold: 0.9, agreeing: 5, margin: 0, neighbours: 3, window_days: 1,"
            " min_confidence: 0.5}",
            "agreeing may not be greater than neighbours",
        ),
    ],
)
def test_a_fault_is_named(text: str, says: str) -> None:
    with pytest.raises(PolicyError) as refused:
        read_grouping(HEAD + text)
    assert says in str(refused.value)


def test_a_wider_rule_before_a_narrower_one_is_fine_where_the_narrower_may_still_decide() -> None:
    longer = "- {name: b, fields: [domain, touchpoint], window_days: 30}"
    scoped = "- {name: a, fields: [domain], window_days: 9, scope: {channel: [email]}}"
    assert len(read_grouping(f"{HEAD}rules:\n{scoped}\n{longer}").rules) == 2
