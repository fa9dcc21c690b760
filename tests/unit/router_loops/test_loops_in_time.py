"""Stakes that follow feedback, figures, and what is noticed in time: pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON

from heardback_router.configuration.source import load_policies
from heardback_router.loops.carrying import Stake, carried
from heardback_router.loops.domain import LoopEvent
from heardback_router.loops.figures import FEWEST, Life, figures
from heardback_router.loops.telling import TellingPolicy
from heardback_router.loops.watches import notice_at, working_time_of
from heardback_shared.contracts.events import LoopState

POLICIES = load_policies()
TUESDAY = datetime(2026, 11, 24, 9, tzinfo=UTC)


@st.composite
def items(draw: st.DrawFn) -> tuple[list[Stake], list[Stake], frozenset[str]]:
    """Loops of two items, one per customer, and some of the feedback of the first."""
    sides: list[list[Stake]] = []
    for side in ("a", "b"):
        names = draw(st.lists(st.sampled_from(["c-1", "c-2", "c-3"]), unique=True))
        nameless = draw(st.integers(0, 2))
        stakes = [
            Stake(
                f"lp_{side}_{name}",
                name,
                frozenset(f"fb_{side}_{name}_{n}" for n in range(draw(st.integers(1, 3)))),
            )
            for name in names
        ]
        stakes += [Stake(f"lp_{side}_{n}", None, frozenset({f"fb_{side}_none_{n}"})) for n in range(nameless)]
        sides.append(stakes)
    every = sorted(f for stake in sides[0] for f in stake.feedback_ids)
    moved = frozenset(draw(st.lists(st.sampled_from(every), unique=True))) if every else frozenset()
    return sides[0], sides[1], moved


@given(items())
def test_after_a_move_every_customer_has_one_loop_per_item_and_no_feedback_is_lost(
    given: tuple[list[Stake], list[Stake], frozenset[str]],
) -> None:
    leaving, there, feedback = given
    result = carried(leaving, there, feedback)
    gone = {*result.moved, *result.merged}
    here = [stake for stake in leaving if stake.loop_id not in gone]
    come = [stake for stake in leaving if stake.loop_id in result.moved]
    owners = [s.customer_id for s in (*there, *come) if s.customer_id] + [c for c, _ in result.opened]
    assert len(owners) == len(set(owners))
    placed = [f for stake in come for f in stake.feedback_ids]
    placed += [f for _, ids in result.opened for f in ids] + list(result.linked)
    assert sorted(placed) == sorted(feedback & frozenset(f for s in leaving for f in s.feedback_ids))
    assert not any(stake.feedback_ids <= feedback for stake in here)
    assert set(result.linked.values()) <= {stake.loop_id for stake in there}


def life(customer: int, *states: LoopState, hours: float = 1.0, domain: str = "product") -> Life:
    events = []
    for n, state in enumerate(states, 1):
        events.append(LoopEvent(n, 1, state, NOON + timedelta(hours=hours * n), "router"))
    return Life(f"c-{customer}", "team", domain, "done", NOON, events)


def test_fewer_than_ten_customers_are_never_shown_by_themselves() -> None:
    few = [life(n % (FEWEST - 1), "acknowledged", "changed", "told", domain="rare") for n in range(30)]
    many = [life(100 + n, "acknowledged", "changed", "told") for n in range(FEWEST)]
    found = figures([*few, *many])
    assert found["domains"]["rare"] == {"suppressed": True, "fewer_than": FEWEST}
    assert found["domains"]["product"]["suppressed"] is False


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))
def test_the_confirmed_rate_is_of_those_who_answered(yes: int, no: int, silent: int) -> None:
    lives = [life(n, "acknowledged", "changed", "told", "confirmed") for n in range(yes)]
    lives += [life(100 + n, "acknowledged", "changed", "told", "disputed") for n in range(no)]
    lives += [life(200 + n, "acknowledged", "changed", "told") for n in range(silent)]
    found = figures(lives)["all"]
    if len(lives) < FEWEST:
        assert found["suppressed"]
        return
    assert found["confirmed_rate"]["n"] == yes + no
    assert found["confirmed_rate"]["rate"] == (yes / (yes + no) if yes + no else None)
    assert found["closed_hours"] == {"n": len(lives), "median": 3.0}


def lived(customer: int, *steps: tuple[LoopState, int, float]) -> Life:
    """Steps as (state, round, hours after the customer wrote)."""
    events = [
        LoopEvent(number, round_, state, NOON + timedelta(hours=hours), "router")
        for number, (state, round_, hours) in enumerate(steps, 1)
    ]
    return Life(f"c-{customer}", "team", "product", "done", NOON, events)


def test_a_small_scene_has_the_figures_that_one_counts_by_hand() -> None:
    first: tuple[tuple[LoopState, int, float], ...] = (("acknowledged", 1, 0), ("changed", 1, 1))
    told_late: tuple[LoopState, int, float] = ("told", 1, 6)
    scene = [
        # Six were told after two hours: three confirm after three, one disputes after four, two are silent.
        *(lived(n, *first, ("told", 1, 2), ("confirmed", 1, 3)) for n in range(3)),
        lived(3, *first, ("told", 1, 2), ("disputed", 1, 4)),
        *(lived(n, *first, ("told", 1, 2)) for n in (4, 5)),
        # Two were told after six hours; one disputed after eight, was told again after twenty and confirmed.
        lived(6, *first, told_late),
        lived(
            7,
            *first,
            told_late,
            ("disputed", 1, 8),
            ("changed", 2, 18),
            ("told", 2, 20),
            ("confirmed", 2, 22),
        ),
        # One could not be reached, one did not want to be.
        lived(8, *first, ("failed", 1, 5)),
        lived(9, *first, ("not_told", 1, 1)),
    ]
    found = figures(scene)["all"]
    assert (found["loops"], found["customers"]) == (10, 10)
    assert found["states"] == {"told": 3, "failed": 1, "not_told": 1, "confirmed": 4, "disputed": 1}
    # Closed are the eight who were told: six after 2 h, two after 6 h, whatever came later.
    assert found["closed_hours"] == {"n": 8, "median": 2.0}
    # Six answers: 3 + 1 confirm, 1 + 1 dispute.
    assert found["confirmed_rate"] == {"n": 6, "rate": 4 / 6}
    assert found["answered"] == {"n": 8, "answers": 6}
    assert found["rework"] == {"loops": 1}
    # told: six after 1 h, two after 5 h, one after 2 h more; the fifth of nine in order is 1 h.
    assert found["steps_hours"]["told"] == {"n": 9, "median": 1.0}
    # confirmed: 1, 1, 1 and 2 h; disputed: 2 and 2 h.
    assert found["steps_hours"]["confirmed"] == {"n": 4, "median": 1.0}
    assert found["steps_hours"]["disputed"] == {"n": 2, "median": 2.0}


def test_steps_are_timed_one_by_one() -> None:
    lives = [life(n, "acknowledged", "planned", "changed", "told", hours=2.0) for n in range(FEWEST)]
    steps = figures(lives)["all"]["steps_hours"]
    assert {name: one["median"] for name, one in steps.items()} == dict.fromkeys(
        ("acknowledged", "planned", "changed", "told"), 2.0
    )


@given(st.integers(1, 60 * 24 * 30), st.integers(0, 60 * 24 * 14))
def test_a_notice_comes_before_the_promise_is_due_and_not_before_half_of_its_time(
    minutes: int, later: int
) -> None:
    given_at = TUESDAY + timedelta(minutes=later)
    due_at = given_at + timedelta(minutes=minutes)
    time = working_time_of(POLICIES.telling, POLICIES.sla)
    near = notice_at(given_at, due_at, POLICIES.telling, time)
    assert given_at <= near <= due_at
    whole = time.between(given_at, due_at)
    left = time.between(near, due_at)
    assert left <= whole / 2 + timedelta(microseconds=1)
    wanted = min(max(whole / 5, timedelta(hours=1)), whole / 2)
    assert left >= wanted - timedelta(microseconds=1)


def test_the_default_is_a_fifth_of_the_time_and_at_least_an_hour() -> None:
    time = working_time_of(POLICIES.telling, POLICIES.sla)
    near = notice_at(TUESDAY, TUESDAY + timedelta(hours=5), POLICIES.telling, time)
    assert near == TUESDAY + timedelta(hours=4)
    # Two working days of eight hours: a fifth of 16 hours is left.
    due_at = TUESDAY + timedelta(days=1, hours=8)
    near = notice_at(TUESDAY, due_at, POLICIES.telling, time)
    assert near == TUESDAY + timedelta(days=1, hours=4, minutes=48)


def test_a_policy_with_its_own_calendar_uses_that() -> None:
    always: Sequence[str] = ["around-the-clock"]
    policy = TellingPolicy("p@1", (), calendar=always[0])
    time = working_time_of(policy, POLICIES.sla)
    assert notice_at(TUESDAY, TUESDAY + timedelta(hours=100), policy, time) == TUESDAY + timedelta(hours=80)
