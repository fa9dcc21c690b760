"""The contact policy is read strictly, and refused whole."""

from datetime import time

import pytest

from heardback_router.configuration.source import packaged
from heardback_shared.contact.domain import QuietHours
from heardback_shared.contact.policy import read_contact
from heardback_shared.policies.reading import PolicyError

TEXT = packaged("contact.yaml")


def test_the_packaged_one() -> None:
    rules = read_contact(TEXT)
    assert rules.name == "default@1"
    assert rules.quiet == QuietHours(time(21), time(8))
    assert (rules.daily_cap, rules.weekly_cap, rules.digest_at, rules.digest_weekday) == (2, 5, time(9), 0)
    assert read_contact(TEXT.replace('{start: "21:00", end: "08:00"}', "null")).quiet is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('"21:00"', "21:00"), "quiet_hours/start: must be a time of day in quotes"),
        (('"21:00"', '"24:00"'), "quiet_hours/start"),
        (('end: "08:00"', 'end: "21:00"'), "nobody could ever be reached"),
        (("day: 2", "day: 0"), "caps/day"),
        (("week: 5", "weeks: 5"), "caps/weeks"),
        (("UTC", "Mars/Base"), "time_zone: must be an IANA time zone"),
        (("monday", "mon"), "digest/weekday"),
        (("refresh_days: 365", "refresh_days: 0"), "refresh_days"),
    ],
)
def test_faults_are_named(change: tuple[str, str], says: str) -> None:
    changed = TEXT.replace(*change, 1)
    assert changed != TEXT
    with pytest.raises(PolicyError, match=says):
        read_contact(changed)
