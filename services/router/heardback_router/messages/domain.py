"""What a message may say. Every word in it is a CustomerText or one of a few plain facts. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from heardback_router.wording import CustomerText, Translations

Step = Literal["acknowledged", "planned", "told", "delayed", "contest_received", "contest_answered"]
"""`told`: what became of it. `delayed`: a promise or an agreed time will not be kept."""

Sensitivity = Literal["standard", "sensitive"]
"""`sensitive`: safety, law, bereavement, distress. Plain and without cheer."""

Result = Literal["done", "partial", "declined"]
"""What became of a matter: changed, changed in part, or not changed, with a reason."""


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """What a message claims, and what the claim rests on."""

    result: Result
    text: CustomerText
    on: date
    change_id: str
    reference: str | None = None
    """As a customer may quote it, such as the number of a release."""
    reviewed: bool = False
    translations: Translations = ()

    def text_in(self, language: str) -> CustomerText:
        return dict(self.translations).get(language, self.text)

    def language_of(self, asked: str, otherwise: str) -> str:
        """The language of `text_in(asked)`; `otherwise` is that of `text`."""
        return asked if asked in dict(self.translations) else otherwise


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """All that a template may use.

    `about` is the root cause (`domain/category`); the policy says what it is called towards customers, and
    where it does not, or history is missing, the message stays neutral. `raised_on` is when they wrote.
    `answer` is what a person says to somebody who contested a judgement.
    """

    about: str | None = None
    raised_on: date | None = None
    changes: tuple[ChangeFacts, ...] = ()
    plan: CustomerText | None = None
    answer: CustomerText | None = None
    due: datetime | None = None
    automated: bool = True
    """A machine read or ranked the matter; the message says so, and how to contest it."""


@dataclass(frozen=True, slots=True)
class AnswerLinks:
    """What answers one of the matters of a message."""

    loop_id: str
    confirm: str
    dispute: str


@dataclass(frozen=True, slots=True)
class MessageLinks:
    """Signed addresses that only this customer gets."""

    page: str
    confirm: str | None = None
    dispute: str | None = None
    contest: str | None = None
    preferences: str | None = None
    expires_at: datetime | None = None
    answers: tuple[AnswerLinks, ...] = ()
    """Of a message about several matters: each is confirmed or disputed by itself."""
    unsubscribe: str | None = None
    """For mail programs (List-Unsubscribe): one POST to it ends messages of this purpose."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """`template` names policy, version, step, sensitivity and language: `default@1#told/standard/de`."""

    subject: CustomerText
    body: CustomerText
    language: str
    template: str
