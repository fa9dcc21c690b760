"""The message to one person of a campaign. Pure: from what was approved, the same message every time."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from heardback_router.campaigns.domain import Campaign, ChangeRecord
from heardback_router.campaigns.people import Person, Stake
from heardback_router.messages.domain import MessageFacts, Result, Sensitivity
from heardback_router.outreach.domain import Draft
from heardback_router.wording import CustomerText
from heardback_shared.contact.domain import Ask
from heardback_shared.ids import derived_id

STEP: Final = "told"


def message_id_of(tenant_id: str, campaign_id: str, person_id: str) -> str:
    """The same for every try to send it."""
    return derived_id("msg", "campaign", tenant_id, campaign_id, person_id)


def facts_for(
    person: Person, changes: Sequence[ChangeRecord], items: Mapping[str, Mapping[str, Any]]
) -> MessageFacts:
    """`items` as the decision holds them. Whoever has several matters reads what was done about each, and
    no single one is named."""
    subjects = {items[stake.item_id]["about"] for stake in person.stakes}
    (stake, *others) = person.stakes
    return MessageFacts(
        about=subjects.pop() if len(subjects) == 1 else None,
        raised_on=None if others else stake.raised_at.date(),
        changes=tuple(change.facts for change in changes if change.id in person.change_ids),
    )


def said_of(stake: Stake, person: Person, changes: Sequence[ChangeRecord]) -> tuple[CustomerText, Result]:
    """What the message says of one of its matters: as the matter's own page shows it afterwards."""
    about = [c for c in changes if c.id in person.change_ids and stake.item_id in c.item_ids]
    results = {change.result for change in about}
    return CustomerText("\n\n".join(c.tell.text for c in about)), (
        results.pop() if len(results) == 1 else "partial"
    )


def sensitivity_for(person: Person, items: Mapping[str, Mapping[str, Any]]) -> Sensitivity:
    return "sensitive" if any(items[one.item_id]["sensitive"] for one in person.stakes) else "standard"


def ask_for(person: Person) -> Ask:
    """A person released the campaign, a machine writes the message: it counts as automatic."""
    return Ask("case_updates", person.stakes[0].item_id)


def draft_of(tenant_id: str, campaign: Campaign, person: Person, changes: Sequence[ChangeRecord]) -> Draft:
    """The person must be one who is told."""
    if person.customer_id is None or campaign.decision is None:
        raise ValueError(f"{person.person_id} of {campaign.id} is not told")
    items = campaign.decision["items"]
    stakes = person.stakes
    return Draft(
        id=message_id_of(tenant_id, campaign.id, person.person_id),
        customer_id=person.customer_id,
        step=STEP,
        facts=facts_for(person, changes, items),
        item_ids=tuple(dict.fromkeys(stake.item_id for stake in stakes)),
        loop_ids=tuple(dict.fromkeys(stake.loop_id for stake in stakes if stake.loop_id is not None)),
        feedback_ids=tuple(dict.fromkeys(one for stake in stakes for one in stake.feedback_ids)),
        sensitivity=sensitivity_for(person, items),
        campaign_id=campaign.id,
    )
