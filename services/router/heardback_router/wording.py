"""Two kinds of text that must never be mixed up: what colleagues write, and what a customer reads.

They share no base class on purpose: a function that sends something to a customer takes `CustomerText`,
and the type checker refuses anything else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from babel import Locale
from pydantic import StringConstraints

CUSTOMER_TEXT_LIMIT = 2_000
"""What a person writes for customers; a whole message may be longer."""
MESSAGE_LIMIT = 20_000
INTERNAL_TEXT_LIMIT = 10_000
LanguageCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[a-z0-9]{2,8})*$")]
"""As languages are named here: `de`, `pt-br`."""


def language_name(code: str, reader: str) -> str:
    """What a language is called in the reader's: `Englisch` for (`en`, `de`)."""
    return Locale.parse(code, sep="-").get_display_name(Locale.parse(reader, sep="-")) or code


@dataclass(frozen=True, slots=True)
class CustomerText:
    """Written to be read by the customer. The only text that deliveries carry."""

    text: str

    def __post_init__(self) -> None:
        _check(self.text, MESSAGE_LIMIT)


Translations = tuple[tuple[LanguageCode, CustomerText], ...]
"""The same in other languages, by code, as a person wrote or checked it."""


def translated(said: Mapping[str, str]) -> Translations:
    return tuple((language, CustomerText(text)) for language, text in said.items())


@dataclass(frozen=True, slots=True)
class InternalText:
    """Written for colleagues: comments, causes, reasons. Never leaves the backlog."""

    text: str

    def __post_init__(self) -> None:
        _check(self.text, INTERNAL_TEXT_LIMIT)


def _check(text: str, limit: int) -> None:
    if not text.strip():
        raise ValueError("must say something")
    if len(text) > limit:
        raise ValueError(f"must be at most {limit} characters long; it is {len(text)}")
