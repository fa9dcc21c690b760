"""The life of one version of a policy: draft → reviewed → active → retired. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

State = Literal["draft", "reviewed", "active", "retired"]
ApplyTo = Literal["new", "open"]


class RefusedError(Exception):
    """The version's state does not allow it. The message says what would."""


class FourEyesError(RefusedError):
    """Who wrote a version does not review it."""


@dataclass(frozen=True, slots=True)
class Text:
    """A policy's text with its name@version and its SHA-256."""

    policy: str
    text: str
    digest: str


@dataclass(frozen=True, slots=True)
class Review:
    """`words` are the reviewer's own; never empty."""

    approved: bool
    reviewer: str
    words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Activation:
    """When it was last put in force. `replaced` is what was in force before the first time, None: no version.

    `what_if` is the report that was looked at, None where the kind needs none.
    """

    by: str
    at: datetime
    because: str | None
    apply_to: ApplyTo
    what_if: str | None
    replaced: int | None


@dataclass(frozen=True, slots=True)
class Version:
    """`edition` counts the changes of the version; `authors` are all who wrote some of its text."""

    kind: str
    number: int
    state: State
    content: Text
    authors: tuple[str, ...]
    reason: str
    created_at: datetime
    edited_at: datetime
    edition: int = 1
    review: Review | None = None
    activation: Activation | None = None

    @property
    def author(self) -> str:
        return self.authors[0]


def drafted(kind: str, number: int, content: Text, author: str, reason: str, at: datetime) -> Version:
    return Version(kind, number, "draft", content, (author,), reason, at, at)


def edited(version: Version, content: Text, author: str, reason: str | None, at: datetime) -> Version:
    """The draft with another text; what was said of the former text no longer counts. Raises RefusedError."""
    if version.state != "draft":
        raise RefusedError(
            f"Version {version.number} is {version.state}; only a draft is edited. Make a new version of it."
        )
    authors = version.authors if author in version.authors else (*version.authors, author)
    return replace(
        version,
        content=content,
        authors=authors,
        reason=reason or version.reason,
        edited_at=at,
        edition=version.edition + 1,
        review=None,
    )


def reviewed(version: Version, review: Review) -> Version:
    """Approved drafts can be activated; the others stay drafts. Raises FourEyesError, RefusedError."""
    if version.state != "draft":
        raise RefusedError(f"Version {version.number} is {version.state}; only a draft is reviewed.")
    if any(_same(review.reviewer, author) for author in version.authors):
        raise FourEyesError(f"{review.reviewer} wrote this version; somebody else has to review it.")
    state: State = "reviewed" if review.approved else "draft"
    return replace(version, state=state, edition=version.edition + 1, review=review)


def activated(version: Version, activation: Activation) -> Version:
    """Raises RefusedError unless somebody else has approved this very text."""
    if version.state != "reviewed" or version.review is None or not version.review.approved:
        means = {
            "draft": "it has to be reviewed by somebody else first",
            "active": "it is in force already",
            "retired": "roll back to put it in force again",
        }.get(version.state, "it has no approving review")
        raise RefusedError(f"Version {version.number} is {version.state}; {means}.")
    return replace(version, state="active", edition=version.edition + 1, activation=activation)


def retired(version: Version) -> Version:
    return replace(version, state="retired", edition=version.edition + 1)


def restored(version: Version, by: str, because: str, at: datetime, apply_to: ApplyTo) -> Version:
    """A version that was in force before, in force again with the same text. Raises RefusedError."""
    if version.state != "retired" or version.activation is None:
        raise RefusedError(
            f"Version {version.number} is {version.state}; one can roll back only to a version "
            "that was in force before."
        )
    activation = replace(version.activation, by=by, at=at, because=because, apply_to=apply_to)
    return replace(version, state="active", edition=version.edition + 1, activation=activation)


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()
