"""Feedback that comes as a CloudEvent, over HTTP or Kafka: from envelope to submission."""

from pydantic import ValidationError

from heardback_shared.contracts.envelope import Envelope
from heardback_shared.contracts.events import SURVEY_SUBMITTED, TRANSCRIPT_SUBMITTED
from heardback_shared.contracts.feedback import FeedbackIn, SurveyIn, TranscriptIn
from heardback_shared.http.problems import field_errors

MODELS: dict[str, type[SurveyIn] | type[TranscriptIn]] = {
    SURVEY_SUBMITTED: SurveyIn,
    TRANSCRIPT_SUBMITTED: TranscriptIn,
}


class NotAcceptableError(Exception):
    """The event cannot be accepted. `errors` are (JSON pointer, what to send instead)."""

    def __init__(self, errors: tuple[tuple[str, str], ...]) -> None:
        super().__init__("; ".join(f"{pointer or '/'} {detail}" for pointer, detail in errors))
        self.errors = errors


def submission_of(event: Envelope, prefix: str = "/data") -> FeedbackIn:
    """What was submitted; raises NotAcceptableError. `prefix` is where the data lies in what was sent."""
    model = MODELS.get(event.type)
    if model is None:
        raise NotAcceptableError((("/type", f"send {SURVEY_SUBMITTED} or {TRANSCRIPT_SUBMITTED}"),))
    try:
        return model.model_validate_json(event.data)
    except ValidationError as error:
        findings = tuple((prefix + pointer, detail) for pointer, detail in field_errors(error))
        raise NotAcceptableError(findings) from error
