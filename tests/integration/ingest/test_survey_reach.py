"""An invitation is an automatic message: quiet hours and the caps across everything hold for it too."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text
from tests.integration.ingest.survey_house import House
from tests.support.clock import NOON
from tests.support.surveys import OPEN, policy_text, wanted

from heardback_shared.contact.domain import Ask, Later, Now, Touch, Verdict
from heardback_shared.contact.store import PostgresContacts
from heardback_shared.contact.verdict import WEEK, verdict
from heardback_shared.keyring import Keyring

NIGHT = {"start": "21:00", "end": "08:00"}
contacts = PostgresContacts(Keyring(bytes(32)))


async def may_write(house: House, customer: str = "c-1") -> Verdict:
    """What whoever sends news of a matter would be told now."""
    now = house.clock.now()
    async with house.ingest.database.tenant("default") as c:
        who = (await contacts.recipients(c, "default", [customer], now))[customer]
        touches = await contacts.touches(c, "default", [who.person_id], now - WEEK)
        rules = await house.ingest.policies.of(c, "default", "contact")
    return verdict(who, Ask("case_updates"), touches.get(who.person_id, ()), rules, now)


async def wrote(house: House, number: int, *, automatic: bool = True) -> None:
    async with house.ingest.database.tenant("default") as c:
        sent = Touch(f"m-{number}", "c-1", "case_updates", "email", automatic, house.clock.now())
        await contacts.note(c, "default", [sent])


def told(denied: Any) -> list[tuple[str, str]]:
    return [(reason["code"], reason["until"]) for reason in denied["reasons"]]


async def test_nobody_is_asked_in_their_own_quiet_hours(house: House) -> None:
    await house.works_by(policy_text(suppress=OPEN))
    await house.writes_at_most(5, 9, NIGHT)
    evening = {"start": "20:00", "end": "09:30"}
    wishes = {"source": "crm", "provenance": "stated", "time_zone": "Asia/Tokyo", "quiet_hours": evening}
    await house.call("PUT", "/v1/customers/c-2/preferences", wishes)
    denied = await house.act("reserve", wanted("c-2"))  # noon in London is 21:00 in Tokyo
    assert told(denied) == [("quiet_hours", "2026-11-23T00:30:00Z")]
    assert denied["next_eligible_at"] == "2026-11-23T00:30:00Z"
    assert (await house.check("c-1"))["allowed"]
    house.clock.forward(hours=12, minutes=30)
    assert (await house.act("reserve", wanted("c-2")))["allowed"]
    assert told(await house.check("c-1")) == [("quiet_hours", "2026-11-23T08:00:00Z")]
    explained = await house.call("GET", f"/v1/survey-decisions/{denied['decision']}")
    assert explained["replayed"]["same"] is True
    assert explained["inputs"]["facts"]["reach"]["zone"] == "Asia/Tokyo"


async def test_a_sender_that_waits_for_the_morning_itself_may_reserve_at_night(house: House) -> None:
    await house.works_by(policy_text(suppress={**OPEN, "quiet_hours": "sender"}))
    await house.writes_at_most(1, 9, NIGHT)
    house.clock.forward(hours=11)
    await house.send()
    assert told(await house.check()) == [("daily_cap", "2026-11-23T00:00:00Z")]
    assert (await house.call("GET", "/v1/survey-rules"))["quiet_hours_kept_by"] == "sender"


async def test_a_place_ends_when_quiet_hours_begin(house: House) -> None:
    await house.works_by(policy_text(suppress=OPEN))
    await house.writes_at_most(5, 9, NIGHT)
    house.clock.forward(hours=8, minutes=50)
    granted = await house.act("reserve", wanted())
    assert granted["expires_at"] == "2026-11-22T21:00:00Z"
    house.clock.forward(minutes=10)
    assert (await house.act("confirm", {"reservation": granted["reservation"]}))["outcome"] == "late"


async def test_surveys_and_messages_share_their_caps(house: House) -> None:
    await house.works_by(policy_text(suppress=OPEN))
    await house.writes_at_most(2, 3)
    await wrote(house, 1)
    kept = await house.act("reserve", wanted(kind="reminder"))
    assert kept["allowed"]
    denied = await house.check()
    # A kept place counts for as long as it is kept, so there is room again when it runs out.
    assert told(denied) == [("daily_cap", kept["expires_at"])]
    assert await may_write(house) == Later(
        NOON + timedelta(hours=12), "daily_cap", "The customer was written to 2 times that day."
    )
    await house.act("release", {"reservation": kept["reservation"]})
    assert isinstance(await may_write(house), Now)
    await house.send()
    assert told(await house.check()) == [("daily_cap", "2026-11-23T00:00:00Z")]
    await wrote(house, 2, automatic=False)
    assert told(await house.check()) == [
        ("daily_cap", "2026-11-23T00:00:00Z"),
        ("weekly_cap", "2026-11-29T12:00:00Z"),
    ]
    house.clock.forward(days=1)
    assert told(await house.check()) == [("weekly_cap", "2026-11-29T12:00:00Z")]


async def test_a_place_that_ran_out_is_no_message(house: House) -> None:
    await house.works_by(policy_text(suppress=OPEN))
    await house.writes_at_most(1, 1)
    await house.act("reserve", wanted())
    assert isinstance(await may_write(house), Later)
    house.clock.forward(minutes=15)
    assert (await house.check())["allowed"]
    assert await house.ingest.lapse() == 1
    assert isinstance(await may_write(house), Now)


async def test_an_invitation_counts_on_the_day_it_was_sent(house: House) -> None:
    await house.works_by(policy_text(suppress=OPEN))
    await house.writes_at_most(1, 9)
    house.clock.forward(hours=11, minutes=55)
    place = (await house.act("reserve", wanted()))["reservation"]
    house.clock.forward(minutes=10)
    await house.act("confirm", {"reservation": place})
    assert told(await house.check()) == [("daily_cap", "2026-11-24T00:00:00Z")]
    verdict = await may_write(house)
    assert isinstance(verdict, Later)
    assert verdict.at.isoformat() == "2026-11-24T00:00:00+00:00"
    async with house.ingest.database.tenant("default") as c:
        assert await c.scalar(text("SELECT count(*) FROM platform.contact_touch")) == 1
