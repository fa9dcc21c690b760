"""A stream of feedback through the router on a real database."""

import base64
from collections import defaultdict
from collections.abc import Sequence

from heardback_shared.contracts.events import Embedding, FeedbackScored
from heardback_shared.db.database import Database
from tests.load.problem_streams import Event
from tests.support.router import router_on
from tests.support.scored import incoming, score, scored

BATCH = 100
MODEL = "reader@1"


async def routed(database: Database, events: Sequence[Event]) -> dict[int, tuple[str, str]]:
    """Event number → (tenant, item), after all of them arrived in order, in batches."""
    router = router_on(database)
    numbers = {}
    for start in range(0, len(events), BATCH):
        by_tenant: dict[str, list[FeedbackScored]] = defaultdict(list)
        for event in events[start : start + BATCH]:
            feedback = _feedback(event)
            numbers[event.tenant, feedback.accepted.feedback_id] = event.number
            by_tenant[event.tenant].append(feedback)
        for tenant, many in by_tenant.items():
            await router.receive(*[incoming(feedback, tenant=tenant) for feedback in many])
    found = {}
    for tenant in {event.tenant for event in events}:
        for link in await router.links(tenant):
            found[numbers[tenant, link["feedback_id"]]] = (tenant, link["item_id"])
    return found


def _feedback(event: Event) -> FeedbackScored:
    reading = score(60.0, event.said.cause)
    causes = tuple(c.model_copy(update={"confidence": event.said.confidence}) for c in reading.root_causes)
    feedback = scored(
        event.number,
        customer=f"c-{event.number}",
        accepted_at=event.at,
        context=dict(event.context),
        comment=event.said.text,
        reading=reading.model_copy(update={"root_causes": causes}),
    )
    values = base64.b64encode(event.said.vector.tobytes()).decode()
    return feedback.model_copy(update={"embedding": Embedding(model=MODEL, values=values)})
