"""What users of other systems complain about, and must not happen here."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.integration.router_loops.receiver import Receiver, Reply
from tests.integration.router_outreach.desk import desk_at
from tests.support.outreach import Station, draft

from heardback_router.outreach.basis import from_plain
from heardback_shared.contact.domain import Later, Never, Now
from heardback_shared.contact.verdict import verdict


async def test_complaint_why_was_i_not_told_has_an_answer_for_everybody(
    station: Station, receiver: Receiver
) -> None:
    """Each "no" and each "later" says why, in plain words and by a code."""
    await station.opt_out("c-1")
    await station.opt_out("c-2", item_id="it_2")
    await station.hold("c-3")
    await station.customer("c-4", time_zone="Asia/Tokyo")
    await station.customer("c-5", digest="weekly")
    await station.customer("c-6", channels=["email"])
    receiver.usual = Reply(500, headers=(("webhook-delivery", "abort-message"),))
    for number in range(1, 8):
        await station.enqueue(draft(number, customer_id=f"c-{number}"))
    await station.send()
    await station.send()
    expected = {
        "c-1": ("refused", "opted_out", "does not want to be written to"),
        "c-2": ("refused", "opted_out_of_item", "about this matter"),
        "c-3": ("waiting", "on_hold", "too personal"),
        "c-4": ("waiting", "quiet_hours", "quiet hours"),
        "c-5": ("waiting", "digest", "weekly"),
        "c-6": ("refused", "no_channel", "no channel"),
        "c-7": ("failed", "no_channel_left", "Not taken by webhook"),
    }
    async with desk_at(station) as desk:
        for customer, (state, code, words) in expected.items():
            (found,) = (await desk.get("/v1/messages", customer=customer)).json()["messages"]
            assert (found["state"], found["code"]) == (state, code)
            whole = await desk.message(found["id"])
            assert words in whole["explanation"], customer
            assert whole["history"][-1]["code"] == code
        by_code = (await desk.get("/v1/messages", code="on_hold", state="waiting")).json()["messages"]
        assert [m["customer_id"] for m in by_code] == ["c-3"]


async def test_complaint_why_was_i_not_told_can_be_judged_again_from_the_record(
    station: Station, receiver: Receiver
) -> None:
    await station.customer(
        "c-1", time_zone="America/New_York", quiet_hours={"start": "06:00", "end": "12:30"}
    )
    await station.customer("c-2", digest="daily")
    await station.opt_out("c-3")
    for number in range(1, 9):
        await station.enqueue(draft(number, customer_id=f"c-{number % 4}"))
    for _ in range(4):
        await station.send()
        station.clock.forward(hours=7)
    policies = await station.lent.policies.of(None, "default")  # type: ignore[arg-type]
    judged = 0
    for number in range(1, 9):
        for event in await station.log(f"me_{number}_told"):
            if "recipient" not in event["basis"]:
                continue
            assert event["basis"]["rules"] == policies.contact.name
            recipient, ask, touches, stopped, at = from_plain(event["basis"])
            match verdict(recipient, ask, touches, policies.contact, at, stopped):
                case Now(channel):
                    assert (event["state"], event["channel"]) == ("handed", channel)
                case Later(due_at, code, _):
                    assert (event["state"], event["code"], event["due_at"]) == ("waiting", code, due_at)
                case Never(code, _):
                    assert (event["state"], event["code"]) == ("refused", code)
            judged += 1
    assert judged >= 12


async def test_complaint_quiet_hours_are_those_of_the_recipient_and_nobody_is_forgotten(
    station: Station, receiver: Receiver
) -> None:
    """Over the end of summer time in New York and its beginning in Sydney, with a receiver that fails."""
    zones = ["America/New_York", "Europe/Berlin", "Asia/Tokyo", "Australia/Sydney", "Asia/Kathmandu"]
    for number, zone in enumerate(zones):
        await station.customer(f"c-{number}", time_zone=zone)
    station.clock.at = datetime(2026, 10, 3, 10, 13, tzinfo=UTC)
    heard: dict[str, list[datetime]] = {}
    for day in (0, 22, 29):
        for number in range(len(zones)):
            await station.enqueue(draft(100 * day + number, customer_id=f"c-{number}"))
        receiver.replies.extend([Reply(500)] * 4)
        for _ in range(40):
            before = len(receiver.received)
            await station.send()
            for got in receiver.received[before:]:
                heard.setdefault(got.json["data"]["customer_id"], []).append(station.clock.now())
            station.clock.forward(minutes=61)
        station.clock.at = datetime(2026, 10, 3, 10, 13, tzinfo=UTC) + timedelta(days=day + 3)
    for number, zone in enumerate(zones):
        for at in heard[f"c-{number}"]:
            assert 8 <= at.astimezone(ZoneInfo(zone)).hour < 21, zone
    assert set((await station.states()).values()) == {"sent"}
    assert len({got.id for got in receiver.received}) == 3 * len(zones)


async def test_complaint_quiet_hours_do_not_hold_back_what_the_law_requires(
    station: Station, receiver: Receiver
) -> None:
    await station.customer(time_zone="Asia/Tokyo")
    station.clock.at = datetime(2026, 11, 22, 18, tzinfo=UTC)  # three at night there
    await station.enqueue(draft(1), draft(2, critical=True))
    await station.send()
    assert await station.states() == {"me_1_told": "waiting", "me_2_told": "sent"}
