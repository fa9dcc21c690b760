"""Which survey was chosen, and who was in which arm, is kept as long as the log of surveys, and no longer."""

from sqlalchemy import text
from tests.support.clock import FakeClock

from heardback_ingest.main import Ingest
from heardback_shared.db.database import Database

CHOICES = text("""
INSERT INTO ingest.survey_choice
SELECT 'default', 's' || n, 'c-1', '{}', 'key', :at FROM generate_series(1, 3) n
""")
ARMS = text("""
INSERT INTO ingest.fatigue_arm SELECT 'default', :experiment, 'p' || n, 30, :at FROM generate_series(1, 3) n
""")
EXPERIMENT = text("""
INSERT INTO ingest.fatigue_experiment
VALUES ('default', :id, '{30, 60}', 0.1, 'why', 'ana', :at, :ended_at, CASE WHEN :ended THEN 'ana' END)
""")


async def test_choices_and_arms_of_ended_experiments_go_after_their_time(
    ingest: Ingest, database: Database, clock: FakeClock
) -> None:
    at = clock.now()
    async with database.worker() as c:
        await c.execute(CHOICES, {"at": at})
        for name, ended in (("ended", True), ("runs", False)):
            asked = {"id": name, "at": at, "ended_at": at if ended else None, "ended": ended}
            await c.execute(EXPERIMENT, asked)
            await c.execute(ARMS, {"experiment": name, "at": at})
    clock.forward(days=399)
    await ingest.forget_old.forget()
    assert await left(database) == (3, 3, 3)
    clock.forward(days=2)
    await ingest.forget_old.forget()
    assert await left(database) == (0, 0, 3)


async def left(database: Database) -> tuple[int, ...]:
    async with database.worker() as c:
        row = (
            await c.execute(
                text("""
SELECT (SELECT count(*) FROM ingest.survey_choice),
    (SELECT count(*) FROM ingest.fatigue_arm WHERE experiment_id = 'ended'),
    (SELECT count(*) FROM ingest.fatigue_arm WHERE experiment_id = 'runs')
""")
            )
        ).one()
    return tuple(row)
