"""The release policy: which bound fits, and when a figure is worse."""

from pathlib import Path

import pytest

from heardback_scoring.evaluation.gate_policy import Bound, PolicyRefused, ReleasePolicy, load_release_policy
from heardback_scoring.evaluation.record import FigureVerdict
from heardback_scoring.evaluation.statistics import Paired

POLICY = ReleasePolicy(policy="test@1", min_rows=40, bounds=(Bound(bound=0.02),))


@pytest.mark.parametrize(
    ("figure", "difference", "low", "high", "rows", "verdict"),
    [
        ("accuracy", 0.1, 0.05, 0.15, 100, "holds"),
        ("accuracy", -0.02, -0.03, -0.01, 100, "holds"),
        ("accuracy", -0.05, -0.08, -0.01, 100, "worse"),
        ("accuracy", -0.05, -0.12, 0.01, 100, "unsure"),
        ("accuracy", -0.05, -0.08, -0.01, 39, "too_small"),
        ("ece", 0.05, 0.01, 0.08, 100, "worse"),
        ("ece", -0.05, -0.08, -0.01, 100, "holds"),
        ("failure_rate", 0.05, -0.01, 0.08, 100, "unsure"),
        ("severity_mean_shift", 0.05, 0.01, 0.08, 100, "worse"),
    ],
)
def test_verdicts(
    figure: str, difference: float, low: float, high: float, rows: int, verdict: FigureVerdict
) -> None:
    found = Paired(baseline=0.5, candidate=0.5 + difference, low=low, high=high)
    assert POLICY.verdict(POLICY.bounds[0], figure, rows, found) == verdict


def test_what_has_no_bound_is_shown_only() -> None:
    lost = Paired(0.9, 0.1, -0.9, -0.7)
    assert POLICY.verdict(None, "accuracy", 100, lost) == "unbound"
    assert POLICY.verdict(Bound(bound=None), "accuracy", 100, lost) == "unbound"
    assert POLICY.verdict(Bound(bound=0.1, min_rows=200), "accuracy", 100, lost) == "too_small"


@pytest.mark.parametrize(
    ("set_name", "slice_name", "figure", "bound"),
    [
        ("tweets", "all", "macro_recall", 0.01),
        ("tweets", "negation", "macro_recall", 0.04),
        ("bitext_customer_support", "all", "accuracy_full", None),
        ("cues", "all", "wants_to_leave recall", 0.02),
        ("cues", "source a", "wants_to_leave recall", 0.02),
        ("cues", "all", "money_dispute recall", 0.03),
        ("cues", "all", "loss_or_fraud_urgent recall_at_precision_0.9", 0.05),
        ("tweets", "language en", "macro_recall", 0.03),
        ("tweets", "language ar", "macro_recall", None),
        ("behaviour", "role of the speaker", "failure_rate", 0.0),
        ("counterfactuals", "names", "severity_mean_shift", 0.01),
    ],
)
def test_the_packaged_policy_bounds(set_name: str, slice_name: str, figure: str, bound: float | None) -> None:
    found = load_release_policy().bound_of(set_name, slice_name, figure)
    assert found is not None
    assert found.bound == bound


def test_a_wrong_policy_is_named_with_its_field(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    for text, said in (
        ("policy: a@1\nmin_rows: 0\nbounds: []", r"mine.yaml is wrong at 'min_rows'"),
        ("policy: a@1\nmin_rows: 1\nbounds: [{figur: x, bound: 1}]", r"wrong at 'bounds.0.figur'"),
        ("a: [", r"is not YAML"),
    ):
        path.write_text(text)
        with pytest.raises(PolicyRefused, match=said):
            load_release_policy(path)
    with pytest.raises(PolicyRefused, match="cannot be read"):
        load_release_policy(tmp_path / "absent.yaml")
