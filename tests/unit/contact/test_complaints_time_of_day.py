"""Messages at the wrong hour, as people complain about elsewhere: novuhq/novu#2808, rcourtman/Pulse#1398."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from heardback_router.configuration.source import packaged
from heardback_shared.contact.domain import Ask, Later, Never, Now, QuietHours, Recipient
from heardback_shared.contact.policy import read_contact
from heardback_shared.contact.verdict import verdict

RULES = read_contact(packaged("contact.yaml"))
SAME_INSTANT = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "local"),
    [
        ("America/Los_Angeles", None),  # noon there
        ("Europe/Berlin", "2026-11-25T08:00"),  # nine in the evening
        ("Asia/Tokyo", "2026-11-25T08:00"),  # five in the morning, a day ahead
        ("Asia/Kathmandu", "2026-11-25T08:00"),  # a quarter before two
    ],
)
def test_complaint_delivery_knows_no_time_zones(zone: str, local: str | None) -> None:
    answer = verdict(
        Recipient("c", "p", ("email",), time_zone=zone), Ask("case_updates"), [], RULES, SAME_INSTANT
    )
    if local is None:
        assert answer == Now("email")
    else:
        assert isinstance(answer, Later)
        assert answer.at == datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone))


def test_complaint_quiet_hours_are_ignored() -> None:
    who = Recipient("c", "p", ("email",), quiet=QuietHours(time(22), time(7)), time_zone="Europe/Berlin")
    for purpose in ("case_updates", "surveys"):
        for automatic in (True, False):
            at = datetime(2026, 11, 24, 0, 0, tzinfo=ZoneInfo("Europe/Berlin"))
            for minute in range(0, 24 * 60, 10):
                now = at + timedelta(minutes=minute)
                quiet = now.hour >= 22 or now.hour < 7
                answer = verdict(who, Ask(purpose, automatic=automatic), [], RULES, now)
                assert isinstance(answer, Later if quiet else Now)


def test_complaint_what_quiet_hours_hold_back_is_lost() -> None:
    """It comes at their end, however often it is asked about in between."""
    who = Recipient("c", "p", ("email",), time_zone="Europe/Berlin")
    now = datetime(2026, 11, 24, 22, 0, tzinfo=UTC)
    for _ in range(50):
        answer = verdict(who, Ask("case_updates"), [], RULES, now)
        assert not isinstance(answer, Never)
        if isinstance(answer, Now):
            break
        assert answer.at == datetime(2026, 11, 25, 7, 0, tzinfo=UTC)
        now = min(now + timedelta(minutes=37), answer.at)
    assert now == datetime(2026, 11, 25, 7, 0, tzinfo=UTC)
