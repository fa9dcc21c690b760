"""Gates hold back what is too uncertain; owners and processes come with rules; a policy's own tests run."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heardback_router.configuration.source import load_policies, packaged
from heardback_router.routing.domain import RoutingPolicy, decide
from heardback_router.routing.policy import read_routing
from heardback_router.routing.trials import given as event
from heardback_shared.policies.reading import PolicyError

DEFAULT = load_policies().routing
TEAMS = "policy: t@1\nteams: [{id: a, title: A}, {id: b, title: B}, {id: z, title: Z}]\ncatch_all: z\n"
GATES = """
gates:
  confidence: {team: z, because: Unsure., triage_minutes: 5, misroute_minutes: 10, domains: {product: 20}}
  stakes:
    team: z
    because: Too much.
    severity_at_least: 70
    tiers: [strategic]
    cues: [safety]
    confidence_below: 0.9
"""
RULES = """
rules:
  - {name: cause, when: 'score.domain != ""', team: a, because: It has a cause.}
  - {name: any, when: 'true', team: b, because: Whatever., gates: false}
"""
GATED = read_routing(TEAMS + GATES + RULES)


def about(domain: str = "operations", confidence: float = 0.95, **score: Any) -> dict[str, Any]:
    return {"score": {"domain": domain, "category": "c", "confidence": confidence, **score}}


@pytest.mark.parametrize(
    ("given_event", "team", "gate"),
    [
        (about(confidence=0.5), "a", None),
        (about(confidence=0.49), "z", "confidence"),
        (about("product", 0.74), "z", "confidence"),
        (about("product", 0.75), "a", None),
        (about(confidence=0.8, severity={"score": 70.0, "band": "P1"}), "z", "stakes"),
        (about(confidence=0.8, severity={"score": 69.0, "band": "P2"}), "a", None),
        (about(confidence=0.8, cues={"safety": 0.4}), "z", "stakes"),
        ({**about(confidence=0.8), "customer": {"tier": "strategic"}}, "z", "stakes"),
        ({**about(confidence=0.95), "customer": {"tier": "strategic"}}, "a", None),
        ({**about(mismatch="score_above_text"), "customer": {"tier": "strategic"}}, "z", "stakes"),
        (about(mismatch="score_above_text"), "a", None),
    ],
)
def test_a_gate_holds_back_what_is_in_doubt_or_has_too_much_at_stake(
    given_event: dict[str, Any], team: str, gate: str | None
) -> None:
    decision = decide(event(given_event), GATED)
    held = [answer["gate"] for answer in decision.record["gates"] if answer["held"]]
    assert decision.team == team
    assert held[:1] == ([gate] if gate else [])
    assert decision.record["winner"]["rule"] == "cause"
    assert decision.rule == (f"gate:{gate}" if gate else "cause")


def test_the_reason_of_a_gate_has_the_figures() -> None:
    decision = decide(event(about("product", 0.6)), GATED)
    assert decision.because == "Unsure. Confidence 0.60 is below the 0.75 that product needs."
    assert decision.record["reason"].startswith("Goes to z. Unsure. Confidence 0.60")


def test_a_rule_that_does_not_hang_on_the_cause_is_not_held_back() -> None:
    decision = decide(event({"score": {"severity": {"score": 99.0, "band": "P1"}}}), GATED)
    assert (decision.team, decision.record["gates"]) == ("b", [])


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from(["operations", "product"]))
def test_more_confidence_never_loses_the_team(one: float, other: float, domain: str) -> None:
    less, more = sorted((one, other))
    if decide(event(about(domain, less)), GATED).team == "a":
        assert decide(event(about(domain, more)), GATED).team == "a"


def test_what_a_continuing_rule_adds_counts_and_the_next_rules_are_tried() -> None:
    rules = read_routing(
        TEAMS
        + """
rules:
  - {name: large, when: customer.lifetime_value > 1000.0, process: large-account, continue: true, because: L.}
  - {name: press, when: '"press" in score.cues', process: press, owner: dedicated, continue: true, because: x}
  - {name: cause, when: 'score.domain == "product"', team: a, process: bug, because: A bug.}
"""
    )
    customer = {"lifetime_value": 5000, "owner": "olga"}
    decision = decide(event({**about("product", cues={"press": 0.9}), "customer": customer}), rules)
    assert (decision.team, decision.owner) == ("a", "olga")
    assert decision.processes == ("large-account", "press", "bug")
    assert [added["rule"] for added in decision.record["added"]] == ["large", "press"]
    unknown = decide(event({"customer": customer}), rules)
    assert (unknown.team, unknown.processes) == ("z", ("large-account",))
    assert unknown.record["losers"]["false"] == ["press", "cause"]


def test_the_account_owner_is_named_only_where_the_policy_says_and_no_gate_holds() -> None:
    customer = {"tier": "strategic", "owner": "olga"}
    assert decide(event({**about("account"), "customer": customer}), DEFAULT).owner == "olga"
    assert decide(event({**about("operations"), "customer": customer}), DEFAULT).owner is None
    assert decide(event({**about("account", 0.4), "customer": customer}), DEFAULT).owner is None
    assert decide(event({**about("account"), "customer": {**customer, "tier": "key"}}), DEFAULT).owner is None
    assert decide(event({**about("account"), "customer": {"tier": "strategic"}}), DEFAULT).owner is None


@settings(deadline=None)
@given(
    confidence=st.floats(0, 1),
    severity=st.floats(0, 100),
    tier=st.sampled_from(["", "strategic", "key", "standard"]),
    domain=st.sampled_from(["", "operations", "account", "product", "other"]),
    cues=st.sets(st.sampled_from(["safety", "wants_to_leave", "asks_again"])),
    mismatch=st.sampled_from(["", "score_above_text"]),
)
def test_every_decision_can_be_replayed_byte_for_byte(
    confidence: float, severity: float, tier: str, domain: str, cues: set[str], mismatch: str
) -> None:
    inputs = event(
        {
            "score": {
                "domain": domain,
                "category": "c" if domain else "",
                "confidence": confidence if domain else None,
                "severity": {"score": severity, "band": "P2"},
                "cues": dict.fromkeys(sorted(cues), 0.7),
                "mismatch": mismatch,
            },
            "customer": {"tier": tier, "owner": "olga"},
        }
    )
    first = decide(inputs, DEFAULT)
    stored = orjson.loads(orjson.dumps(first.record))
    # Without anything remembered, as a later process would.
    again = decide(stored["inputs"], read_routing(packaged("routing.yaml")))
    assert orjson.dumps(again.record) == orjson.dumps(first.record)
    assert again.team in DEFAULT.titles


def with_tests(tests: str) -> RoutingPolicy:
    return read_routing(TEAMS + RULES + f"tests:\n{tests}")


@pytest.mark.parametrize(
    ("test", "says"),
    [
        ("{name: x, given: {}, expect: {team: a}}", "test x: team is b, not a. Whatever."),
        ("{name: x, expect: {team: b, rule: cause}}", "rule is any, not cause"),
        ("{name: x, expect: {team: b, gate: stakes}}", "gate is None, not stakes"),
        ("{name: x, given: {scor: {}}, expect: {team: b}}", "given.scor is no field; there is at, customer"),
        ("{name: x, given: {score: {domin: y}}, expect: {team: b}}", "given.score.domin is no field"),
        ("{name: x, given: {score: {handover: 1}}, expect: {team: b}}", "must be true or false"),
        ("{name: x, given: {customer: {transfers: lots}}, expect: {team: b}}", "must be a number"),
        ("{name: x, expect: {team: nobody}}", "test x: there is no team nobody"),
    ],
)
def test_a_policy_whose_own_test_fails_is_refused(test: str, says: str) -> None:
    with pytest.raises(PolicyError) as caught:
        with_tests(f"  - {test}")
    assert says in str(caught.value)


def test_a_policy_whose_own_tests_pass_is_taken() -> None:
    policy = with_tests(
        "  - {name: x, given: {score: {domain: d}}, expect: {team: a, rule: cause, processes: []}}"
    )
    assert policy.name == "t@1"


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("{name: r, when: 'true', team: a, continue: true, process: p, because: x}", "names no team"),
        ("{name: r, when: 'true', continue: true, because: x}", "adds an owner or a process"),
        ("{name: r, when: 'true', because: x}", "team is required"),
    ],
)
def test_a_rule_either_gives_a_team_or_goes_on(rule: str, says: str) -> None:
    with pytest.raises(PolicyError, match=says):
        read_routing(TEAMS + f"rules:\n  - {rule}")


def test_the_least_confidence_follows_from_what_a_wrong_guess_costs() -> None:
    gate = GATED.gates.confidence
    assert gate is not None
    assert (gate.least_for("operations"), gate.least_for("product")) == (0.5, 0.75)
