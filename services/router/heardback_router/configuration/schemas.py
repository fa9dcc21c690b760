"""What goes in and out of the policies' routes."""

from dataclasses import asdict
from typing import Annotated, Any

from pydantic import Field, StringConstraints, field_validator
from sqlalchemy import RowMapping

from heardback_router.configuration.domain import ApplyTo, Version
from heardback_shared.contracts.base import Submission

MOST_NUMBER = 2**31 - 1
Said = Annotated[
    str, StringConstraints(min_length=1, max_length=1_000, strip_whitespace=True, pattern=r"^[^\x00]+$")
]
Number = Annotated[int, Field(ge=1, le=MOST_NUMBER)]


class _WithText(Submission):
    text: Annotated[str, Field(min_length=1)]
    """The whole policy as YAML."""

    @field_validator("text")
    @classmethod
    def _can_be_kept(cls, text: str) -> str:
        if "\x00" in text:
            raise ValueError("must not hold the character U+0000")
        return text


class DraftIn(_WithText):
    reason: Said


class EditIn(_WithText):
    reason: Said | None = None


class ReviewIn(Submission):
    approve: bool
    words: Said


class ActivateIn(Submission):
    apply_to: ApplyTo = "new"
    reason: Said | None = None


class RollbackIn(Submission):
    to: Number | None = None
    """A version that was in force before; what was in force last if not given."""
    apply_to: ApplyTo = "new"
    reason: Said


def shown(version: Version, *, text: bool = False) -> dict[str, Any]:
    body = {
        "kind": version.kind,
        "number": version.number,
        "state": version.state,
        "policy": version.content.policy,
        "digest": version.content.digest,
        "author": version.author,
        "authors": list(version.authors),
        "reason": version.reason,
        "created_at": version.created_at,
        "edited_at": version.edited_at,
        "edition": version.edition,
        "review": asdict(version.review) if version.review else None,
        "activation": asdict(version.activation) if version.activation else None,
    }
    return {**body, "text": version.content.text} if text else body


def shown_deed(row: RowMapping) -> dict[str, Any]:
    return {name: row[name] for name in ("sequence", "number", "deed", "actor", "at", "words", "data")}
