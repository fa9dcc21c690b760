"""Changes, stakes and people as the tests of campaigns use them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from heardback_router.campaigns.claims import ItemFacts, Refusal, refusals
from heardback_router.campaigns.domain import ChangeRecord
from heardback_router.campaigns.guard import Guarded
from heardback_router.campaigns.people import Person, Stake
from heardback_router.configuration.source import packaged
from heardback_router.loops.policy import read_telling
from heardback_router.messages.domain import Result
from heardback_router.messages.policy import read_messages
from heardback_router.wording import CustomerText, InternalText
from heardback_shared.contact.domain import Recipient

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
TELLING = read_telling(packaged("telling.yaml"))
MESSAGES = read_messages(packaged("messages.yaml"))


def change(
    change_id: str = "ch_1",
    *items: str,
    tell: str = "Every invoice now shows the right number of seats.",
    result: Result = "done",
    at: datetime = AT,
    reviewed_by: str | None = "bo",
    translations: Mapping[str, str] | None = None,
) -> ChangeRecord:
    return ChangeRecord(
        change_id,
        result,
        InternalText("Ledger job patched."),
        CustomerText(tell),
        date(2026, 11, 20),
        "R-7",
        items or ("it_a",),
        "ana",
        at,
        reviewed_by,
        at if reviewed_by else None,
        tuple((language, CustomerText(said)) for language, said in (translations or {}).items()),
    )


def stake(item: str = "it_a", customer: str | None = "c-1", **values: Any) -> Stake:
    return Stake(item, customer, (f"fb_{item}_{customer}",), AT, f"lp_{item}_{customer}", **values)


def known(customer: str, person: str | None = None, **values: Any) -> Recipient:
    return Recipient(customer, person or customer, ("webhook",), **values)


def refused(
    *changes: ChangeRecord,
    items: tuple[ItemFacts, ...] = (ItemFacts("it_a", "resolved"),),
    people: tuple[Person, ...] = (),
    guarded: tuple[Guarded, ...] = (),
    change_ids: tuple[str, ...] | None = None,
) -> tuple[Refusal, ...]:
    ids = change_ids if change_ids is not None else tuple(one.id for one in changes)
    return refusals(items, ids, changes, people, guarded, MESSAGES, AT)
