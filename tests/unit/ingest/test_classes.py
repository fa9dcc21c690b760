"""Tiers and segments: by what was said, else by rules; and when a lower tier has to wait."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON

from heardback_ingest.domain.classes import (
    ORDER,
    Standing,
    move_of,
    record_of,
    settle,
    standing_in,
)
from heardback_ingest.domain.classes_policy import read_classes
from heardback_ingest.domain.customer import Facts, merged, snapshot_fields
from heardback_shared.policies.reading import PolicyError, shipped

TEXT = """
policy: classes@7
good_for_days: {tier: 400, lifetime_value: 400, currency: 400, segment: 400}
good_until: [renewal_date]
currency: EUR
rules:
  - {name: troubled, when: {breaches: {at_least: 3}}, segment: at-risk, because: Three times missed.}
  - {name: big, when: {lifetime_value: {at_least: 100000}}, tier: strategic, because: It is worth much.}
  - name: soon
    when: {lifetime_value: {at_least: 1000}, renewal_date: {within_days: 90}}
    tier: key
    because: The contract is up soon.
  - {name: any, when: {region: {known: true}}, tier: standard, segment: rest, because: We know where.}
"""
POLICY = read_classes(TEXT)
VALUE = {"lifetime_value": 200_000.0, "currency": "EUR"}


def facts(told: dict[str, Any], days_ago: int = 0, known: Facts | None = None) -> Facts:
    return merged(known or {}, told, "crm", NOON - timedelta(days=days_ago))


def test_the_shipped_policy_is_valid_and_gives_no_tier_to_who_is_not_known() -> None:
    policy = read_classes(shipped("heardback_ingest", "classes.yaml"))
    assert settle(None, {}, {}, policy, NOON).tier is None
    assert policy.ages.days["tier"] == 400
    assert "renewal_date" in policy.ages.until


def test_the_first_rule_that_holds_gives_tier_and_segment_each_on_its_own() -> None:
    told = facts(VALUE | {"region": "EU"})
    settled = settle(None, told, {"breaches": 4}, POLICY, NOON)
    assert (settled.tier, settled.segment, settled.provenance) == ("strategic", "at-risk", "inferred")
    assert settled.given.rules == ("troubled", "big")
    assert settled.source == "classes:classes@7"


def test_what_a_person_or_the_crm_says_beats_the_rules_until_taken_back() -> None:
    said = facts({"tier": "standard"}, known=facts(VALUE))
    assert settle(None, said, {}, POLICY, NOON).tier == "standard"
    back = facts({"tier": None}, known=said)
    settled = settle(None, back, {}, POLICY, NOON)
    assert (settled.tier, settled.provenance) == ("strategic", "inferred")
    fields = snapshot_fields(back, POLICY.ages, NOON, record_of(settled))
    assert (fields["tier"], fields["inferred"]) == (
        "strategic",
        ("tier", "segment") if "segment" in fields else ("tier",),
    )


def test_a_guess_of_a_model_counts_less_than_the_rules() -> None:
    guessed = merged(facts(VALUE), {"tier": "standard"}, "model", NOON, "inferred")
    assert settle(None, guessed, {}, POLICY, NOON).tier == "strategic"
    alone = merged({}, {"tier": "key"}, "model", NOON, "inferred")
    assert settle(None, alone, {}, POLICY, NOON).tier == "key"


@pytest.mark.parametrize("told", [{"lifetime_value": 200_000.0}, VALUE | {"currency": "JPY"}])
def test_a_value_in_no_or_another_currency_is_not_compared(told: dict[str, Any]) -> None:
    settled = settle(None, facts(told), {}, POLICY, NOON)
    assert settled.tier is None
    assert ("big", "lifetime_value") in settled.given.undecided


def test_outdated_facts_make_no_rule_hold() -> None:
    assert settle(None, facts(VALUE, days_ago=401), {}, POLICY, NOON).tier is None


def test_a_lower_tier_waits_while_items_are_open_and_comes_when_they_are_closed() -> None:
    before = settle(None, facts(VALUE | {"region": "EU"}), {}, POLICY, NOON)
    poorer = facts({"lifetime_value": 5.0}, known=facts(VALUE | {"region": "EU"}))
    waits = settle(before, poorer, {"open_items": 2}, POLICY, NOON + timedelta(days=1))
    assert waits.tier == "strategic"
    assert waits.keeps is not None
    assert (waits.keeps.lower, waits.keeps.code) == ("standard", "open_items")
    assert "2 matters are open" in waits.keeps.because
    fields = snapshot_fields(poorer, POLICY.ages, NOON, record_of(waits))
    assert fields["tier"] == "strategic"
    still = settle(waits, poorer, {"open_items": 1}, POLICY, NOON + timedelta(days=2))
    assert still.keeps is not None
    assert still.keeps.since == waits.keeps.since
    after = settle(still, poorer, {"open_items": 0}, POLICY, NOON + timedelta(days=3))
    assert (after.tier, after.keeps) == ("standard", None)


def test_a_lower_tier_that_the_crm_says_waits_too_and_a_higher_one_counts_at_once() -> None:
    before = settle(None, facts({"tier": "key"}), {}, POLICY, NOON)
    lower = facts({"tier": "standard"}, known=facts({"tier": "key"}))
    waits = settle(before, lower, {"open_items": 1}, POLICY, NOON)
    assert waits.keeps is not None
    assert (waits.tier, waits.keeps.lower) == ("key", "standard")
    assert snapshot_fields(lower, POLICY.ages, NOON, record_of(waits))["tier"] == "key"
    higher = facts({"tier": "strategic"}, known=lower)
    assert settle(waits, higher, {"open_items": 1}, POLICY, NOON).tier == "strategic"


def test_a_tier_is_not_lowered_because_a_source_fell_silent() -> None:
    told = facts(VALUE, known=facts({"region": "EU"}))
    before = settle(None, told, {}, POLICY, NOON)
    later = NOON + timedelta(days=401)
    waits = settle(before, told, {}, POLICY, later)
    assert waits.tier == "strategic"
    assert waits.keeps is not None
    assert (waits.keeps.code, waits.keeps.lower) == ("facts_outdated", "standard")
    heard = merged(told, {"lifetime_value": 5.0, "currency": "EUR"}, "crm", later)
    assert settle(waits, heard, {}, POLICY, later).tier == "standard"


def test_moves_say_which_clocks_become_faster_or_slower() -> None:
    low = settle(None, facts({"region": "EU"}), {}, POLICY, NOON)
    high = settle(None, facts(VALUE), {}, POLICY, NOON)
    assert move_of("c", low, low) is None
    up, down = move_of("c", low, high), move_of("c", high, low)
    assert up is not None
    assert down is not None
    assert (up.clocks, down.clocks) == ("faster", "slower")
    assert up.because == ("It is worth much.",)


TIERS = st.sampled_from(["strategic", "key", "standard", None])
STEPS = st.lists(
    st.tuples(TIERS, st.sampled_from([5.0, 2_000.0, 200_000.0]), st.integers(0, 2), st.integers(0, 300)),
    min_size=1,
    max_size=6,
)


@given(STEPS)
def test_no_tier_ever_falls_while_an_item_is_open_and_records_read_back(
    steps: list[tuple[str | None, float, int, int]],
) -> None:
    known: Facts = {}
    standing: Standing | None = None
    now = NOON
    for tier, value, open_items, days in steps:
        now += timedelta(days=days)
        known = merged(known, {"tier": tier, "lifetime_value": value, "currency": "EUR"}, "crm", now)
        before = standing
        standing = settle(before, known, {"open_items": open_items}, POLICY, now)
        if before is not None and open_items:
            assert ORDER[standing.tier] >= ORDER[before.tier]
        if standing.keeps is not None:
            assert ORDER[standing.keeps.lower] < ORDER[standing.tier]
        stored = orjson.loads(orjson.dumps(record_of(standing)))
        assert standing_in(stored) == standing
        assert snapshot_fields(known, POLICY.ages, now, stored).get("tier") == standing.tier


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        (("currency: EUR", ""), "/currency"),
        (("name: soon", "name: big"), "/rules/2/name"),
        (("good_until: [renewal_date]", "good_until: [tier]"), "/good_until/0"),
        (("{tier: 400,", "{shoe_size: 400,"), "/good_for_days/shoe_size"),
        (("region: {known: true}", "tier: {is: key}"), "/rules/3"),
        (("region: {known: true}", "region: {at_least: 3}"), "/rules/3"),
        (("region: {known: true}", "region: {}"), "/rules/3/when/region"),
        (("tier: strategic", "tier: gold"), "/rules/1/tier"),
        (("rules:", "required: {key: [shoe_size]}\nrules:"), "/required/key/0"),
    ],
)
def test_a_policy_with_faults_is_refused_whole_and_each_is_named(
    change: tuple[str, str], pointer: str
) -> None:
    with pytest.raises(PolicyError) as refused:
        read_classes(TEXT.replace(*change))
    assert pointer in [p for p, _ in refused.value.faults]
