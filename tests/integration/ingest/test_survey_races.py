"""Two systems ask the same customers at the same moment, each a process of its own: no cap is gone over."""

import asyncio
import sys
from collections import Counter
from typing import Any

import orjson
from sqlalchemy import text
from tests.support.clock import NOON
from tests.support.surveys import OPEN, cap, contact_text, days, gap, policy_text

from heardback_shared.contact.domain import Touch
from heardback_shared.contact.store import PostgresContacts
from heardback_shared.db.database import Database
from heardback_shared.keyring import Keyring
from heardback_shared.policies.in_force import put_in_force
from heardback_shared.settings import DatabaseSettings

CUSTOMERS = 20
REQUESTS = 100
PER_PERSON, PER_ACCOUNT = 2, 7
RULES = policy_text(
    cap(PER_PERSON, days(30), "person"),
    cap(PER_ACCOUNT, days(30), "account", scope="account"),
    gap(days(30), "same", same=["survey"]),
    suppress=OPEN,
)


async def asking(url: str, requests: list[dict[str, Any]], seconds: float) -> list[dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.surveying",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    told = {"url": url, "requests": requests, "seconds": seconds}
    out, err = await process.communicate(orjson.dumps(told))
    assert process.returncode == 0, err.decode()[-2_000:]
    answers: list[dict[str, Any]] = orjson.loads(out)
    return answers


def requests(system: str) -> list[dict[str, Any]]:
    """Both systems ask the same; every tenth with a key that both use."""
    made = []
    for number in range(REQUESTS):
        person = number % CUSTOMERS
        key = f"both-{number}" if number % 10 == 0 else f"{system}-{number}"
        survey = f"survey-{number // CUSTOMERS}"
        made.append({"customer": f"c-{person}", "account": f"a-{person % 5}", "survey": survey, "key": key})
    return made


async def test_two_processes_with_200_requests_for_20_customers_go_over_no_cap(
    database: Database, database_settings: DatabaseSettings
) -> None:
    async with database.tenant("default") as c:
        await put_in_force(c, "default", "surveys", "test@1", RULES, "digest", NOON)
    both = await asyncio.gather(
        *[asking(database_settings.url, requests(name), n) for n, name in enumerate(("crm", "desk"))]
    )
    granted = {a["reservation"]: a for answers in both for a in answers if a["allowed"]}
    async with database.tenant("default") as c:
        rows = await c.execute(
            text("SELECT id, customer_id, account_id, survey, state FROM ingest.survey_invitation")
        )
        kept = rows.all()
        touched = set((await c.execute(text("SELECT id FROM platform.contact_touch"))).scalars())
        decided = await c.scalar(text("SELECT count(*) FROM ingest.survey_decision"))
    assert {row.id for row in kept} == set(granted) == touched  # what was said is what is on disk
    assert {row.state for row in kept} == {"sent"}
    per_person = Counter(row.customer_id for row in kept)
    per_account = Counter(row.account_id for row in kept)
    per_survey = Counter((row.customer_id, row.survey) for row in kept)
    assert max(per_person.values()) <= PER_PERSON
    assert max(per_survey.values()) == 1
    assert set(per_account.values()) == {PER_ACCOUNT}  # not one too many, and none left unused
    assert decided is not None
    assert decided >= 2 * REQUESTS - REQUESTS // 10


async def test_two_processes_go_over_no_cap_across_everything_that_is_sent(
    database: Database, database_settings: DatabaseSettings
) -> None:
    """No rule of surveys holds anybody back; each person got one message today and may get one more."""
    open_rules = policy_text(suppress=OPEN)
    people = [f"c-{number}" for number in range(CUSTOMERS)]
    got = [Touch(f"m-{person}", person, "case_updates", "email", True, NOON) for person in people]
    async with database.tenant("default") as c:
        await put_in_force(c, "default", "surveys", "test@1", open_rules, "surveys", NOON)
        await put_in_force(c, "default", "contact", "test@1", contact_text(2, 9), "contact", NOON)
        await PostgresContacts(Keyring(bytes(32))).note(c, "default", got)
    both = await asyncio.gather(
        *[asking(database_settings.url, requests(name), n) for n, name in enumerate(("crm", "desk"))]
    )
    granted = {a["reservation"]: a["customer"] for answers in both for a in answers if a["allowed"]}
    assert Counter(granted.values()) == dict.fromkeys(people, 1)
    async with database.tenant("default") as c:
        touched = set((await c.execute(text("SELECT id FROM platform.contact_touch"))).scalars())
    assert touched == {*granted, *(touch.id for touch in got)}
