"""Who is told a step, by itself or after a person has read it, and what the policy may not change."""

from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON

from heardback_router.configuration.source import packaged
from heardback_router.loops.domain import LoopStatus
from heardback_router.loops.drafting import Matter, addresses, draft_of, reworded
from heardback_router.loops.policy import read_telling
from heardback_router.loops.ports import Loop, Subject
from heardback_router.loops.telling import (
    ESCALATION,
    Stakes,
    TellingPolicy,
    TellingRule,
    Way,
    decide,
    may_tell,
)
from heardback_router.messages.domain import ChangeFacts, Step
from heardback_router.wording import CustomerText
from heardback_shared.contact.domain import Recipient
from heardback_shared.policies.reading import PolicyError

TEXT = packaged("telling.yaml")
SHIPPED = read_telling(TEXT)
STEPS: tuple[Step, ...] = get_args(Step)
NAMES = st.frozensets(st.sampled_from(["a", "b", *sorted(ESCALATION)]), max_size=3)
RULES = st.builds(
    TellingRule,
    st.uuids().map(str),
    st.just("because"),
    st.sampled_from(get_args(Way)),
    st.frozensets(st.sampled_from(STEPS), max_size=2),
    st.frozensets(st.sampled_from(["P1", "P4"]), max_size=1),
    st.frozensets(st.sampled_from(["strategic", "key"]), max_size=1),
    st.frozensets(st.sampled_from(["product", "legal"]), max_size=1),
    NAMES,
    st.integers(0, 3),
)
POLICIES = st.builds(TellingPolicy, st.just("p@1"), st.lists(RULES, max_size=6).map(tuple))
STAKES = st.builds(
    Stakes,
    st.sampled_from(STEPS),
    st.sampled_from(["P1", "P4"]),
    st.sampled_from([None, "product", "legal"]),
    st.sampled_from([None, "strategic", "standard"]),
    NAMES,
    st.integers(1, 4),
    st.booleans(),
    st.booleans(),
)


@given(STAKES, POLICIES)
def test_a_cue_that_calls_for_a_person_never_gets_what_only_machines_said(
    stakes: Stakes, policy: TellingPolicy
) -> None:
    if not stakes.written and stakes.cues & ESCALATION:
        assert decide(stakes, policy).way != "automatic"


@given(STAKES, POLICIES)
def test_what_promises_something_that_is_not_on_record_is_read_by_a_second_person(
    stakes: Stakes, policy: TellingPolicy
) -> None:
    if stakes.promises:
        assert decide(stakes, policy).way != "automatic"


def test_what_the_law_requires_is_critical_and_released_by_a_person() -> None:
    given = TEXT.replace(
        "    when: {cues: [legal_or_press_threat, safety]}\n    then: review",
        "    when: {cues: [safety]}\n    then: review\n    critical: true",
    )
    (address,) = addresses(
        MATTER,
        [loop(1, "c-1")],
        {"c-1": Recipient("c-1", "p-1", ("webhook",))},
        {"fb_1": Subject(None, frozenset({"safety"}))},
        read_telling(given),
    )
    assert (address.decision.way, draft_of(address, MATTER).critical) == ("review", True)


@given(STAKES, POLICIES)
def test_a_decision_is_made_again_from_its_record(stakes: Stakes, policy: TellingPolicy) -> None:
    assert decide(Stakes.of_record(stakes.record), policy) == decide(stakes, policy)


@given(STAKES, POLICIES)
def test_nobody_is_left_out_by_not_looking(stakes: Stakes, policy: TellingPolicy) -> None:
    if decide(stakes, policy).way != "nobody":
        assert may_tell(policy, stakes.step)


def stakes(step: Step = "told", **more: object) -> Stakes:
    given: dict[str, object] = {
        "band": "P3",
        "domain": "product",
        "tier": None,
        "cues": frozenset(),
        "customers": 1,
    }
    return Stakes(**{"step": step, "written": step == "told", **given, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("case", "way", "rule"),
    [
        (stakes("acknowledged"), "nobody", "working-steps"),
        (stakes("planned"), "nobody", "working-steps"),
        (stakes(), "automatic", "everyone"),
        (stakes(cues=frozenset({"legal_or_press_threat"})), "review", "law-or-safety"),
        (stakes(cues=frozenset({"safety"})), "review", "law-or-safety"),
        (stakes(domain="legal"), "review", "high-stakes-domain"),
        (stakes(tier="strategic"), "review", "strategic-customer"),
        (stakes(customers=50), "review", "many-customers"),
        (stakes(customers=49), "automatic", "everyone"),
        (stakes(cues=frozenset({"wants_to_leave"})), "automatic", "everyone"),
        (stakes("delayed"), "automatic", "everyone"),
        (stakes("delayed", cues=frozenset({"wants_to_leave"})), "review", "never-alone"),
        (stakes("delayed", cues=frozenset({"asks_for_human"})), "review", "never-alone"),
    ],
)
def test_what_the_policy_that_comes_with_it_says(case: Stakes, way: str, rule: str) -> None:
    decision = decide(case, SHIPPED)
    assert (decision.way, decision.rule) == (way, rule)


def test_a_policy_adds_cues_that_call_for_a_person_and_takes_none_away() -> None:
    assert read_telling(TEXT.replace("escalation: []", "escalation: [abusive]")).escalation == {
        *ESCALATION,
        "abusive",
    }


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (TEXT.replace("window: 30m", "window: soon"), "notice/window"),
        (TEXT.replace("share: 20", "share: 0"), "notice/share"),
        (TEXT.replace("then: nobody", "then: perhaps"), "rules/0/then"),
        (TEXT.replace("name: everyone", "name: many-customers"), "two rules are named many-customers"),
        (TEXT.replace("tier: [strategic]", "tier: [big]"), "rules/3/when/tier"),
        (TEXT.replace("then: nobody", "then: nobody\n    critical: true"), "released by a person"),
        (TEXT.replace("close_after: never", "closes: 3d"), "closes"),
    ],
)
def test_a_policy_that_cannot_be_used_names_the_place(wrong: str, says: str) -> None:
    with pytest.raises(PolicyError, match=says):
        read_telling(wrong)


def loop(number: int, customer: str | None) -> Loop:
    status = LoopStatus("changed", 1, 2, NOON)
    at = NOON - timedelta(days=number)
    return Loop(f"lp_{number}", "it_1", customer, (f"fb_{number}",), status, "done", None, at, NOON)


@given(st.lists(st.tuples(st.sampled_from(["c-1", "c-2", "c-3", None]), st.just(0)), max_size=8), st.data())
def test_every_person_with_a_stake_is_addressed_once_and_nobody_else(
    customers: list[tuple[str | None, int]], data: st.DataObject
) -> None:
    loops = [loop(n, c) for n, (c, _) in enumerate(customers)]
    person = {c: data.draw(st.sampled_from(["p-1", "p-2"])) for c in ("c-1", "c-2", "c-3")}
    known = {c: Recipient(c, p, ("webhook",)) for c, p in person.items()}
    found = addresses(MATTER, loops, known, {}, SHIPPED)
    assert len(found) == len({person[c] for c, _ in customers if c is not None})
    addressed = [one.id for address in found for one in address.loops]
    assert sorted(addressed) == sorted(one.id for one in loops if one.customer_id is not None)
    assert len({address.message_id for address in found}) == len(found)
    assert all(address.stakes.customers == len(found) for address in found)


CHANGE = ChangeFacts("partial", CustomerText("We corrected half of it."), NOON.date(), "ch_1")
MATTER = Matter("it_1", "told", "P3", "product", "product/defect", "ann", changes=(CHANGE,))


def test_a_draft_says_what_is_known_and_whose_it_is() -> None:
    recipients = {c: Recipient(c, "p-1", ("webhook",)) for c in ("c-1", "c-2")}
    subjects = {"fb_1": Subject("key", frozenset({"safety"}))}
    (address,) = addresses(MATTER, [loop(1, "c-1"), loop(2, "c-2")], recipients, subjects, SHIPPED)
    draft = draft_of(address, MATTER)
    assert (draft.customer_id, draft.loop_ids) == ("c-1", ("lp_1", "lp_2"))
    assert draft.feedback_ids == ("fb_1", "fb_2")
    assert (draft.sensitivity, address.stakes.tier, address.decision.way) == ("sensitive", "key", "review")
    assert draft.facts.raised_on == (NOON - timedelta(days=2)).date()
    assert draft.facts.about == "product/defect"
    again = reworded(draft, CustomerText("Other words."))
    assert again.facts.changes[0].text == CustomerText("Other words.")
    assert again.facts.changes[0].result == "partial"
