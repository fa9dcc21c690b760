"""The linter claims only what holds: proofs are sound, witnesses are events that show it."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heardback_router.configuration.source import load_policies
from heardback_router.routing.conditions import Condition, ConditionError, context_of
from heardback_router.routing.domain import RoutingPolicy, decide
from heardback_router.routing.lint import Finding, lint
from heardback_router.routing.logic import meaning_of, possible
from heardback_router.routing.policy import read_routing
from heardback_router.routing.trials import given as event
from heardback_shared.policies.reading import PolicyError

TEAMS = ("t0", "t1", "t2")


def policy(*conditions: str, teams: tuple[str, ...] = TEAMS) -> RoutingPolicy:
    rules = "".join(
        f"\n  - {{name: r{n}, when: {orjson.dumps(c).decode()}, team: {teams[n % len(teams)]}, because: x}}"
        for n, c in enumerate(conditions)
    )
    listed = ", ".join(f"{{id: {team}, title: T}}" for team in dict.fromkeys(teams))
    return read_routing(f"policy: t@1\nteams: [{listed}]\ncatch_all: {teams[0]}\nrules:{rules or ' []'}")


def found(*conditions: str, **options: Any) -> list[tuple[str, str | None, str | None]]:
    findings = lint(policy(*conditions, **options))
    return [(f.kind, f.rule, f.other) for f in findings if f.kind != "unused-team"]


@pytest.mark.parametrize(
    ("conditions", "finding"),
    [
        (('score.domain == "a" && score.domain == "b"',), ("never-true", "r0", None)),
        (("score.severity.score > 50 && score.severity.score < 40",), ("never-true", "r0", None)),
        (("customer.open_items > 3 && customer.open_items < 4",), ("never-true", "r0", None)),
        (("true", 'score.domain == "a"'), ("unreachable", "r1", "r0")),
        (('score.domain == "a"', 'score.domain == "a" && score.handover'), ("unreachable", "r1", "r0")),
        (
            ('score.domain in ["a", "b"]', 'score.domain == "b"'),
            ("unreachable", "r1", "r0"),
        ),
        (("score.handover", "!score.handover", 'score.domain == "a"'), ("unreachable", "r2", None)),
        (
            ("score.severity.score < 50.0", "score.severity.score >= 50.0", "score.handover"),
            ("unreachable", "r2", None),
        ),
        (
            ('score.domain == "a" || score.domain == "b"', 'score.domain in ["b", "a"]'),
            ("contradictory", "r1", "r0"),
        ),
        (("score.confidence < 0.5", "0.5 > score.confidence"), ("contradictory", "r1", "r0")),
        (('customer.tier == "key"', 'customer.region == "EU"'), ("overlap", "r1", "r0")),
        (
            ('score.domain.startsWith("a")', 'score.domain.startsWith("a") && score.handover'),
            ("unreachable", "r1", "r0"),
        ),
    ],
)
def test_what_is_wrong_is_found(
    conditions: tuple[str, ...], finding: tuple[str, str | None, str | None]
) -> None:
    assert finding in found(*conditions)


@pytest.mark.parametrize(
    "conditions",
    [
        # An unknown confidence is neither below nor above, so the third rule is reached.
        ("score.confidence < 0.5", "score.confidence >= 0.5", "score.confidence == null"),
        # Without the order the second cannot be evaluated, which counts as false.
        ("has(event.context.order) && event.context.order == '1'", "!has(event.context.order)"),
        ("customer.open_items > 3", "customer.open_items < 4"),
        ('score.domain == "a"', 'score.domain == "b"'),
        ('"x" in score.cues', '!("x" in score.cues) && score.handover'),
    ],
)
def test_rules_that_part_the_events_are_left_alone(conditions: tuple[str, ...]) -> None:
    assert found(*conditions) == []


def test_equal_rules_with_the_same_team_are_unreachable_not_contradictory() -> None:
    assert found("score.handover", "score.handover", teams=("t0",)) == [("unreachable", "r1", "r0")]


def test_a_continuing_rule_takes_nothing_from_those_after_it() -> None:
    rules = read_routing(
        "policy: t@1\nteams: [{id: a, title: A}]\ncatch_all: a\nrules:\n"
        "  - {name: r0, when: 'true', process: p, continue: true, because: x}\n"
        "  - {name: r1, when: 'score.handover', team: a, because: x}"
    )
    assert lint(rules) == []


def test_teams_nobody_routes_to_are_named() -> None:
    findings = lint(policy("score.handover", teams=("t0", "t1")))
    assert [f.because for f in findings if f.kind == "unused-team"] == ["Nothing is routed to the team t1."]
    assert not [f for f in lint(load_policies().routing) if f.level != "note"]


def test_what_cannot_be_told_is_said_to_be_undecided() -> None:
    (finding,) = lint(policy('score.domain.startsWith("b")', teams=("t0",)))
    assert (finding.kind, finding.level) == ("undecided", "note")


def test_a_recorded_event_shows_what_made_up_ones_cannot() -> None:
    rules = policy('score.domain.startsWith("b")', 'score.domain.endsWith("g")')
    recorded = event({"score": {"domain": "billing"}})
    (overlap,) = [f for f in lint(rules, [recorded]) if f.kind == "overlap"]
    assert overlap.witness == recorded
    assert "a recorded event" in overlap.because


FIELDS = {
    "score.domain": ["'a'", "'b'"],
    "customer.tier": ["'key'", "''"],
    "score.severity.score": ["40.0", "60.0"],
    "customer.open_items": ["0", "3"],
    "score.confidence": ["0.3", "0.7"],
    "event.context.n": ["1", "'1'", "true"],
}
TESTS = st.one_of(
    st.sampled_from(sorted(FIELDS)).flatmap(
        lambda field: st.builds(
            lambda sign, value: f"{field} {sign} {value}",
            st.sampled_from(["==", "!="] if field == "event.context.n" else ["==", "!=", "<", ">="]),
            st.sampled_from(FIELDS[field]),
        )
    ),
    st.sampled_from(
        [
            "score.handover",
            "true",
            "'x' in score.cues",
            "has(event.context.n)",
            "'a/c' in score.root_causes",
            "score.domain in ['a', 'c']",
        ]
    ),
)
CONDITIONS = st.recursive(
    TESTS,
    lambda inner: st.one_of(
        st.builds(lambda a, b: f"({a} && {b})", inner, inner),
        st.builds(lambda a, b: f"({a} || {b})", inner, inner),
        st.builds(lambda a: f"!({a})", inner),
    ),
    max_leaves=4,
)
EVENTS = st.builds(
    lambda domain, tier, severity, items, confidence, context, handover, cues, causes: event(
        {
            "score": {
                "domain": domain,
                "confidence": confidence,
                "severity": {"score": severity, "band": "P2"},
                "handover": handover,
                "cues": cues,
                "root_causes": causes,
            },
            "customer": {"tier": tier, "open_items": items},
            "event": {"context": context},
        }
    ),
    st.sampled_from(["", "a", "b", "c"]),
    st.sampled_from(["", "key", "standard"]),
    st.sampled_from([0.0, 40.0, 50.0, 60.0, 61.0]),
    st.sampled_from([None, 0, 1, 3, 4]),
    st.sampled_from([None, 0.1, 0.3, 0.5, 0.7, 0.9]),
    st.sampled_from([{}, {"n": 1}, {"n": "1"}, {"n": True}, {"n": None}, {"n": "2"}]),
    st.booleans(),
    st.sampled_from([{}, {"x": 0.9}]),
    st.sampled_from([["a/c"], ["b/c"], ["b/c", "a/c"]]),
)


def holds(condition: str, inputs: dict[str, Any]) -> bool:
    named = {root: inputs[root] for root in ("event", "score", "customer")}
    try:
        return Condition(condition).holds(context_of(named, inputs["at"]))
    except ConditionError:
        return False


def usable(conditions: list[str]) -> RoutingPolicy | None:
    """None for those that a policy refuses, such as a context field nobody asked has(…) for."""
    try:
        return policy(*conditions)
    except PolicyError:
        return None


@settings(deadline=None, max_examples=150)
@given(st.lists(CONDITIONS, min_size=1, max_size=4), st.lists(EVENTS, min_size=1, max_size=12))
def test_no_event_ever_contradicts_what_is_proved(conditions: list[str], events: list[Any]) -> None:
    rules = usable(conditions)
    if rules is None:
        return
    dead = {f.rule for f in lint(rules) if f.level == "error"}
    for inputs in events:
        assert decide(inputs, rules).rule not in dead


@settings(deadline=None, max_examples=150)
@given(CONDITIONS, EVENTS)
def test_the_meaning_of_a_condition_allows_every_event_of_which_it_is_true(
    condition: str, inputs: dict[str, Any]
) -> None:
    meaning = meaning_of(condition)
    if meaning is not None and holds(condition, inputs):
        assert any(possible(cube) for cube in meaning.alternatives)


@settings(deadline=None, max_examples=100)
@given(st.lists(CONDITIONS, min_size=2, max_size=4))
def test_a_witness_of_an_overlap_makes_both_rules_true(conditions: list[str]) -> None:
    rules = usable(conditions)
    if rules is None:
        return
    overlaps: list[Finding] = [f for f in lint(rules) if f.kind == "overlap"]
    texts = {rule.name: rule.condition.text for rule in rules.rules}
    for overlap in overlaps:
        assert overlap.witness is not None
        witness = dict(overlap.witness)
        assert holds(texts[overlap.rule or ""], witness)
        assert holds(texts[overlap.other or ""], witness)
