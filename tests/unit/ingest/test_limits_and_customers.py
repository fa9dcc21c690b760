"""Sizes and characters that are refused, and how facts about a customer age."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON
from tests.support.feedback import survey, transcript

from heardback_ingest.domain.customer import Facts, merged, snapshot_fields
from heardback_ingest.domain.limits import Limits, too_large, unstorable
from heardback_shared.contracts.feedback import SurveyIn, TranscriptIn

LIMITS = Limits(text_chars=10, turns=2, context_entries=2, context_value_chars=5)


def pointers(findings: tuple[tuple[str, str], ...]) -> list[str]:
    return [pointer for pointer, _ in findings]


def test_every_part_beyond_its_limit_is_named() -> None:
    big = SurveyIn.model_validate(survey(comment="x" * 11, context={"a": "123456", "b": 1, "c/~": "123456"}))
    assert pointers(too_large(big, LIMITS)) == ["/comment", "/context", "/context/a", "/context/c~1~0"]
    turns = [{"role": "customer", "text": "x" * n} for n in (10, 11, 3)]
    long = TranscriptIn.model_validate(transcript(turns=turns, context={}))
    assert pointers(too_large(long, LIMITS)) == ["/turns", "/turns/1/text"]


def test_at_the_limit_is_fine() -> None:
    fine = SurveyIn.model_validate(survey(comment="x" * 10, context={"a": "12345", "b": 1}))
    assert too_large(fine, LIMITS) == ()


def test_what_cannot_be_stored_is_named() -> None:
    bad = survey(
        external_id="a\x00b",
        customer={"id": "\x00c"},
        context={"n\x00": 1, "inf": float("inf"), "huge": 2**70, "ok": 1},
    )
    found = pointers(unstorable(SurveyIn.model_validate(bad)))
    assert found == ["/external_id", "/customer/id", "/context", "/context/inf", "/context/huge"]
    assert unstorable(SurveyIn.model_validate(survey())) == ()
    endless = {"kind": "csat", "value": 3, "min": 0, "max": float("inf"), "direction": "higher_is_better"}
    assert pointers(unstorable(SurveyIn.model_validate(survey(metric=endless)))) == ["/metric/max"]


def test_newer_beats_older_fact_by_fact() -> None:
    known = merged({}, {"tier": "key", "region": "EU"}, "crm", NOON)
    older = merged(known, {"tier": "standard", "owner": "ann"}, "billing", NOON - timedelta(days=1))
    assert older["tier"] == {"value": "key", "source": "crm", "at": NOON.isoformat()}
    assert older["owner"]["source"] == "billing"
    newer = merged(older, {"tier": None}, "billing", NOON + timedelta(days=1))
    assert newer["tier"]["value"] is None
    assert newer["region"]["value"] == "EU"


def test_the_snapshot_names_nobody() -> None:
    facts = merged({}, {"tier": "key", "name": "Ada", "email": "a@b.example", "owner": None}, "crm", NOON)
    assert snapshot_fields(facts) == {"tier": "key", "profile_at": NOON}


def test_a_profile_is_as_fresh_as_the_last_telling_of_what_is_at_stake() -> None:
    old = merged({}, {"tier": "key", "renewal_date": None}, "crm", NOON)
    later = NOON + timedelta(days=9)
    assert snapshot_fields(merged(old, {"region": "EU"}, "crm", later))["profile_at"] == NOON
    assert snapshot_fields(merged(old, {"lifetime_value": 5}, "billing", later))["profile_at"] == later
    assert snapshot_fields(merged({}, {"region": "EU"}, "crm", NOON)) == {"region": "EU"}


@given(st.permutations(range(6)), st.lists(st.sampled_from(["tier", "region"]), min_size=6, max_size=6))
def test_the_order_in_which_facts_arrive_does_not_matter(order: list[int], names: list[str]) -> None:
    def after(sequence: list[int]) -> dict[str, Any]:
        facts: Facts = {}
        for n in sequence:
            facts = merged(facts, {names[n]: n}, "crm", NOON + timedelta(hours=n))
        return facts

    assert after(order) == after(sorted(order))
