"""Sizes and characters that are refused."""

from tests.support.feedback import survey, transcript

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
