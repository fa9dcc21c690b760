"""What leaves the service holds nothing personal, and nothing else is lost."""

from datetime import UTC, datetime
from typing import Any

from tests.support.feedback import survey, transcript

from heardback_ingest.domain.content import prepare
from heardback_shared.contracts.feedback import SurveyIn, TranscriptIn


def of_survey(**fields: Any) -> SurveyIn:
    return SurveyIn.model_validate(survey(**fields))


def of_transcript(**fields: Any) -> TranscriptIn:
    return TranscriptIn.model_validate(transcript(**fields))


def test_a_clean_survey_travels_as_it_came() -> None:
    prepared = prepare(of_survey())
    content = prepared.content
    assert not prepared.altered
    assert content.kind == "survey"
    assert content.comment == survey()["comment"]
    assert content.metric is not None
    assert content.metric.value == 2
    assert content.context == {"order": "A-1", "region": "EU"}
    assert content.happened_at == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert content.redactions == {}


def test_contact_is_kept_back_and_its_name_redacted() -> None:
    prepared = prepare(
        of_survey(
            comment="Ada Byron here, ada@example.com.",
            customer={"id": "c-1", "contact": {"name": "Ada Byron", "email": "ada@example.com"}},
        )
    )
    assert prepared.altered
    assert prepared.content.comment == "[name] here, [email]."
    assert prepared.content.redactions == {"name": 1, "email": 1}


def test_a_contact_alone_is_reason_enough_to_keep_the_original() -> None:
    assert prepare(of_survey(customer={"id": "c", "contact": {"phone": "1"}})).altered


def test_turns_lose_speakers_and_keep_roles() -> None:
    prepared = prepare(of_transcript())
    assert prepared.altered
    assert [t.role for t in prepared.content.turns] == ["customer", "agent"]
    assert [t.speaker for t in prepared.content.turns] == [None, None]
    assert prepared.content.resolution == "unresolved"


def test_a_speaker_called_customer_is_no_name() -> None:
    turns = [{"role": "customer", "text": "The customer is king", "speaker": "Customer"}]
    assert prepare(of_transcript(turns=turns)).content.turns[0].text == "The customer is king"


def test_context_is_redacted_by_value_name_and_size() -> None:
    context = {
        "note": "mail a@b.example",
        "email": "hidden",
        "card": 4242424242424242,
        "parcel": 340434161094021501,
        "count": 3,
        "vip": True,
        "nothing": None,
        "rate": 0.5,
    }
    content = prepare(of_survey(context=context)).content
    assert content.context == context | {"note": "mail [email]", "email": "[redacted]", "card": "[card]"}
    assert content.redactions == {"email": 1, "field": 1, "card": 1}


def test_nul_characters_never_reach_the_log() -> None:
    content = prepare(of_survey(comment="a\x00b", context={"x": "\x00"})).content
    assert content.comment == "a\ufffdb"
    assert content.context == {"x": "\ufffd"}


def test_when_a_conversation_happened() -> None:
    closed = of_transcript(closed_at="2026-11-22T11:00:00Z")
    assert prepare(closed).content.happened_at == datetime(2026, 11, 22, 11, tzinfo=UTC)
    assert prepare(of_transcript()).content.happened_at == datetime(2026, 11, 22, 9, tzinfo=UTC)
    silent = of_transcript(turns=[{"role": "customer", "text": "hi"}], opened_at="2026-11-22T08:00:00Z")
    assert prepare(silent).content.happened_at == datetime(2026, 11, 22, 8, tzinfo=UTC)
