"""The ladder: back to the queue, then up, in working hours, each step once, never after somebody acted."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heardback_router.backlog.domain import EventKind, Item, ItemEvent
from heardback_router.backlog.fold import apply, fold
from heardback_router.backlog.log import entered
from heardback_router.configuration.policies import Policies
from heardback_router.configuration.source import load_policies, packaged
from heardback_router.routing.handovers import after_transfer, passed_back
from heardback_router.routing.ladder_policy import read_ladder
from heardback_router.routing.ladder_watch import LadderWatch
from heardback_shared.policies.reading import PolicyError

POLICIES = load_policies()
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
WATCH = LadderWatch()


def opened(at: datetime = MONDAY, band: str = "P2") -> ItemEvent:
    data = {
        "feedback_id": "fb_1",
        "customer_id": "c-1",
        "opened_at": at.isoformat(),
        "severity": 60.0,
        "band": band,
        "entity": None,
        "title": "The invoice is wrong",
        "team": "operations",
        "domain": "operations",
        "category": "billing",
        "key": "k",
    }
    return ItemEvent("it_1", 1, "opened", "router", at, "operations owns it", data)


class Life:
    """An item and its log, lived by a fake clock."""

    def __init__(self, at: datetime = MONDAY, band: str = "P2", policies: Policies = POLICIES) -> None:
        self.log = [opened(at, band)]
        self.at = at
        self.policies = policies

    @property
    def item(self) -> Item:
        return fold(self.log)

    def does(self, kind: EventKind, actor: str = "ana", reason: str | None = None, **data: Any) -> "Life":
        event = ItemEvent("it_1", len(self.log) + 1, kind, actor, self.at, reason, data)
        apply(self.item, event)
        self.log.append(event)
        return self

    def given(self, person: str = "ana", **data: Any) -> "Life":
        return self.does("assigned", "router", assignee=person, **data)

    def until(self, at: datetime) -> list[tuple[str, datetime]]:
        """Looks whenever the watch asked to; what came and when."""
        came = []
        while True:
            look = WATCH.look(self.item, self.log, self.policies, self.at)
            for event, _ in entered(self.item, look.entries, self.at, self.policies.weighing):
                self.log.append(event)
                came.append((event.data.get("level", event.kind), self.at))
            if look.entries:
                continue
            if look.again_at is None or look.again_at > at:
                self.at = at
                return came
            assert look.again_at > self.at
            self.at = look.again_at


def on(day: int, hour: int, minute: int = 0) -> datetime:
    return MONDAY.replace(hour=hour, minute=minute) + timedelta(days=day)


def test_it_goes_back_to_the_queue_then_to_the_lead_then_to_the_manager() -> None:
    life = Life().given()
    assert life.until(on(4, 17)) == [
        ("released", on(0, 11)),
        ("lead", on(0, 13)),
        ("manager", on(1, 9)),
    ]
    item = life.item
    assert (item.assignee, item.state, item.team, item.counts.escalations) == (None, "open", "operations", 2)
    assert life.log[2].reason == "ana had it for 120 working minutes and nothing happened"
    assert not item.touched


def test_what_nobody_has_goes_up_as_well() -> None:
    assert Life(band="P1").until(on(0, 17)) == [("lead", on(0, 10)), ("manager", on(0, 11))]


@pytest.mark.parametrize("deed", ["commented", "responded", "started", "time_logged", "claimed"])
def test_whoever_acts_stops_it_and_time_starts_from_there(deed: EventKind) -> None:
    life = Life().given()
    life.until(on(0, 10, 30))
    life.does(deed, "ana", assignee="ana", text="looking into it", minutes=5)
    came = life.until(on(0, 14, 29))
    assert [what for what, _ in came if what != "released"] == []
    assert life.until(on(0, 14, 30)) == [("lead", on(0, 14, 30))]


def test_after_an_answer_nobody_is_bothered_while_the_customer_is_awaited() -> None:
    life = Life().given().does("responded", "ana", waiting_for="waiting_for_customer")
    assert life.until(on(4, 17)) == []
    life.does("resumed", "router")
    assert ("lead", on(5 + 2, 13)) in life.until(on(9, 17))


def test_nothing_comes_at_night_or_on_a_weekend() -> None:
    friday = on(4, 16, 30)
    came = Life(friday, "P1").given().until(on(8, 17))
    assert came == [
        ("released", on(7, 9)),
        ("lead", on(7, 9, 30)),
        ("manager", on(7, 10, 30)),
    ]


def test_what_a_late_look_finds_outside_the_hours_waits_until_they_begin() -> None:
    life = Life(band="P1").given()
    look = WATCH.look(life.item, life.log, POLICIES, on(0, 22))
    assert (look.entries, look.again_at) == ((), on(1, 9))


def test_the_hours_are_those_of_the_assignee_where_they_are_known() -> None:
    life = Life(band="P1").given(time_zone="America/New_York")
    assert life.until(on(0, 23))[0] == ("released", on(0, 14, 30))


def test_what_a_person_took_is_not_taken_away_unless_the_policy_says_so() -> None:
    life = Life().does("claimed", "ben", assignee="ben")
    assert [what for what, _ in life.until(on(3, 17))] == ["lead", "manager"]
    assert life.item.assignee == "ben"
    stricter = replace(POLICIES, ladder=replace(POLICIES.ladder, from_people=True))
    life = Life(policies=stricter).does("claimed", "ben", assignee="ben")
    assert [what for what, _ in life.until(on(3, 17))] == ["released", "lead", "manager"]


def test_what_somebody_started_is_told_of_but_not_taken_away() -> None:
    life = Life().given().does("started", "ana")
    assert [what for what, _ in life.until(on(3, 17))] == ["lead", "manager"]


def test_a_new_policy_holds_for_items_that_are_open_already() -> None:
    life = Life()
    life.until(on(0, 10))
    text = packaged("ladder.yaml").replace("{P1: 60, P2: 240, P3: 960}", "{P1: 60, P2: 121, P3: 960}")
    life.policies = replace(POLICIES, ladder=read_ladder(text))
    assert life.until(on(0, 12))[0] == ("lead", on(0, 11, 1))


def test_a_step_names_the_person_where_the_policy_does() -> None:
    text = packaged("ladder.yaml").replace("people: {}", "people: {operations: {lead: olga}}")
    life = Life(policies=replace(POLICIES, ladder=read_ladder(text)))
    life.until(on(0, 13))
    assert life.log[-1].data["to"] == "olga"


deeds = st.lists(
    st.tuples(
        st.integers(1, 60 * 30),
        st.sampled_from(["assigned", "claimed", "started", "commented", "responded", "paused", "resumed"]),
    ),
    max_size=8,
)


@settings(deadline=None, max_examples=60)
@given(deeds, st.sampled_from(["P1", "P2", "P3", "P4"]))
def test_each_step_comes_once_in_hours_and_never_when_somebody_just_acted(
    done: list[tuple[int, EventKind]], band: str
) -> None:
    life = Life(band=band)
    for minutes, deed in done:
        life.until(life.at + timedelta(minutes=minutes))
        if deed == "started" and life.item.state != "open":
            continue
        data = {"assignee": "ana", "text": "x", "waiting_for": "waiting_for_customer"}
        life.does(deed, "router" if deed == "assigned" else "ben", **data)
    life.until(life.at + timedelta(days=20))
    _check(life.log)


def _check(log: Sequence[ItemEvent]) -> None:
    since: list[str] = []
    acted = log[0].at
    for event in log:
        if event.actor == "ben":
            since, acted = [], event.at
        if event.kind in {"released", "escalated"}:
            assert 9 <= event.at.hour <= 17
            assert event.at.weekday() < 5
            assert event.at - acted >= timedelta(minutes=30)
        if event.kind == "escalated":
            assert event.data["level"] not in since
            since.append(event.data["level"])
    assert fold(log).team == "operations"


def test_the_third_handover_goes_up_by_itself_and_further_ones_to_the_next_level() -> None:
    life = Life()
    levels = []
    for team in ("product", "operations", "product", "operations", "product"):
        life.does("reassigned", "ana", "not ours", team=team, **{"from": life.item.team})
        levels.append([e.data["level"] for e in after_transfer(life.item, POLICIES.ladder)])
    assert levels == [[], [], ["lead"], ["manager"], ["manager"]]


def test_a_team_that_gets_it_back_is_warned() -> None:
    assert passed_back(["operations"], "product") is None
    assert passed_back(["operations", "product"], "triage") is None
    warning = passed_back(["operations", "product"], "operations")
    assert warning is not None
    assert warning.startswith("operations had it before (operations → product → operations).")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("P2: 240", "P2: 120"), "lead must come after return, for P2 it does not"),
        (("to: manager", "to: lead"), "two go to the same level"),
        (("people: {}", "people: {operations: {boss: max}}"), "no step goes to boss"),
        (("escalate_at: 3", "escalate_at: 0"), "transfers/escalate_at"),
    ],
)
def test_a_ladder_with_faults_is_refused(change: tuple[str, str], says: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read_ladder(packaged("ladder.yaml").replace(*change, 1))
    assert says in str(caught.value)
