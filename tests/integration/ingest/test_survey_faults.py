"""Whatever dies while a place is kept, confirmed or given back: none is lost, none is there twice."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.support.clock import FakeClock
from tests.support.surveying import surveys_of

from heardback_ingest.app.surveys.ask import Wanted
from heardback_ingest.app.surveys.follow import Report
from heardback_ingest.domain.surveys.facts import Request
from heardback_ingest.http.surveys import Surveys
from heardback_shared.db.database import Database

Where = Literal["before", "after"]
Act = Callable[[Surveys, str], Awaitable[Any]]


class KilledError(Exception):
    """The process died here."""


class Mortal(Database):
    """Dies before or after its n-th statement from now on, or once the transaction is committed."""

    def arm(self, where: Where | Literal["committed"] | None, statement: int = 0) -> None:
        self.where, self.left, self.seen = where, statement, 0

    def watch(self) -> None:
        self.arm(None)
        engine = self.engine.sync_engine
        event.listen(engine, "before_cursor_execute", lambda *_: self._step("before"))
        event.listen(engine, "after_cursor_execute", lambda *_: self._step("after"))

    def _step(self, where: Where) -> None:
        self.seen += where == "before"
        if self.where == where:
            self.left -= 1
            if self.left == 0:
                self.arm(None)
                raise KilledError

    @asynccontextmanager
    async def tenant(self, tenant_id: str, *, by_key: bool = False) -> AsyncIterator[AsyncConnection]:
        async with super().tenant(tenant_id, by_key=by_key) as connection:
            yield connection
        if self.where == "committed":
            self.arm(None)
            raise KilledError


@dataclass
class State:
    """What is on disk of one customer."""

    rows: list[tuple[str, str]]
    touches: list[str]


@pytest.fixture
async def mortal(database: Database, database_settings: Any) -> AsyncIterator[Mortal]:
    opened = Mortal(database_settings)
    opened.watch()
    async with database.tenant("default") as c:
        names = ", ".join(f"('default', 'c-{n}', '{{}}', now())" for n in range(200))
        await c.execute(
            text(f"INSERT INTO ingest.customer (tenant_id, id, fields, updated_at) VALUES {names}")
        )
    yield opened
    await opened.close()


async def state(database: Database, customer: str) -> State:
    async with database.tenant("default") as c:
        rows = await c.execute(
            text("SELECT id, state FROM ingest.survey_invitation WHERE customer_id = :c ORDER BY id"),
            {"c": customer},
        )
        touches = await c.execute(
            text("SELECT id FROM platform.contact_touch WHERE person_id = :c ORDER BY id"), {"c": customer}
        )
        return State([(row.id, row.state) for row in rows], list(touches.scalars()))


async def reserve(surveys: Surveys, customer: str) -> Any:
    wanted = Wanted(
        Request(customer, "relation", "nps", "email", account_id=f"a-{customer}"), f"k-{customer}"
    )
    (answer,) = await surveys.ask.reserve("default", [wanted], "crm")
    return answer.body


async def dies_everywhere(
    mortal: Mortal, database: Database, prepare: Act, act: Act, expected: tuple[str, bool]
) -> None:
    """Kills `act` at every point of it in turn; after that, and after asking again, `expected` is on disk:
    (state, whether it counts as a message)."""
    surveys = surveys_of(mortal, FakeClock())
    await prepare(surveys, "c-0")
    mortal.arm(None)
    await act(surveys, "c-0")
    statements = mortal.seen
    assert statements > 5
    points: list[tuple[Any, int]] = [(w, n) for w in ("before", "after") for n in range(1, statements + 1)]
    for number, (where, statement) in enumerate([*points, ("committed", 0)], 1):
        customer = f"c-{number}"
        await prepare(surveys, customer)
        surveys = surveys_of(mortal, FakeClock())  # as after a restart: nothing is remembered
        before = await state(database, customer)
        mortal.arm(where, statement)
        with pytest.raises(KilledError):
            await act(surveys, customer)
        left = await state(database, customer)
        assert (left == before) is (where != "committed"), (where, statement)
        again = await act(surveys, customer)
        assert await act(surveys, customer) == again
        after = await state(database, customer)
        assert [said for _, said in after.rows] == [expected[0]], (where, statement)
        assert after.touches == ([after.rows[0][0]] if expected[1] else [])


async def nothing(surveys: Surveys, customer: str) -> None:
    """There is nothing to prepare."""


async def test_dying_while_a_place_is_kept(mortal: Mortal, database: Database) -> None:
    await dies_everywhere(mortal, database, nothing, reserve, ("reserved", True))
    surveys = surveys_of(mortal, FakeClock())
    first = await reserve(surveys, "c-1")
    assert (first["allowed"], first["state"]) == (True, "reserved")


@pytest.mark.parametrize(
    ("step", "expected"),
    [("sent", ("sent", True)), ("released", ("released", False)), ("answered", ("answered", True))],
)
async def test_dying_while_it_is_followed(
    mortal: Mortal, database: Database, step: str, expected: tuple[str, bool]
) -> None:
    places: dict[str, str] = {}

    async def prepare(surveys: Surveys, customer: str) -> None:
        places[customer] = (await reserve(surveys, customer))["reservation"]

    async def follow(surveys: Surveys, customer: str) -> Any:
        (done,) = await surveys.follow("default", step, [Report(places[customer])])  # type: ignore[arg-type]
        return done.state

    await dies_everywhere(mortal, database, prepare, follow, expected)
