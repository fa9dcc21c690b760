"""What an item's log keeps for its clocks: the policy pinned to it, and the facts of each feedback."""

from collections.abc import Mapping
from typing import Any

from heardback_router.routing.inputs import portable
from heardback_router.sla.domain import Facts, SlaPolicy
from heardback_shared.contracts.customer import CustomerSnapshot
from heardback_shared.contracts.events import FeedbackScored

_NOBODY = CustomerSnapshot()


def pinned(scored: FeedbackScored, policy: SlaPolicy) -> dict[str, Any]:
    """For the `opened` entry of an item that starts with this feedback."""
    return {"sla": policy.name, **facts_of(scored)}


def facts_of(scored: FeedbackScored) -> dict[str, Any]:
    """For the entry with which a feedback comes to an item: `facts` by which targets are chosen, and the
    feedback's revision, by which a later one is known to be new."""
    content, customer = scored.accepted.content, scored.accepted.customer or _NOBODY
    facts = {
        "tier": customer.tier,
        "touchpoint": content.touchpoint,
        "channel": content.channel,
        "region": customer.region,
        "time_zone": customer.time_zone,
        "contract": customer.contract,
        "context": {name: portable(value) for name, value in content.context.items()},
    }
    return {"facts": facts, "revision": scored.accepted.revision}


def facts_in(data: Mapping[str, Any]) -> Facts | None:
    """The facts an entry carries; None where it carries none."""
    given = data.get("facts")
    return Facts(**given) if given is not None else None
