"""Fills a template with facts. Pure, and the same facts always give the same words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time

from heardback_router.messages.domain import (
    ChangeFacts,
    MessageFacts,
    MessageLinks,
    Rendered,
    Sensitivity,
    Step,
)
from heardback_router.messages.lint import LintRules
from heardback_router.messages.templates import MessageTemplate, Pattern
from heardback_router.promises.suggest import main_part
from heardback_router.wording import CustomerText, language_name


@dataclass(frozen=True)
class LanguageTexts:
    """All that is said in one language. `about` is by root cause, `domain/category` or a domain alone."""

    code: str
    templates: Mapping[tuple[Step, Sensitivity], MessageTemplate]
    about: Mapping[str, str]
    disclosure: Pattern
    footer: Pattern
    lint: LintRules


@dataclass(frozen=True)
class MessagesPolicy:
    """`otherwise` is the language for everybody whose own has no texts; it has every template."""

    name: str
    languages: Mapping[str, LanguageTexts]
    otherwise: str
    may_name: frozenset[str] = frozenset()
    """Domains whose links and e-mail addresses people may put into texts for customers."""

    def texts_for(self, language: str | None) -> LanguageTexts:
        """Those of the language, of its main part (`de` for `de-AT`), or of `otherwise`."""
        return self._texts_in(language or "") or self.languages[self.otherwise]

    def rules_for(self, language: str | None) -> LintRules:
        """For a text in that language; without one, for the text that everybody else reads."""
        if language is None:
            return self.languages[self.otherwise].lint
        found = self._texts_in(language)
        return found.lint if found else LintRules(language)

    def _texts_in(self, language: str) -> LanguageTexts | None:
        code = language.lower()
        return self.languages.get(code) or self.languages.get(main_part(code))


def render(
    policy: MessagesPolicy,
    step: Step,
    sensitivity: Sensitivity,
    language: str | None,
    facts: MessageFacts,
    links: MessageLinks,
    zone: str | None = None,
) -> Rendered:
    """The message in the customer's language, or in the one for everybody else; `language` says in which.

    Where the policy has no words for a sensitive case in that language, the standard ones are used, and
    `template` says so. What a machine judged is always disclosed, and how to have less mail is always said:
    no template can leave either out. Times are told in `zone`, UTC where it is not known.
    """
    texts = policy.texts_for(language)
    chosen: Sensitivity = sensitivity if (step, sensitivity) in texts.templates else "standard"
    if (step, chosen) not in texts.templates:
        texts = policy.languages[policy.otherwise]
        chosen = sensitivity if (step, sensitivity) in texts.templates else "standard"
    template = texts.templates[step, chosen]
    values = values_of(texts, facts, links, zone, policy.otherwise)
    parts = [template.body.fill(values)]
    if facts.automated:
        parts.append(texts.disclosure.fill(values))
    parts.append(texts.footer.fill(values))
    return Rendered(
        subject=CustomerText(" ".join(template.subject.fill(values).split())),
        body=CustomerText("\n\n".join(part for part in parts if part)),
        language=texts.code,
        template=f"{policy.name}#{step}/{chosen}/{texts.code}",
    )


def values_of(
    texts: LanguageTexts, facts: MessageFacts, links: MessageLinks, zone: str | None, otherwise: str
) -> dict[str, Any]:
    """Everything a template may name, as text. `otherwise` is the language of what has no translation."""
    return {
        "about": _about(texts, facts.about),
        "raised_on": _day(facts.raised_on, texts.code),
        "changes": [_change(change, texts.code, otherwise) for change in facts.changes],
        "plan": facts.plan.text if facts.plan else None,
        "answer": facts.answer.text if facts.answer else None,
        "due": _moment(facts.due, texts.code, zone),
        "page": links.page,
        "confirm": links.confirm,
        "dispute": links.dispute,
        "contest": links.contest,
        "preferences": links.preferences,
        "expires_on": _day(links.expires_at.date() if links.expires_at else None, texts.code),
    }


def _about(texts: LanguageTexts, root_cause: str | None) -> str | None:
    if root_cause is None:
        return None
    return texts.about.get(root_cause) or texts.about.get(root_cause.partition("/")[0])


def _change(change: ChangeFacts, language: str, otherwise: str) -> dict[str, str | None]:
    told_in = change.language_of(language, otherwise)
    return {
        "result": change.result,
        "text": change.text_in(language).text,
        "on": _day(change.on, language) or "",
        "reference": change.reference or change.change_id,
        "language": None if told_in == language else language_name(told_in, language),
    }


def _day(day: date | None, language: str) -> str | None:
    return format_date(day, format="long", locale=language) if day else None


def _moment(at: datetime | None, language: str, zone: str | None) -> str | None:
    if at is None:
        return None
    local = at.astimezone(ZoneInfo(zone or "UTC"))
    clock = format_time(local, format="short", locale=language)
    return f"{format_date(local.date(), format='long', locale=language)}, {clock} ({zone or 'UTC'})"
