"""Whatever happens to an item: what its clocks and their warnings never do."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clock_stories import OTHER, POLICIES, Watched, bands, gaps, starts, steps, story
from tests.support.clocks import PLAIN

from heardback_router.sla.clocks import Clock, clocks_of

Steps = list[tuple[str, timedelta]]
UNRESOLVED = ("first_response", "next_response", "resolution")
EXAMPLES = 200


def read(log: object, at: datetime) -> dict[tuple[str, int], Clock]:
    found = clocks_of(log.events, at, PLAIN, {OTHER.name: OTHER})  # type: ignore[attr-defined]
    return {(clock.kind, clock.run): clock for clock in found}


@settings(max_examples=EXAMPLES, deadline=None)
@given(starts, bands, steps, gaps, gaps)
def test_used_time_is_never_negative_and_never_falls(
    start: datetime, band: str, told: Steps, one: timedelta, other: timedelta
) -> None:
    log, end = story(start, band, told)
    before = read(log, start)
    for at in sorted([start + one, start + one + other, end, end + one]):
        now = read(log, at)
        assert all(clock.used >= timedelta(0) for clock in now.values())
        assert all(now[key].used >= clock.used for key, clock in before.items())
        before = now


@settings(max_examples=EXAMPLES, deadline=None)
@given(starts, bands, steps, gaps, gaps)
def test_what_ran_out_stays_so_and_is_dated_the_same_whenever_it_is_looked_at(
    start: datetime, band: str, told: Steps, one: timedelta, other: timedelta
) -> None:
    log, end = story(start, band, told)
    earlier, later = read(log, start + one), read(log, max(end, start + one) + other)
    for key, clock in earlier.items():
        if clock.breached_at is not None:
            assert later[key].breached_at == clock.breached_at
            assert later[key].state in {"breached", "met_late"}


@settings(max_examples=EXAMPLES, deadline=None)
@given(starts, bands, steps, gaps)
def test_a_moment_is_read_the_same_with_and_without_what_came_later(
    start: datetime, band: str, told: Steps, gap: timedelta
) -> None:
    log, _ = story(start, band, told)
    at = start + gap
    so_far = [event for event in log.events if event.at <= at]
    assert clocks_of(so_far, at, PLAIN, {OTHER.name: OTHER}) == clocks_of(
        log.events, at, PLAIN, {OTHER.name: OTHER}
    )


@settings(max_examples=EXAMPLES, deadline=None)
@given(starts, bands, steps, gaps)
def test_no_clock_of_the_work_runs_while_the_item_is_resolved_closed_or_merged(
    start: datetime, band: str, told: Steps, gap: timedelta
) -> None:
    log, end = story(start, band, told)
    if log.item.state in {"resolved", "closed", "merged"}:
        now, later = read(log, end), read(log, end + gap)
        for key, clock in now.items():
            if key[0] in UNRESOLVED:
                assert clock.state not in {"running", "paused"}
                assert later[key] == clock


@settings(max_examples=EXAMPLES, deadline=None)
@given(starts, bands, steps, gaps)
def test_a_paused_clock_uses_nothing(start: datetime, band: str, told: Steps, gap: timedelta) -> None:
    log, end = story(start, band, told)
    for key, clock in read(log, end).items():
        if clock.state == "paused":
            assert read(log, end + gap)[key].used == clock.used
            assert clock.paused_because


@settings(max_examples=EXAMPLES, deadline=None)
@given(starts, bands, steps, st.sampled_from(["plain@1", "other@1"]))
def test_another_policy_keeps_the_time_used_and_the_pause(
    start: datetime, band: str, told: Steps, name: str
) -> None:
    log, end = story(start, band, told)
    before = read(log, end)
    waited_for = log.item.waiting_for
    log.pinned(end, name)
    after = read(log, end)
    assert log.item.waiting_for == waited_for
    for key, clock in before.items():
        assert after[key].used == clock.used
        if clock.state == "paused":
            # A policy may name no target for it any more; what it was waiting for is not forgotten.
            assert after[key].state in {"paused", "stopped"}
        assert after[key].breached_at == clock.breached_at or clock.breached_at is None


@settings(max_examples=EXAMPLES, deadline=None)
@given(starts, bands, steps, gaps)
def test_nothing_but_an_answer_or_an_end_touches_the_first_answer(
    start: datetime, band: str, told: Steps, gap: timedelta
) -> None:
    quiet = [step for step in told if step[0] in {"writes", "another writes", "new revision"}]
    log, end = story(start, band, quiet)
    alone, _ = story(start, band, [])
    at = end + gap
    assert read(log, at)["first_response", 1] == read(alone, at)["first_response", 1]


@settings(max_examples=EXAMPLES, deadline=None)
@given(starts, bands, steps)
def test_warnings_come_once_in_working_hours_and_only_for_clocks_that_run(
    start: datetime, band: str, told: Steps
) -> None:
    watched = Watched(start, band)
    for name, gap in told:
        watched.step(name, gap)
    watched.wait(timedelta(days=40))
    seen = set()
    for event in watched.said:
        if event.kind not in {"clock_warned", "clock_breached"}:
            continue
        key = event.data["clock"], event.data["run"]
        clock = read_before(watched, event.sequence)[key]
        telling = (PLAIN if clock.policy == PLAIN.name else OTHER).telling_time("any")
        assert telling.next_open(event.at) == event.at
        what = (*key, event.data.get("percent", "breach"))
        assert what not in seen
        seen.add(what)
        if event.kind == "clock_warned":
            assert clock.state == "running"
            assert clock.used * 100 >= clock.target * event.data["percent"]
        else:
            assert clock.breached_at is not None
            assert event.data["breached_at"] == clock.breached_at.isoformat()


@settings(max_examples=EXAMPLES, deadline=None)
@given(starts, bands, steps)
def test_every_clock_that_ran_out_is_told_of_and_the_timekeeper_comes_to_rest(
    start: datetime, band: str, told: Steps
) -> None:
    watched = Watched(start, band)
    for name, gap in told:
        watched.step(name, gap)
    watched.wait(timedelta(days=40))
    clocks = clocks_of(watched.log.events, watched.at, POLICIES.sla, POLICIES.sla_before)
    if watched.log.item.state not in {"closed", "merged"}:
        assert not [c for c in clocks if c.state == "running"]
        told_of = {(e.data["clock"], e.data["run"]) for e in watched.said if e.kind == "clock_breached"}
        assert told_of >= {(c.kind, c.run) for c in clocks if c.breached_at is not None}
    assert watched.looks < 80


def read_before(watched: Watched, sequence: int) -> dict[tuple[str, int], Clock]:
    """The clocks as the look saw them that made this entry."""
    event = watched.log.events[sequence - 1]
    found = clocks_of(watched.log.events[: sequence - 1], event.at, POLICIES.sla, POLICIES.sla_before)
    return {(clock.kind, clock.run): clock for clock in found}
