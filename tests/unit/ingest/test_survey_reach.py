"""Quiet hours and caps of surveys: as whoever sends messages is told, and never sooner than is said."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON
from tests.support.surveys import ASK, OPEN, policy, reserved, sent

from heardback_ingest.domain.surveys.engine import decide
from heardback_ingest.domain.surveys.facts import Facts, Invitation, Person, Reach
from heardback_ingest.domain.surveys.reach import place_ends
from heardback_ingest.domain.surveys.record import answer_of, inputs_of, replayed
from heardback_shared.contact.domain import Ask, ContactRules, Later, QuietHours, Recipient, Touch
from heardback_shared.contact.verdict import verdict

BARE = policy(suppress=OPEN)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Cairo"])
WALLS = st.times().map(lambda t: t.replace(second=0, microsecond=0))
QUIET = st.none() | st.builds(QuietHours, WALLS, WALLS).filter(lambda q: q.start != q.end)
NOWS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(ZoneInfo("UTC")))
BACK = st.lists(st.timedeltas(timedelta(), timedelta(days=9)), max_size=6)


def rules(day: int, week: int, quiet: QuietHours | None, zone: str = "UTC") -> ContactRules:
    return ContactRules("test@1", zone, quiet, day, week, time(9), 0, 365)


def facts(by: ContactRules, invitations: Sequence[Invitation] = (), **more: tuple[datetime, ...]) -> Facts:
    reach = Reach(by, by.time_zone, by.quiet)
    return Facts(Person("c-1"), tuple(invitations), reach=reach, **more)  # type: ignore[arg-type]


@given(NOWS, ZONES, QUIET, BACK, BACK, BACK, st.integers(1, 3), st.integers(1, 5))
def test_a_survey_waits_exactly_as_long_as_any_other_automatic_message(
    now: datetime,
    zone: str,
    quiet: QuietHours | None,
    asked: list[timedelta],
    sent_by_machines: list[timedelta],
    released: list[timedelta],
    day: int,
    week: int,
) -> None:
    by = rules(day, week, quiet, zone)
    machines = tuple(now - back for back in sent_by_machines)
    people = tuple(now - back for back in released)
    of = facts(by, [sent(now - back) for back in asked], messages=machines, by_people=people)
    touches = [Touch("", "c-1", "surveys", "email", True, now - back) for back in asked]
    touches += [Touch("", "c-1", "case_updates", "email", True, at) for at in machines]
    touches += [Touch("", "c-1", "case_updates", "email", False, at) for at in people]
    other = verdict(Recipient("c-1", "c-1", ("email",)), Ask("surveys"), touches, by, now)
    decision = decide(ASK, of, BARE, now)
    assert decision.next_eligible_at == (other.at if isinstance(other, Later) else None)
    assert decision.allowed is not isinstance(other, Later)
    assert replayed(inputs_of(ASK, of, now), BARE) == answer_of(decision)


@given(NOWS, ZONES, QUIET, BACK, st.integers(1, 3))
def test_each_reason_ends_when_it_says_and_not_before(
    now: datetime, zone: str, quiet: QuietHours | None, asked: list[timedelta], day: int
) -> None:
    of = facts(rules(day, 3, quiet, zone), [sent(now - back) for back in asked])
    for reason in decide(ASK, of, BARE, now).reasons:
        assert reason.until is not None
        before = decide(ASK, of, BARE, reason.until - timedelta(microseconds=1))
        after = decide(ASK, of, BARE, reason.until)
        assert reason.code in {one.code for one in before.reasons}
        assert reason.code not in {one.code for one in after.reasons}


def test_a_kept_place_takes_its_part_of_the_cap_until_it_runs_out() -> None:
    until = NOON + timedelta(minutes=15)
    of = facts(rules(1, 5, None), [reserved(NOON, until)])
    (reason,) = decide(ASK, of, BARE, NOON).reasons
    assert (reason.code, reason.until) == ("daily_cap", until)
    assert decide(ASK, of, BARE, until).allowed


def test_a_place_is_kept_until_quiet_hours_at_the_longest() -> None:
    night = QuietHours(time(21), time(8))
    at = NOON.replace(hour=20, minute=50)
    of, until = facts(rules(1, 5, night)), at + timedelta(minutes=15)
    assert place_ends(of, BARE.suppress, at, until) == NOON.replace(hour=21)
    assert place_ends(of, BARE.suppress, NOON, NOON + timedelta(hours=1)) == NOON + timedelta(hours=1)
    sender = policy(suppress={**OPEN, "quiet_hours": "sender"})
    assert place_ends(of, sender.suppress, at, until) == until
    assert place_ends(facts(rules(1, 5, None)), BARE.suppress, at, until) == until
