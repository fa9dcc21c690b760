"""From a submission to what may leave the service: redacted, in the shape events carry."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from heardback_ingest.domain.redaction import PLACEHOLDERS, redact
from heardback_shared.contracts.feedback import (
    ContextValue,
    FeedbackContent,
    FeedbackIn,
    SurveyIn,
    TranscriptIn,
    Turn,
)

PERSONAL_FIELDS = frozenset(
    {
        "email",
        "e-mail",
        "mail",
        "phone",
        "telephone",
        "mobile",
        "first_name",
        "last_name",
        "full_name",
        "customer_name",
        "contact_name",
        "address",
        "street",
        "date_of_birth",
        "birthday",
        "password",
    }
)
"""Context entries with these names are personal whatever they hold."""

LARGEST_PLAIN_NUMBER = 10**9
"""Larger whole numbers in the context are looked at as text: they may be a card or a telephone."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A submission ready to be stored. `altered`: the original holds something the content does not."""

    content: FeedbackContent
    altered: bool


class _Redactor:
    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self.counts: Counter[str] = Counter()
        self.altered = False

    def text(self, text: str) -> str:
        found = redact(text, self._names)
        result = found.text.replace("\x00", "\ufffd")
        if result != text:
            self.altered = True
            self.counts.update(dict(found.counts))
        return result

    def maybe(self, text: str | None) -> str | None:
        return None if text is None else self.text(text)

    def context(self, context: dict[str, ContextValue]) -> dict[str, ContextValue]:
        return {self.text(key): self._entry(key, value) for key, value in context.items()}

    def _entry(self, key: str, value: ContextValue) -> ContextValue:
        if value is None or isinstance(value, bool):
            return value
        if key.lower() in PERSONAL_FIELDS:
            self.altered = True
            self.counts["field"] += 1
            return PLACEHOLDERS["field"]
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int) and abs(value) >= LARGEST_PLAIN_NUMBER:
            said = f"{key} {value}"
            found = redact(said, self._names)
            if found.text != said:
                self.altered = True
                self.counts.update(dict(found.counts))
                return found.text.removeprefix(f"{key} ")
        return value


def prepare(submission: FeedbackIn) -> Prepared:
    """What travels. Speakers are dropped (the role stays); the names of contact and customer are redacted."""
    redactor = _Redactor(_names(submission))
    survey = submission if isinstance(submission, SurveyIn) else None
    transcript = submission if isinstance(submission, TranscriptIn) else None
    content = FeedbackContent.model_construct(
        kind="survey" if survey else "transcript",
        source=submission.source,
        external_id=submission.external_id,
        revision=submission.revision,
        channel=redactor.maybe(submission.channel),
        touchpoint=redactor.maybe(submission.touchpoint),
        language=submission.language,
        context=redactor.context(submission.context) if submission.context else {},
        metric=survey.metric if survey else None,
        comment=redactor.maybe(survey.comment) if survey else None,
        turns=_turns(transcript, redactor) if transcript else (),
        happened_at=_happened_at(submission),
        opened_at=transcript.opened_at if transcript else None,
        closed_at=transcript.closed_at if transcript else None,
        resolution=transcript.resolution if transcript else None,
        redactions=dict(redactor.counts),
    )
    return Prepared(content, redactor.altered or _has_contact(submission))


def _turns(transcript: TranscriptIn, redactor: _Redactor) -> tuple[Turn, ...]:
    if any(turn.speaker for turn in transcript.turns):
        redactor.altered = True
    return tuple(
        Turn.model_construct(role=turn.role, text=redactor.text(turn.text), at=turn.at, speaker=None)
        for turn in transcript.turns
    )


def _names(submission: FeedbackIn) -> tuple[str, ...]:
    names = []
    if submission.customer and submission.customer.contact and submission.customer.contact.name:
        names.append(submission.customer.contact.name)
    if isinstance(submission, TranscriptIn):
        names += [t.speaker for t in submission.turns if t.role == "customer" and t.speaker]
    return tuple(dict.fromkeys(n for n in names if n.lower() not in {"customer", "user", "guest", "client"}))


def _has_contact(submission: FeedbackIn) -> bool:
    return submission.customer is not None and submission.customer.contact is not None


def _happened_at(submission: FeedbackIn) -> datetime | None:
    if isinstance(submission, SurveyIn):
        return submission.answered_at
    told = [turn.at for turn in submission.turns if turn.at]
    return submission.closed_at or (told[-1] if told else None) or submission.opened_at
