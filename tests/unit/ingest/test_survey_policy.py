"""Reading the surveys policy: what is refused, with its place, and what is found strange."""

from typing import Any

import pytest
from tests.support.surveys import cap, days, gap, policy

from heardback_ingest.domain.surveys.lint import lint
from heardback_ingest.domain.surveys.reading import read_surveys
from heardback_shared.policies.reading import PolicyError, shipped

KEPT = [{"surveys": ["quarterly"], "slots": 1}]


def test_the_one_that_comes_with_heardback_is_in_order() -> None:
    ours = read_surveys(shipped("heardback_ingest", "surveys.yaml"))
    assert [rule.name for rule in ours.rules][:2] == ["week-between", "four-in-a-quarter"]
    assert lint(ours) == ()


@pytest.mark.parametrize(
    ("rules", "fields", "pointer", "said"),
    [
        ([{"name": "x"}], {}, "/rules/0", "either most and window"),
        ([{"name": "x", "most": 2}], {}, "/rules/0", "either most and window"),
        ([cap(1, days(1), gap=days(1))], {}, "/rules/0", "either most and window"),
        ([cap(1, {"rolling": "1d", "local_days": 1})], {}, "/rules/0/window", "exactly one of"),
        ([cap(1, {})], {}, "/rules/0/window", "exactly one of"),
        ([cap(1, {"rolling": "a week"})], {}, "/rules/0/window/rolling", "such as 90m, 12h or 30d"),
        ([cap(1, {"rolling": "9999d"})], {}, "/rules/0/window/rolling", "at most ten years"),
        ([cap(0, days(1))], {}, "/rules/0/most", "greater than or equal to 1"),
        ([cap(1, days(1), counts="opened")], {}, "/rules/0/counts", "'sent', 'seen' or 'answered'"),
        ([cap(1, days(1), misspelt=1)], {}, "/rules/0/misspelt", "Extra inputs"),
        ([gap(days(1), reserved=KEPT)], {}, "/rules/0", "for a gap say shorter_for"),
        ([cap(1, days(1), shorter_for=[])], {"zone": "Mars/Base"}, "/zone", "IANA time zone"),
        (
            [cap(1, days(1), when={"customer.mood": {"equals": 1}})],
            {},
            "/rules/0",
            "customer.mood is not known",
        ),
        ([cap(1, days(1), when={"plan": {}})], {}, "/rules/0/when/plan", "say what it must be"),
        ([cap(1, days(1), when={"plan": {"equals": 1, "in": [2]}})], {}, "/rules/0/when/plan", "not both"),
        ([cap(1, days(1)), cap(2, days(2))], {}, "/rules/1/name", "another rule cap"),
        ([cap(1, days(1), when={"n": {"min": 2, "max": 1}})], {}, "/rules/0/when/n", "never applies"),
        ([cap(1, days(1), when={"n": {"in": ["a"], "min": 1}})], {}, "/rules/0/when/n", "never applies"),
        (
            [cap(1, days(1), reserved=[{"surveys": ["q"], "slots": 2}])],
            {},
            "/rules/0/reserved",
            "2 places are kept",
        ),
        ([cap(3, days(1), reserved=[*KEPT, *KEPT])], {}, "/rules/0", "named in two groups"),
        ([cap(3, days(1), surveys=["a"], reserved=KEPT)], {}, "/rules/0", "not about it"),
        (
            [cap(3, days(1), reserved=[{"surveys": ["q"]}])],
            {},
            "/rules/0/reserved/0",
            "either slots or share",
        ),
        (
            [gap(days(3), shorter_for=[{"surveys": ["q"], "gap": days(3)}])],
            {},
            "/rules/0/shorter_for",
            "not shorter",
        ),
        (
            [cap(1, days(1), surveys=["new"])],
            {"surveys": {"old": "nps"}},
            "/rules/0/surveys",
            "not among the surveys",
        ),
        (
            [cap(1, days(1), surveys=["old"], types=["ces"])],
            {"surveys": {"old": "nps"}},
            "/rules/0/types",
            "never applies",
        ),
        ([], {"reservation": "0m"}, "/reservation", "such as 90m"),
        (
            [],
            {"suppress": {"vulnerability": {"within": "3d", "cues": []}}},
            "/suppress/vulnerability/cues",
            "at least 1",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(
    rules: list[dict[str, Any]], fields: dict[str, Any], pointer: str, said: str
) -> None:
    with pytest.raises(PolicyError) as refused:
        policy(*rules, **fields)
    faults = dict(refused.value.faults)
    assert pointer in faults, refused.value.faults
    assert said in faults[pointer]


@pytest.mark.parametrize(
    ("rules", "kind", "pointer"),
    [
        ([gap(days(7)), cap(5, days(30))], "unreachable", "/rules/1"),
        ([gap(days(7)), cap(4, days(30))], None, ""),
        ([cap(2, days(30)), cap(3, days(20), name="more")], "unreachable", "/rules/1"),
        ([cap(3, days(20)), cap(2, days(30), name="less")], "unreachable", "/rules/0"),
        ([cap(2, days(30), types=["nps"]), cap(3, days(20), name="more")], None, ""),
        ([cap(2, days(30)), cap(3, days(20), name="more", scope="account")], None, ""),
        ([cap(2, days(30), reminders=False), cap(3, days(20), name="more")], None, ""),
        ([cap(2, days(30)), cap(3, days(20), name="more", counts="seen")], None, ""),
        ([cap(2, days(30)), cap(2, days(30), name="again")], "unreachable", "/rules/1"),
        ([cap(4, days(30), reserved=KEPT), gap(days(7))], "may-starve", "/rules/1/shorter_for"),
        ([cap(4, days(30), reserved=KEPT), gap(days(7), same=["survey"])], None, ""),
        ([cap(4, days(30), reserved=KEPT),
          gap(days(7), shorter_for=[{"surveys": ["quarterly"], "gap": days(2)}])], None, ""),
        ([cap(1, days(30), reserved=KEPT)], "contradictory", "/rules/0/reserved"),
    ],
)  # fmt: skip
def test_what_is_strange_is_said(rules: list[dict[str, Any]], kind: str | None, pointer: str) -> None:
    found = [(f.level, f.kind, f.pointer) for f in lint(policy(*rules))]
    assert found == ([] if kind is None else [("warning", kind, pointer)])
