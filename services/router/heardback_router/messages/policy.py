"""Reading the messages policy. Every template is tried with all facts and with none before it is taken."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product
from typing import Annotated, get_args

from babel import Locale, UnknownLocaleError
from pydantic import Field, StringConstraints

from heardback_router.messages.domain import (
    ChangeFacts,
    MessageFacts,
    MessageLinks,
    Result,
    Sensitivity,
    Step,
)
from heardback_router.messages.grades import Formula
from heardback_router.messages.lint import LintRules, lint
from heardback_router.messages.rendering import LanguageTexts, MessagesPolicy, render
from heardback_router.messages.templates import BadTemplateError, MessageTemplate, Pattern, pattern
from heardback_router.wording import CustomerText, LanguageCode
from heardback_shared.policies.reading import PolicyError, Shape, Slug, Version, Words, parsed

STEPS: tuple[Step, ...] = get_args(Step)
SENSITIVITIES: tuple[Sensitivity, ...] = get_args(Sensitivity)
WARNED = frozenset({"reading_level", "shouting", "other_language"})
"""What a deployment may decide to live with; everything else refuses the policy."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=8_000)]
Subject = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"^[^\n\r]*$")]
AboutKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)?$")]

Domain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=253)]


class _Texts(Shape):
    subject: Subject
    standard: Text
    sensitive: Text | None = None


class _Lint(Shape):
    formula: Formula = "none"
    highest_grade: Annotated[float, Field(ge=1, le=20)] = 10.0
    blame: tuple[Words, ...] = ()
    internal: tuple[Words, ...] = ()
    acronyms: tuple[Words, ...] = ()
    solved: tuple[Words, ...] = ()
    promises: tuple[Words, ...] = ()


class _Language(Shape):
    disclosure: Text
    footer: Text
    about: dict[AboutKey, Words] = Field(default_factory=dict)
    lint: _Lint = _Lint()
    templates: dict[Step, _Texts]


class _Messages(Shape):
    policy: Version
    otherwise: Slug
    may_name: frozenset[Domain] = frozenset()
    languages: dict[LanguageCode, _Language]


def read_messages(text: str) -> MessagesPolicy:
    """Raises PolicyError, with a fault for each template that cannot be used or sent."""
    shape = parsed(text, _Messages)
    faults: list[tuple[str, str]] = []
    languages = {code: _language(code, given, faults) for code, given in shape.languages.items()}
    whole = languages.get(shape.otherwise)
    wanted = set(product(STEPS, SENSITIVITIES))
    if whole is None:
        faults.append(("/otherwise", f"is none of the languages: {', '.join(languages)}"))
    elif missing := sorted(wanted - set(whole.templates)):
        told = ", ".join(f"{step}/{how}" for step, how in missing)
        faults.append((f"/languages/{shape.otherwise}/templates", f"everybody else's language lacks {told}"))
    policy = MessagesPolicy(shape.policy, languages, shape.otherwise, shape.may_name)
    if not faults:
        faults = [(where, what) for where, rule, what in _tried(policy) if rule not in WARNED]
    if faults:
        told = "; ".join(f"{where.lstrip('/')}: {what}" for where, what in faults)
        raise PolicyError(f"messages policy {shape.policy}: {told}", tuple(faults))
    return policy


def warnings_of(policy: MessagesPolicy) -> tuple[str, ...]:
    """What could be better in its texts, and is taken all the same."""
    return tuple(
        dict.fromkeys(
            f"{where.lstrip('/')}: {what}" for where, rule, what in _tried(policy) if rule in WARNED
        )
    )


def _language(code: str, given: _Language, faults: list[tuple[str, str]]) -> LanguageTexts:
    at = f"/languages/{code}"
    try:
        Locale.parse(code, sep="-")
    except (UnknownLocaleError, ValueError):
        faults.append((at, f"{code} is no language whose dates can be written; send one such as de or pt-br"))
    templates: dict[tuple[Step, Sensitivity], MessageTemplate] = {}
    for step, texts in given.templates.items():
        place = f"{at}/templates/{step}"
        subject = _pattern(texts.subject, f"{place}/subject", faults)
        templates[step, "standard"] = MessageTemplate(
            subject, _pattern(texts.standard, f"{place}/standard", faults)
        )
        if texts.sensitive is not None:
            body = _pattern(texts.sensitive, f"{place}/sensitive", faults)
            templates[step, "sensitive"] = MessageTemplate(subject, body)
    return LanguageTexts(
        code,
        templates,
        given.about,
        _pattern(given.disclosure, f"{at}/disclosure", faults),
        _pattern(given.footer, f"{at}/footer", faults),
        LintRules(code, **dict(given.lint)),
    )


def _pattern(source: str, where: str, faults: list[tuple[str, str]]) -> Pattern:
    try:
        return pattern(source)
    except BadTemplateError as error:
        faults.append((where, str(error)))
        return pattern("-")


def _tried(policy: MessagesPolicy) -> Iterator[tuple[str, str, str]]:
    """(pointer, rule, finding) for every template and set of facts."""
    for code, texts in policy.languages.items():
        for step, sensitivity in texts.templates:
            where = f"/languages/{code}/templates/{step}/{sensitivity}"
            for facts, links in _samples(step):
                yield from (
                    (where, rule, what)
                    for rule, what in _faults(policy, code, step, sensitivity, facts, links)
                )


def _faults(
    policy: MessagesPolicy,
    code: str,
    step: Step,
    sensitivity: Sensitivity,
    facts: MessageFacts,
    links: MessageLinks,
) -> Iterator[tuple[str, str]]:
    try:
        rendered = render(policy, step, sensitivity, code, facts, links)
    except ValueError as error:
        yield "blank", f"with some facts missing it {error}"
        return
    results: frozenset[Result] = frozenset(change.result for change in facts.changes)
    for text in (rendered.subject.text, rendered.body.text):
        if _NONE.search(text):
            yield "blank", "prints a fact that may be missing; ask for it with if first"
        for found in lint(text, policy.languages[code].lint, _AT, results):
            yield found.rule, found.detail


_NONE = re.compile(r"\bNone\b")
_AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
_URL = "https://example.test/l/t"
_LINKS = MessageLinks("https://example.test/c/t", _URL, _URL, _URL, _URL, _AT)
_RESULTS: tuple[Result, ...] = get_args(Result)


def _samples(step: Step) -> Iterator[tuple[MessageFacts, MessageLinks]]:
    """All facts, no fact, and each result by itself: whatever can be missing is missing once."""
    bare = MessageLinks(_LINKS.page)
    said = CustomerText("The bill is now right.")
    answer = said if step == "contest_answered" else None
    full = MessageFacts("operations/billing", date(2026, 2, 20), (), said, answer, _AT)
    if step != "told":
        yield full, _LINKS
        yield MessageFacts(answer=answer), bare
        return
    for result in _RESULTS:
        text = CustomerText("The bill is as it should be.")
        change = ChangeFacts(result, text, date(2026, 3, 1), "ch_1", "R-7")
        yield replace(full, changes=(change,)), _LINKS
        yield MessageFacts(changes=(change, change)), bare
