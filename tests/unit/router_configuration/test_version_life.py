"""Whatever people do in whatever order: nothing comes into force unread, and no text changes on its way."""

from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON

from heardback_router.configuration.domain import (
    Activation,
    FourEyesError,
    RefusedError,
    Review,
    Text,
    Version,
    activated,
    drafted,
    edited,
    restored,
    retired,
    reviewed,
)

PEOPLE = ("ana", "bo", "Ana ")
DEED = st.sampled_from(("draft", "edit", "approve", "send back", "activate", "roll back"))


def content(number: int) -> Text:
    text = f"policy: ours@{number}\n"
    return Text(f"ours@{number}", text, sha256(text.encode()).hexdigest())


@dataclass
class Shelf:
    """Versions by number as the store keeps them, and every text that was ever in force."""

    versions: dict[int, Version] = field(default_factory=dict)
    was_in_force: dict[int, Text] = field(default_factory=dict)

    @property
    def active(self) -> Version | None:
        found = [v for v in self.versions.values() if v.state == "active"]
        assert len(found) <= 1
        return found[0] if found else None

    def put_in_force(self, version: Version) -> None:
        if self.active is not None:
            self.versions[self.active.number] = retired(self.active)
        self.versions[version.number] = version
        self.was_in_force.setdefault(version.number, version.content)

    def do(self, deed: str, who: str, number: int, step: int) -> None:
        at = NOON + timedelta(minutes=step)
        if deed == "draft":
            new = len(self.versions) + 1
            self.versions[new] = drafted("routing", new, content(step), who, "a trial", at)
            return
        version = self.versions.get(number)
        if version is None:
            return
        before = self.active.number if self.active else None
        match deed:
            case "edit":
                self.versions[number] = edited(version, content(step), who, None, at)
            case "approve" | "send back":
                self.versions[number] = reviewed(version, Review(deed == "approve", who, "read", at))
            case "activate":
                self.put_in_force(activated(version, Activation(who, at, None, "new", None, before)))
            case _:
                self.put_in_force(restored(version, who, "again", at, "new"))


@given(st.lists(st.tuples(DEED, st.sampled_from(PEOPLE), st.integers(1, 4)), max_size=40))
def test_what_is_in_force_was_approved_by_somebody_who_did_not_write_it(
    deeds: list[tuple[str, str, int]],
) -> None:
    shelf = Shelf()
    for step, (deed, who, number) in enumerate(deeds):
        before = dict(shelf.versions)
        try:
            shelf.do(deed, who, number, step)
        except RefusedError:
            assert shelf.versions == before
        for version in shelf.versions.values():
            if version.state == "draft":
                continue
            assert version.review is not None
            assert version.review.approved
            names = {author.strip().casefold() for author in version.authors}
            assert version.review.reviewer.strip().casefold() not in names
            assert version.edited_at <= version.review.at
        for number_, text in shelf.was_in_force.items():
            assert shelf.versions[number_].content == text


def test_a_draft_cannot_be_rolled_back_to() -> None:
    version = drafted("routing", 1, content(1), "ana", "a trial", NOON)
    with pytest.raises(RefusedError, match="only to a version that was in force before"):
        restored(version, "bo", "why", NOON, "new")


def test_all_who_wrote_some_of_it_are_its_authors() -> None:
    version = edited(
        drafted("routing", 1, content(1), "ana", "a trial", NOON), content(2), "cleo", None, NOON
    )
    assert version.authors == ("ana", "cleo")
    with pytest.raises(FourEyesError, match="cleo wrote this version"):
        reviewed(version, Review(True, "cleo", "fine", NOON))
