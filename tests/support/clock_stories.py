"""Stories of items at random: what people, customers and policies do to one item and its clocks."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import strategies as st

from heardback_router.backlog.domain import ItemEvent
from heardback_router.configuration.policies import Policies
from heardback_router.configuration.source import load_policies
from heardback_router.sla.seeing import Seen, see
from heardback_router.sla.telling import SlaWatch
from heardback_router.sla.working import MICROSECOND
from tests.support.clocks import MONDAY, PLAIN, Log, policy

OTHER = policy(
    "other@1",
    ("within: 4h", "within: 3h"),
    ('["09:00-17:00"]', '["22:00-06:00"]'),
    ("time_zone: UTC", "time_zone: Europe/Berlin"),
)
POLICIES = replace(load_policies(), sla=PLAIN, sla_before={OTHER.name: OTHER})

Deed = Callable[[Log, datetime], object]
_WHILE_OPEN: dict[str, Deed] = {
    "writes": lambda log, at: log.wrote(at),
    "another writes": lambda log, at: log.wrote(at, customer="c-2"),
    "new revision": lambda log, at: log.rescored(at, len(log.events) + 2),
    "answers": lambda log, at: log.responded(at),
    "asks": lambda log, at: log.responded(at, "waiting_for_customer"),
    "waits": lambda log, at: log.paused(at, "waiting_for_supplier"),
    "waits for customer": lambda log, at: log.paused(at, "waiting_for_customer"),
    "goes on": lambda log, at: log.add("resumed", at, actor="ana"),
    "worse": lambda log, at: log.weighed(at, "P1"),
    "better": lambda log, at: log.weighed(at, "P4"),
    "moves": lambda log, at: log.add(
        "reassigned", at, {"team": "product", "from": "operations"}, actor="ana"
    ),
    "other policy": lambda log, at: log.pinned(at, "other@1"),
    "first policy": lambda log, at: log.pinned(at, "plain@1"),
    "solves": lambda log, at: log.resolved(at),
    "solves silently": lambda log, at: log.resolved(at, tell=False),
    "merges": lambda log, at: log.add("merged", at, {"into": "it_2"}, actor="ana"),
}
_WHILE_RESOLVED: dict[str, Deed] = {
    "reopens": lambda log, at: log.reopened(at),
    "customer reopens": lambda log, at: log.reopened(at, by_customer=True),
    "told": lambda log, at: log.add("loops_settled", at, {"number": 1, "at": at.isoformat()}),
    "closes": lambda log, at: log.add("closed", at, {"loop_id": None}, actor="ana"),
}
_BY_STATE = {"open": _WHILE_OPEN, "in_progress": _WHILE_OPEN, "resolved": _WHILE_RESOLVED}
NAMES = sorted({*_WHILE_OPEN, *_WHILE_RESOLVED})

gaps = st.integers(1, 60 * 30).map(lambda minutes: timedelta(minutes=minutes, microseconds=7))
steps = st.lists(st.tuples(st.sampled_from(NAMES), gaps), max_size=12)
bands = st.sampled_from(["P1", "P2", "P3", "P4"])
starts = st.integers(0, 7 * 24 * 60).map(lambda minutes: MONDAY + timedelta(minutes=minutes))


def act(log: Log, name: str, at: datetime) -> bool:
    """Does it if the item's state allows it."""
    deed = _BY_STATE.get(log.item.state, {}).get(name)
    if deed is None:
        return False
    deed(log, at)
    return True


def story(start: datetime, band: str, told: Sequence[tuple[str, timedelta]]) -> tuple[Log, datetime]:
    """The log of the steps that were possible, and the time after all of them."""
    log, at = Log.opened(band, start), start
    for name, gap in told:
        at += gap
        act(log, name, at)
    return log, at


class Watched:
    """A story with a timekeeper beside it that looks whenever it asked to, and after every step."""

    def __init__(
        self, start: datetime, band: str, policies: Policies = POLICIES, sla: str = PLAIN.name
    ) -> None:
        self.log, self.at, self.policies = Log.opened(band, start, sla=sla), start, policies
        self.said: list[ItemEvent] = []
        self.looks = 0
        self._timer: datetime | None = None
        self._look()

    def step(self, name: str, gap: timedelta) -> None:
        self.wait(gap)
        if act(self.log, name, self.at):
            self._look()

    def do(self, deed: Deed) -> None:
        deed(self.log, self.at)
        self._look()

    def wait(self, span: timedelta) -> None:
        until = self.at + span
        while self._timer is not None and self._timer <= until:
            assert self._timer > self.at, "a timer must lie ahead"
            self.at = self._timer
            self._look()
        self.at = until

    def _look(self) -> Seen:
        self.looks += 1
        seen = see(self.log.item, self.log.events, self.policies, self.at, [SlaWatch()])
        for event, _ in seen.made:
            self.log.events.append(event)
            self.said.append(event)
        self._timer = seen.kept.timer_at
        assert self._timer is None or self._timer > self.at + MICROSECOND
        return seen
