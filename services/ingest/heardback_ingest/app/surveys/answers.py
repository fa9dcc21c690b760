"""Which invitation a survey answer that comes in may belong to."""

from datetime import datetime

from heardback_ingest.app.surveys.ports import Answered
from heardback_shared.contracts.feedback import FeedbackIn, SurveyIn


def answer_to_invitation(feedback_id: str, submission: FeedbackIn, now: datetime) -> Answered | None:
    """None for what is no answer, or tells neither who answered nor what.

    `context.invitation` names the reservation; else `context.survey`, the kind of metric and the touchpoint
    say which of the customer's invitations it can be.
    """
    if not isinstance(submission, SurveyIn):
        return None
    customer = submission.customer.id if submission.customer else None
    invitation = _text(submission, "invitation")
    survey = _text(submission, "survey")
    kind = submission.metric.kind if submission.metric else None
    if invitation is None and (customer is None or (survey is None and kind is None)):
        return None
    at = min(submission.answered_at or now, now)
    metric = "other" if kind == "stars" else kind
    return Answered(feedback_id, at, customer, invitation, survey, metric, submission.touchpoint)


def _text(submission: SurveyIn, name: str) -> str | None:
    value = submission.context.get(name)
    return value if isinstance(value, str) and value and "\x00" not in value else None
