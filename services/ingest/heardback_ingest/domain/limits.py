"""How large one submission may be, and what a database or a log cannot hold."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from heardback_shared.contracts.feedback import FeedbackIn, SurveyIn

Finding = tuple[str, str]
"""(JSON pointer, what to send instead)."""


@dataclass(frozen=True, slots=True)
class Limits:
    text_chars: int = 20_000
    turns: int = 500
    context_entries: int = 50
    context_value_chars: int = 1_000


DEFAULT_LIMITS = Limits()


def too_large(submission: FeedbackIn, limits: Limits) -> tuple[Finding, ...]:
    """Every part that is beyond a limit."""
    return tuple(_oversized(submission, limits))


def _oversized(submission: FeedbackIn, limits: Limits) -> Iterator[Finding]:
    if isinstance(submission, SurveyIn):
        if submission.comment is not None and len(submission.comment) > limits.text_chars:
            yield "/comment", f"send at most {limits.text_chars} characters"
    else:
        if len(submission.turns) > limits.turns:
            yield "/turns", f"send at most {limits.turns} turns"
        for index, turn in enumerate(submission.turns):
            if len(turn.text) > limits.text_chars:
                yield f"/turns/{index}/text", f"send at most {limits.text_chars} characters"
    if len(submission.context) > limits.context_entries:
        yield "/context", f"send at most {limits.context_entries} entries"
    for key, value in submission.context.items():
        if isinstance(value, str) and len(value) > limits.context_value_chars:
            yield _context(key), f"send at most {limits.context_value_chars} characters"


def unstorable(submission: FeedbackIn) -> tuple[Finding, ...]:
    """Names with a NUL character, which no database takes, and numbers that are none."""
    return tuple(_unstorable(submission))


def _unstorable(submission: FeedbackIn) -> Iterator[Finding]:
    names = [
        ("/source", submission.source),
        ("/external_id", submission.external_id),
        ("/channel", submission.channel),
        ("/touchpoint", submission.touchpoint),
        ("/customer/id", submission.customer.id if submission.customer else None),
    ]
    for pointer, name in names:
        if name is not None and "\x00" in name:
            yield pointer, "must not contain the character U+0000"
    if isinstance(submission, SurveyIn) and submission.metric is not None:
        metric = submission.metric
        for pointer, number in (("value", metric.value), ("min", metric.min), ("max", metric.max)):
            if not math.isfinite(number):
                yield f"/metric/{pointer}", "must be a finite number"
    for key, value in submission.context.items():
        if "\x00" in key:
            yield "/context", "its names must not contain the character U+0000"
        if isinstance(value, float) and not math.isfinite(value):
            yield _context(key), "must be a finite number"
        if isinstance(value, int) and abs(value) >= 2**63:
            yield _context(key), "is too large for a number; send it as text"


def _context(key: str) -> str:
    return "/context/" + key.replace("~", "~0").replace("/", "~1")
