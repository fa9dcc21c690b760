"""Rules: the first that matches wins, what cannot be evaluated counts as false, the record replays."""

from datetime import date, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clock import NOON
from tests.support.scored import score, scored

from heardback_router.configuration.source import load_policies
from heardback_router.routing.conditions import mentions_in
from heardback_router.routing.domain import (
    CATCH_ALL,
    REMEMBERED,
    Decision,
    RoutingPolicy,
    decide,
)
from heardback_router.routing.inputs import inputs_of
from heardback_router.routing.policy import read_routing
from heardback_router.routing.sample import SAMPLE_INPUTS, UNKNOWN_INPUTS
from heardback_shared.contracts.customer import CustomerHistory, CustomerSnapshot
from heardback_shared.contracts.events import FeedbackScored
from heardback_shared.contracts.feedback import Metric
from heardback_shared.policies.reading import PolicyError

DEFAULT = load_policies().routing


def policy(*conditions: str, teams: str = "[{id: a, title: A}, {id: z, title: Z}]") -> RoutingPolicy:
    rules = "".join(
        f"\n  - {{name: r{n}, when: {orjson.dumps(c).decode()}, team: a, because: it says so}}"
        for n, c in enumerate(conditions)
    )
    return read_routing(f"policy: test@1\nteams: {teams}\ncatch_all: z\nrules:{rules or ' []'}")


def decided(feedback: FeedbackScored, rules: RoutingPolicy = DEFAULT) -> Decision:
    return decide(inputs_of(feedback, NOON), rules)


@pytest.mark.parametrize(
    ("feedback", "team", "rule"),
    [
        (scored(reading=score(cause="operations/billing")), "operations", "operations-domain"),
        (scored(reading=score(cause="account/contract")), "account-management", "account-domain"),
        (scored(reading=score(cause="product/defect")), "product", "product-domain"),
        (scored(reading=score(cause="other/general")), "triage", CATCH_ALL),
        (scored(reading=score(cause=None)), "triage", "unclear-cause-to-triage"),
        (scored(reading=score(status="unscored")), "triage", "unscored-to-triage"),
        (
            scored(reading=score(0.0, cause=None, mood=0.9)),
            "account-management",
            "praise-to-account-management",
        ),
        (
            scored(
                reading=score(0.0, cause=None, mood=0.9).model_copy(update={"mismatch": "score_below_text"})
            ),
            "triage",
            "score-and-text-disagree-to-triage",
        ),
        (
            scored(tier="strategic", reading=score(cause=None, cues=("wants_to_leave",))),
            "account-management",
            "strategic-customer-wants-to-leave",
        ),
        (scored(tier="key", reading=score(cues=("wants_to_leave",))), "operations", "operations-domain"),
        (scored(customer=None), "operations", "operations-domain"),
    ],
)
def test_the_default_policy(feedback: FeedbackScored, team: str, rule: str) -> None:
    decision = decided(feedback)
    assert (decision.team, decision.rule) == (team, rule)


def test_the_record_names_the_winner_the_losers_and_why() -> None:
    rules = policy(
        'score.domain == "nowhere"',
        'customer.tier == "strategic" || customer.lifetime_value > 5.0',
        'event.kind == "survey"',
        "score.handover",
    )
    record = decided(scored(tier="key"), rules).record
    assert record["winner"]["rule"] == "r2"
    losers = record["losers"]
    ((why, names),) = losers["error"].items()
    assert (losers["false"], names, losers["not_reached"]) == (["r0"], ["r1"], ["r3"])
    assert why.startswith("could not be evaluated, which counts as false: ")
    assert record["default"] == {"team": "z", "taken": False}
    assert record["policy"] == "test@1"
    assert record["policies"] == {
        "severity": "default@1",
        "taxonomy": "taxonomy@1",
        "scoring": [],
    }
    assert record["models"][0]["name"] == "lexicon"
    assert record["reason"] == (
        "Goes to a. it says so Severity 60 (P2). Root cause operations/billing, confidence 0.80. "
        "Runner-up product/defect, confidence 0.20."
    )


def test_without_a_match_the_catch_all_takes_it() -> None:
    decision = decided(scored(), policy("false"))
    assert (decision.team, decision.rule, decision.record["winner"]["condition"]) == ("z", CATCH_ALL, None)


def test_conditions_see_time_numbers_and_context() -> None:
    feedback = scored(context={"order": "A-1", "long": 2**70})
    customer = CustomerSnapshot(
        id="c", renewal_date=date(2026, 12, 2), history=CustomerHistory(contacts_30d=4)
    )
    metric = Metric(kind="nps", value=2, min=0, max=10, direction="higher_is_better")
    content = feedback.accepted.content.model_copy(update={"metric": metric})
    accepted = feedback.accepted.model_copy(update={"customer": customer, "content": content})
    rules = policy(
        'has(event.context.order) && event.context.order == "A-1"'
        ' && event.context["long"] == "1180591620717411303424"'
        ' && customer.days_to_renewal == 10 && customer["contacts_30d"] >= 4'
        " && event.metric.share_of_best < 0.3 && at < timestamp('2027-01-01T00:00:00Z')"
    )
    assert decided(feedback.model_copy(update={"accepted": accepted}), rules).rule == "r0"


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("score.domin == 'x'", "rule r0: its condition the field 'domin' is missing"),
        ("event.context.order == 'x'", "ask has(…) before using it"),
        ("score.severity.score", "answers float, not true or false"),
        ("score.domain ==", "is not a CEL expression"),
        ("weather == 'bad'", "Undefined variable"),
        ("score.domain > 3", "No such overload"),
    ],
)
def test_a_condition_that_cannot_be_used_is_refused_by_rule_name(condition: str, says: str) -> None:
    with pytest.raises(PolicyError) as caught:
        policy(condition)
    assert "rule r0" in str(caught.value)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("policy: a@1\nteams: [{id: a, title: A}]\nrules: []", "catch_all: Field required"),
        ("policy: a@1\nteams: [{id: a, title: A}]\ncatch_all: b", "catch_all: there is no team b"),
        (
            "policy: a@1\nteams: [{id: a, title: A}, {id: a, title: B}]\ncatch_all: a",
            "teams: two have the same id",
        ),
        (
            "policy: a@1\nteams: [{id: a, title: A}]\ncatch_all: a\n"
            "rules: [{name: r, when: 'true', team: b, because: x},"
            " {name: r, when: 'true', team: a, because: x}]",
            "rule r: two rules have this name; rule r: there is no team b",
        ),
        ("policy: a\nteams: [{id: a, title: A}]\ncatch_all: a", "policy: String should match"),
        ("policy: a@1\nteams: [{id: a, title: A}]\ncatch_all: a\nrule: []", "rule: Extra inputs"),
        ("{", "not YAML"),
        ("[]", "policy: Input should be"),
    ],
)
def test_a_policy_with_faults_is_refused_whole(text: str, says: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read_routing(text)
    assert says in str(caught.value)


def test_only_fields_that_conditions_name_are_converted() -> None:
    found = mentions_in(['score.domain == "a" && has(event.context.x)', "score . status == 'b'"])
    assert found == {"score": {"domain", "status"}, "event": {"context"}, "customer": frozenset()}
    assert mentions_in(["customer['tier'] == 'key'"])["customer"] is None


def test_leaving_fields_out_changes_no_answer() -> None:
    conditions = ("score['domain'] == 'operations'", "score.domain == 'operations'", "size(customer) > 5")
    for condition in conditions:
        assert decided(scored(), policy(condition)).rule == "r0", condition


def test_a_remembered_verdict_is_not_given_to_what_a_condition_tells_apart() -> None:
    rules = policy(*(f"has(event.context.n) && event.context.n == {n}" for n in ("1", "true", "'1'")))
    seen = [decided(scored(context={"n": n}), rules).rule for n in (1, True, "1", 2, None, 1)]
    assert seen == ["r0", "r1", "r2", CATCH_ALL, CATCH_ALL, "r0"]


def test_a_condition_on_the_time_is_tried_at_every_time() -> None:
    rules = policy("at < timestamp('2026-11-22T12:30:00Z')")
    inputs = inputs_of(scored(), NOON)
    later = inputs_of(scored(), NOON + timedelta(hours=1))
    assert [decide(i, rules).rule for i in (inputs, later, inputs)] == ["r0", CATCH_ALL, "r0"]


def test_what_is_remembered_has_a_limit() -> None:
    rules = policy("event.revision > 10")
    for revision in range(1, REMEMBERED + 10):
        feedback = scored(revision=revision)
        assert decided(feedback, rules).team == ("a" if revision > 10 else "z")
    assert len(rules.verdicts) <= REMEMBERED


text = st.text(max_size=8)
causes = st.sampled_from([None, "operations/billing", "account/pricing", "product/defect", "other/general"])


@settings(deadline=None)
@given(
    severity=st.floats(0, 100),
    cause=causes,
    cues=st.lists(st.sampled_from(["wants_to_leave", "legal_threat"])),
    status=st.sampled_from(["scored", "unscored", "degraded"]),
    tier=st.sampled_from([None, "strategic", "key", "standard"]),
    customer=st.none() | text.filter(bool),
    context=st.dictionaries(text, text | st.integers() | st.booleans() | st.none(), max_size=3),
)
def test_replaying_a_stored_record_gives_the_same_record(
    severity: float,
    cause: str | None,
    cues: list[str],
    status: Any,
    tier: Any,
    customer: str | None,
    context: dict[str, Any],
) -> None:
    reading = score(severity, cause, cues=tuple(cues), status=status)
    feedback = scored(customer=customer, tier=tier, context=context, reading=reading)
    first = decided(feedback)
    stored = orjson.loads(orjson.dumps(first.record))
    again = decide(stored["inputs"], DEFAULT)
    assert orjson.dumps(again.record) == orjson.dumps(stored)
    assert DEFAULT.titles[again.team]


def test_the_sample_has_the_shape_of_real_inputs() -> None:
    def shape(value: Any) -> Any:
        return {k: shape(v) for k, v in value.items()} if isinstance(value, dict) else None

    metric = Metric(kind="nps", value=2, min=0, max=10, direction="higher_is_better")
    feedback = scored()
    content = feedback.accepted.content.model_copy(update={"metric": metric})
    accepted = feedback.accepted.model_copy(update={"content": content})
    real = inputs_of(feedback.model_copy(update={"accepted": accepted}), NOON)
    assert shape(real) == shape(SAMPLE_INPUTS) == shape(UNKNOWN_INPUTS)
