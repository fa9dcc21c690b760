"""Two hundred customers of four time zones, three languages and three channels, by lot."""

import random
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from tests.support.grouped import saying
from tests.support.scored import incoming
from tests.support.town import TENANT, Arrival, Town

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Sydney")
LANGUAGES = ("en", "de", "sw")
"""For `sw` there are no templates."""
CHANNELS = ("webhook", "email", "sms")
QUIET = (None, ("20:00", "09:30"), ("22:30", "06:00"))
"""None: as the policy says for everybody, from nine in the evening until eight."""
USUAL = (time(21), time(8))


@dataclass(frozen=True)
class Somebody:
    id: str
    zone: str
    language: str
    channel: str
    quiet: tuple[str, str] | None
    leaves: bool
    """Opts out, in the end."""

    def is_quiet(self, at: datetime) -> bool:
        """Counted here by the wall clock of the zone, apart from the code under test."""
        start, end = (time.fromisoformat(one) for one in self.quiet) if self.quiet else USUAL
        wall = at.astimezone(ZoneInfo(self.zone)).time()
        return wall >= start or wall < end


def crowd(size: int, seed: int = 11) -> list[Somebody]:
    chance = random.Random(seed)
    leaving = set(chance.sample(range(size), size // 20))
    return [
        Somebody(
            f"c-{number:03}",
            chance.choice(ZONES),
            chance.choice(LANGUAGES),
            chance.choice(CHANNELS),
            chance.choice(QUIET),
            number in leaving,
        )
        for number in range(size)
    ]


async def settle(town: Town, people: list[Somebody]) -> None:
    """They are known, each with what they want."""
    for one in people:
        reached = {"email": f"{one.id}@example.com"} if one.channel == "email" else {}
        reached |= {"phone": f"+4930{one.id[2:]}0000"} if one.channel == "sms" else {}
        wishes = {"quiet_hours": {"start": one.quiet[0], "end": one.quiet[1]}} if one.quiet else {}
        await town.customer(
            one.id,
            language=one.language,
            time_zone=one.zone,
            channels=[one.channel],
            **reached,
            **wishes,
        )


async def write_in(town: Town, people: list[Somebody]) -> str:
    """All of them raise one problem; the item."""
    feedback = [saying(number, 0, customer=one.id, at=town.clock.now()) for number, one in enumerate(people)]
    await town.core.route([incoming(said, tenant=TENANT) for said in feedback])
    rows = await town.rows("SELECT DISTINCT item_id FROM router.item_feedback")
    assert len(rows) == 1
    return str(rows[0].item_id)


def heard(arrivals: list[Arrival]) -> dict[str, list[Arrival]]:
    """What each customer's side accepted, by customer."""
    found: dict[str, list[Arrival]] = {}
    for one in arrivals:
        if one.accepted:
            found.setdefault(one.customer_id, []).append(one)
    return found
