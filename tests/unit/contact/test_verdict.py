"""When a customer may be written to, against a plain second reading of the rules, minute by minute."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from heardback_router.configuration.source import packaged
from heardback_shared.contact.domain import (
    Ask,
    ContactRules,
    Digest,
    Later,
    Never,
    Now,
    QuietHours,
    Recipient,
    Touch,
    Verdict,
)
from heardback_shared.contact.policy import read_contact
from heardback_shared.contact.verdict import ASK_AGAIN, DIGEST_OPEN, WEEK, verdict

RULES = read_contact(packaged("contact.yaml"))
ASK = Ask("case_updates")
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ADA = Recipient("c-1", "p-1", ("email", "webhook"), time_zone="Europe/Berlin")
ZONES = ("Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC", "Pacific/Apia")
NIGHT = QuietHours(time(21), time(8))


def touch(at: datetime, *, automatic: bool = True, number: int = 0) -> Touch:
    return Touch(f"m-{number}-{at.isoformat()}", "p-1", "case_updates", "email", automatic, at)


def at_local(text: str, zone: str = "Europe/Berlin", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def later(given: Verdict) -> tuple[datetime, str]:
    assert isinstance(given, Later)
    return given.at, given.code


wall = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
quiet_hours = st.one_of(
    st.none(), st.tuples(wall, wall).filter(lambda t: t[0] != t[1]).map(lambda t: QuietHours(*t))
)
# Around changes of the clock in the zones above, and around the day that Samoa left out.
moments = st.one_of(
    st.datetimes(datetime(2026, 3, 1), datetime(2026, 4, 10), timezones=st.just(UTC)),
    st.datetimes(datetime(2026, 10, 1), datetime(2026, 11, 5), timezones=st.just(UTC)),
    st.datetimes(datetime(2011, 12, 25), datetime(2012, 1, 3), timezones=st.just(UTC)),
)
rules = st.builds(
    ContactRules,
    name=st.just("t@1"),
    time_zone=st.sampled_from(ZONES),
    quiet=quiet_hours,
    daily_cap=st.integers(1, 3),
    weekly_cap=st.integers(1, 5),
    digest_at=wall,
    digest_weekday=st.integers(0, 6),
    refresh_days=st.just(365),
)
digests: st.SearchStrategy[Digest] = st.sampled_from(get_args(Digest))


@st.composite
def situations(draw: st.DrawFn) -> tuple[Recipient, list[Touch], ContactRules, datetime]:
    now = draw(moments)
    hours = draw(st.lists(st.floats(-24 * 9, 24 * 3), max_size=8))
    touches = [
        touch(now + timedelta(hours=h), automatic=draw(st.booleans()), number=n) for n, h in enumerate(hours)
    ]
    zone: str | None = draw(st.one_of(st.none(), st.sampled_from(ZONES)))
    digest: Digest = draw(digests)
    who = replace(ADA, time_zone=zone, quiet=draw(quiet_hours), digest=digest)
    return who, touches, draw(rules), now


def hindered(who: Recipient, touches: list[Touch], rules: ContactRules, at: datetime) -> bool:
    """The rules but for the digest, read anew and directly."""
    local = at.astimezone(ZoneInfo(who.time_zone or rules.time_zone))
    quiet = who.quiet or rules.quiet
    if quiet is not None:
        minute = (local.hour, local.minute)
        start, end = (quiet.start.hour, quiet.start.minute), (quiet.end.hour, quiet.end.minute)
        inside = start <= minute < end if start < end else not end <= minute < start
        if inside:
            return True
    today = [t for t in touches if t.automatic and t.at.astimezone(local.tzinfo).date() == local.date()]
    week = [t for t in touches if at - t.at < WEEK]
    return len(today) >= rules.daily_cap or len(week) >= rules.weekly_cap


@given(situations())
@settings(max_examples=300, deadline=None)
def test_never_in_quiet_hours_or_over_a_cap_and_always_some_time(
    given: tuple[Recipient, list[Touch], ContactRules, datetime],
) -> None:
    who, touches, rules, now = given
    answer = verdict(who, ASK, touches, rules, now)
    assert not isinstance(answer, Never)
    at = answer.at if isinstance(answer, Later) else now
    assert at >= now
    assert not hindered(who, touches, rules, at)
    assert verdict(who, ASK, touches, rules, at) == Now("email")


@given(situations())
@settings(max_examples=150, deadline=None)
def test_without_a_digest_no_earlier_minute_was_free(
    given: tuple[Recipient, list[Touch], ContactRules, datetime],
) -> None:
    who, touches, rules, now = given
    who = replace(who, digest="none")
    answer = verdict(who, ASK, touches, rules, now)
    at = answer.at if isinstance(answer, Later) else now
    minute = now
    while minute < at:
        assert hindered(who, touches, rules, minute)
        minute += timedelta(minutes=7)
    if at > now:
        assert hindered(who, touches, rules, at - timedelta(microseconds=1))


@given(situations(), st.floats(0, 24 * 10))
@settings(max_examples=200, deadline=None)
def test_asking_later_never_gives_an_earlier_moment(
    given: tuple[Recipient, list[Touch], ContactRules, datetime], hours: float
) -> None:
    who, touches, rules, now = given
    then = now + timedelta(hours=hours)
    first, second = (verdict(who, ASK, touches, rules, n) for n in (now, then))
    at = [a.at if isinstance(a, Later) else n for a, n in ((first, now), (second, then))]
    assert at[0] <= at[1]
    if at[0] >= then:
        assert at[0] == at[1]


@given(situations())
@settings(max_examples=150, deadline=None)
def test_a_digest_goes_out_once_each_time_it_opens(
    given: tuple[Recipient, list[Touch], ContactRules, datetime],
) -> None:
    who, _, rules, now = given
    who = replace(who, digest="daily")
    rules = replace(rules, daily_cap=100, weekly_cap=500)
    sent: list[Touch] = []
    for _ in range(5):
        answer = verdict(who, ASK, sent, rules, now)
        now = answer.at if isinstance(answer, Later) else now
        sent.append(touch(now))
    # Clocks jump, and digests kept back by quiet hours come at their end.
    assert len({t.at for t in sent}) == 5
    assert sent[-1].at - sent[0].at >= timedelta(days=3) - DIGEST_OPEN


@pytest.mark.parametrize(
    ("now", "quiet", "expected"),
    [
        # Overnight, before and after midnight.
        ("2026-11-22T23:30", NIGHT, "2026-11-23T08:00"),
        ("2026-11-23T07:59", NIGHT, "2026-11-23T08:00"),
        ("2026-11-22T21:00", NIGHT, "2026-11-23T08:00"),
        # Within one day.
        ("2026-11-22T12:30", QuietHours(time(12), time(14)), "2026-11-22T14:00"),
        # Over the night in which an hour is left out (2026-03-29, 02:00 becomes 03:00), and one comes twice.
        ("2026-03-28T22:00", NIGHT, "2026-03-29T08:00"),
        ("2026-10-24T22:00", NIGHT, "2026-10-25T08:00"),
        # The end itself is left out: free as soon as the clock has jumped over it.
        ("2026-03-29T01:00", QuietHours(time(22), time(2, 30)), "2026-03-29T03:00"),
    ],
)
def test_quiet_hours_defer_to_their_very_end(now: str, quiet: QuietHours, expected: str) -> None:
    answer = verdict(replace(ADA, quiet=quiet), ASK, [], RULES, at_local(now))
    assert later(answer) == (at_local(expected), "quiet_hours")


def test_an_hour_that_comes_twice_is_quiet_twice() -> None:
    who = replace(ADA, quiet=QuietHours(time(2), time(2, 30)))
    first = verdict(who, ASK, [], RULES, at_local("2026-10-25T02:10"))
    assert later(first)[0] == at_local("2026-10-25T02:30")
    again = verdict(who, ASK, [], RULES, at_local("2026-10-25T02:10", fold=1))
    assert later(again)[0] == at_local("2026-10-25T02:30", fold=1)


@pytest.mark.parametrize("at", ["2026-11-22T20:59:59.999999", "2026-11-23T08:00"])
def test_beside_quiet_hours_it_goes_at_once(at: str) -> None:
    assert verdict(ADA, ASK, [], replace(RULES, quiet=NIGHT), at_local(at)) == Now("email")


def test_an_own_wish_goes_before_the_usual_hours_and_the_usual_zone_is_for_who_has_none() -> None:
    rules = replace(RULES, quiet=NIGHT, time_zone="Asia/Tokyo")
    now = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)  # 23:00 in Tokyo, 15:00 in Berlin
    assert verdict(ADA, ASK, [], rules, now) == Now("email")
    unknown = replace(ADA, time_zone=None)
    assert later(verdict(unknown, ASK, [], rules, now)) == (
        at_local("2026-11-23T08:00", "Asia/Tokyo"),
        "quiet_hours",
    )
    own = replace(unknown, quiet=QuietHours(time(1), time(2)))
    assert verdict(own, ASK, [], rules, now) == Now("email")


def test_caps_say_when_there_is_room_again() -> None:
    noon = at_local("2026-11-24T12:00")
    two = [touch(noon - timedelta(hours=h)) for h in (1, 2)]
    assert later(verdict(ADA, ASK, two, RULES, noon)) == (at_local("2026-11-25T08:00"), "quiet_hours")
    day = replace(RULES, quiet=None)
    assert later(verdict(ADA, ASK, two, day, noon)) == (at_local("2026-11-25T00:00"), "daily_cap")
    five = [touch(noon - timedelta(days=d, hours=1)) for d in range(1, 6)]
    assert later(verdict(ADA, ASK, five, day, noon)) == (five[-1].at + WEEK, "weekly_cap")
    assert verdict(ADA, replace(ASK, automatic=False), five + two, day, noon) == Now("email")


def test_what_people_send_counts_towards_the_week_not_the_day() -> None:
    noon, day = at_local("2026-11-24T12:00"), replace(RULES, quiet=None)
    by_hand = [touch(noon - timedelta(hours=h), automatic=False) for h in (1, 2, 3)]
    assert verdict(ADA, ASK, by_hand, day, noon) == Now("email")
    more = by_hand + [touch(noon - timedelta(hours=h), automatic=False) for h in (4, 5)]
    assert later(verdict(ADA, ASK, more, day, noon))[1] == "weekly_cap"


def test_a_weekly_digest_waits_for_its_day_and_hour() -> None:
    who = replace(ADA, digest="weekly")
    sunday = at_local("2026-11-22T12:00")
    assert later(verdict(who, ASK, [], RULES, sunday)) == (at_local("2026-11-23T09:00"), "digest")
    assert verdict(who, Ask("surveys"), [], RULES, sunday) == Now("email")


def test_a_digest_within_quiet_hours_opens_at_their_end() -> None:
    who = replace(ADA, digest="daily", quiet=QuietHours(time(22), time(11)))
    answer = verdict(who, ASK, [], RULES, at_local("2026-11-22T15:00"))
    assert later(answer)[0] == at_local("2026-11-23T11:00")


def test_what_law_or_safety_requires_waits_for_nothing_but_a_channel() -> None:
    who = replace(
        ADA,
        refused=frozenset({"case_updates", "profiling"}),
        refused_items=frozenset({"it-1"}),
        held_because="too personal",
        digest="weekly",
        quiet=QuietHours(time(0), time(23)),
    )
    ask = Ask("case_updates", item_id="it-1", critical=True)
    five = [touch(NOON)] * 5
    assert verdict(who, ask, five, RULES, NOON, stopped="all is stopped") == Now("email")
    nowhere = verdict(replace(who, channels=()), ask, five, RULES, NOON)
    assert isinstance(nowhere, Never)
    assert nowhere.code == "no_channel"


@pytest.mark.parametrize(
    ("who", "ask", "code"),
    [
        (replace(ADA, refused=frozenset({"surveys"})), Ask("surveys"), "opted_out"),
        (replace(ADA, refused=frozenset({"profiling"})), Ask("profiling"), "no_consent"),
        (replace(ADA, refused_items=frozenset({"it-1"})), Ask("case_updates", "it-1"), "opted_out_of_item"),
        (replace(ADA, channels=()), ASK, "no_channel"),
        (replace(ADA, channels=(), inferred=frozenset({"channels"})), ASK, "inferred_only"),
    ],
)
def test_a_refusal_is_final_by_hand_too(who: Recipient, ask: Ask, code: str) -> None:
    for automatic in (True, False):
        answer = verdict(who, replace(ask, automatic=automatic), [], RULES, NOON)
        assert isinstance(answer, Never)
        assert answer.code == code
    other = verdict(replace(who, channels=("email",)), Ask("case_updates", "it-2"), [], RULES, NOON)
    assert other == Now("email")


def test_holds_and_stops_keep_back_machines_only_and_are_looked_at_again() -> None:
    held = replace(ADA, held_because="too personal")
    assert later(verdict(held, ASK, [], RULES, NOON)) == (NOON + ASK_AGAIN, "on_hold")
    assert later(verdict(ADA, ASK, [], RULES, NOON, stopped="wrong texts")) == (
        NOON + ASK_AGAIN,
        "sending_stopped",
    )
    assert verdict(held, Ask("case_updates", automatic=False), [], RULES, NOON, stopped="x") == Now("email")


@given(situations())
@example((replace(ADA, refused=frozenset({"case_updates"})), [], RULES, NOON))
@settings(max_examples=50, deadline=None)
def test_the_same_facts_give_the_same_answer(
    given: tuple[Recipient, list[Touch], ContactRules, datetime],
) -> None:
    who, touches, rules, now = given
    assert verdict(who, ASK, touches, rules, now) == verdict(who, ASK, list(reversed(touches)), rules, now)
