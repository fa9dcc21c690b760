"""Two kinds of text that must never be mixed up: what colleagues write, and what a customer reads.

They share no base class on purpose: a function that sends something to a customer takes `CustomerText`,
and the type checker refuses anything else.
"""

from dataclasses import dataclass

CUSTOMER_TEXT_LIMIT = 2_000
"""What a person writes for customers; a whole message may be longer."""
MESSAGE_LIMIT = 20_000
INTERNAL_TEXT_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class CustomerText:
    """Written to be read by the customer. The only text that deliveries carry."""

    text: str

    def __post_init__(self) -> None:
        _check(self.text, MESSAGE_LIMIT)


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
