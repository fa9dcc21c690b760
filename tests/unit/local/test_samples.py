"""The samples are what the demo counts on: each must be what it claims to be."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from heardback_local.samples import Sample, expected, load_customers, load_samples
from heardback_shared.contracts.customer import CustomerSnapshot
from heardback_shared.contracts.feedback import SurveyIn, TranscriptIn

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SAMPLES = load_samples(NOW)


def _read(sample: Sample) -> SurveyIn | TranscriptIn:
    model = SurveyIn if sample.kind == "survey" else TranscriptIn
    return model.model_validate(sample.body)


def test_there_are_enough_of_them_and_they_are_varied() -> None:
    assert len(SAMPLES) >= 60
    assert Counter(sample.kind for sample in SAMPLES)["transcript"] >= 12
    assert len({sample.body["context"]["industry"] for sample in SAMPLES if "context" in sample.body}) >= 9
    assert sum(sample.body.get("language") == "de" for sample in SAMPLES) >= 3


@pytest.mark.parametrize(
    "sample", [s for s in SAMPLES if s.expect != "refused"], ids=lambda s: "/".join(s.feedback)
)
def test_what_is_said_to_be_valid_fits_the_contract(sample: Sample) -> None:
    feedback = _read(sample)
    moment = feedback.answered_at if isinstance(feedback, SurveyIn) else feedback.closed_at
    assert moment is not None
    assert moment < NOW


def test_what_is_said_to_be_refused_does_not() -> None:
    refused = [sample for sample in SAMPLES if sample.expect == "refused"]
    assert refused
    for sample in refused:
        with pytest.raises(ValidationError, match="direction"):
            _read(sample)


def test_a_repeat_is_the_same_event_once_more() -> None:
    seen: dict[tuple[tuple[str, str], int], Sample] = {}
    repeats = 0
    for sample in SAMPLES:
        earlier = seen.setdefault((sample.feedback, sample.revision), sample)
        assert (earlier is not sample) == (sample.expect == "repeat")
        repeats += earlier is not sample
        assert earlier.body == sample.body
    assert repeats == 1


def test_the_counts_come_from_the_samples() -> None:
    counts = expected(SAMPLES)
    assert counts.posted == counts.accepted + counts.repeats + counts.refused
    assert (counts.repeats, counts.refused, counts.edited) == (1, 1, 1)
    assert counts.feedbacks == counts.accepted - counts.edited


def test_every_customer_named_is_known_and_well_formed() -> None:
    customers = {row["id"]: CustomerSnapshot.model_validate(row) for row in load_customers(NOW)}
    assert {sample.customer_id for sample in SAMPLES} - {None} <= customers.keys()
    assert customers["saas-brightpath"].renewal_date == datetime(2026, 12, 10, tzinfo=UTC).date()


def test_some_customers_raise_one_matter_several_times() -> None:
    per_customer = Counter(sample.customer_id for sample in SAMPLES if sample.customer_id)
    assert sum(count >= 3 for count in per_customer.values()) >= 5
