"""Rows: what may be handed in, how it is read, and that a row comes back with everything it brought."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError
from tests.support.clock import NOON
from tests.support.scoring import ScriptedScorer, understanding

from heardback_scoring.app.score_rows import ScoreRow, feedback_of, score_rows

SURVEY = {
    "source": "typeform",
    "external_id": "r-1001",
    "revision": 1,
    "customer": {"id": "c-42", "contact": {"email": "a@example.com"}},
    "touchpoint": "delivery",
    "metric": {"kind": "nps", "value": 2, "min": 0, "max": 10, "direction": "higher_is_better"},
    "comment": "Too late.",
    "answered_at": "2026-11-01T10:00:00Z",
    "context": {"order": "A-1"},
}


def test_a_whole_survey_as_posted() -> None:
    feedback = feedback_of(ScoreRow.model_validate(SURVEY), NOON)
    assert feedback.content.kind == "survey"
    assert feedback.content.comment == "Too late."
    assert feedback.content.touchpoint == "delivery"
    assert feedback.accepted_at == datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert feedback.customer is not None
    assert feedback.customer.id == "c-42"


def test_a_whole_transcript_with_fields_of_its_own() -> None:
    row = {
        "turns": [{"role": "customer", "text": "Hi", "nugget": {"C": 1}}, {"role": "agent", "text": "Hello"}],
        "closed_at": "2026-11-02",
        "resolution": "resolved",
        "satisfaction": 0.6,
    }
    feedback = feedback_of(ScoreRow.model_validate(row), NOON)
    assert feedback.content.kind == "transcript"
    assert [t.role for t in feedback.content.turns] == ["customer", "agent"]
    assert feedback.accepted_at == datetime(2026, 11, 2, tzinfo=UTC)


def test_at_comes_first_and_now_last() -> None:
    at = {"text": "x", "at": "2026-01-01T00:00:00", "answered_at": "2026-02-01"}
    assert feedback_of(ScoreRow.model_validate(at), NOON).accepted_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert feedback_of(ScoreRow.model_validate({"text": "x"}), NOON).accepted_at == NOON


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({}, "give text, turns"),
        ({"label": "x"}, "give text, turns"),
        ({"text": None}, "give text, turns"),
        ({"turns": []}, "turns is empty"),
        ({"text": "a", "turns": [{"role": "customer", "text": "b"}]}, "not both"),
        ({"text": 5}, "valid string"),
        ({"turns": [{"role": "boss", "text": "b"}]}, "'customer', 'agent'"),
        ({"text": "a", "customer": {"tier": "gold"}}, "'strategic'"),
        ({"text": "a", "at": "soon"}, "datetime"),
        ({"metric": {"kind": "ces", "value": 2, "min": 1, "max": 7}}, "Field required"),
    ],
)
def test_rows_that_cannot_be_scored(row: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        ScoreRow.model_validate(row)


async def test_a_row_comes_back_with_everything_it_brought() -> None:
    rows: list[dict[str, Any]] = [
        SURVEY,
        {"text": "", "id": 1},
        {"text": "fine", "score": "old", "label": [1, 2]},
    ]
    answers = await score_rows(
        [(row, ScoreRow.model_validate(row)) for row in rows], understanding(ScriptedScorer()), NOON
    )
    for row, answer in zip(rows, answers, strict=True):
        assert {k: v for k, v in answer.items() if k != "score"} == {
            k: v for k, v in row.items() if k != "score"
        }
        assert answer["score"]["severity"]["policy"]
    assert answers[1]["score"]["sentiment"] is None
    assert answers[2]["score"]["sentiment"]["label"] == "neutral"


async def test_the_day_of_a_row_decides_how_near_a_renewal_and_how_old_a_profile_is() -> None:
    customer = {"tier": "strategic", "renewal_date": "2026-12-20", "profile_at": "2025-12-01"}
    text = "The export fails."
    days = ["2026-12-15", "2026-06-01", "2027-06-01"]
    rows = [{"text": text, "customer": customer, "at": day} for day in days]
    rows += [{"text": text, "customer": customer, "answered_at": days[0]}]
    answers = await score_rows(
        [(row, ScoreRow.model_validate(row)) for row in rows],
        understanding(ScriptedScorer({text: (0.9, 0.1, 0.0)})),
        datetime(2030, 1, 1, tzinfo=UTC),
    )
    near, far, past, answered = (
        {c["factor"]: c for c in answer["score"]["severity"]["contributions"]} for answer in answers
    )
    assert "in 5 days" in near["renewal"]["because"]
    assert "in 202 days" in far["renewal"]["because"]
    assert near["renewal"]["points"] > far["renewal"]["points"]
    assert "renewal" not in past
    assert "379 days ago" in near["tier"]["because"]
    assert near["tier"]["points"] < far["tier"]["points"]
    assert answered == near
