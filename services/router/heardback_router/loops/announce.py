"""Steps of loops, for `backlog.changed`."""

from heardback_router.backlog.announce import SOURCE
from heardback_router.loops.ports import LoopStep
from heardback_shared.contracts.envelope import Envelope, to_bytes
from heardback_shared.contracts.events import LOOP_CHANGED, LoopChanged
from heardback_shared.contracts.topics import BACKLOG
from heardback_shared.ids import derived_id
from heardback_shared.stream.ports import Outgoing


def loop_changed(tenant_id: str, step: LoopStep) -> Outgoing:
    loop, event = step.after, step.event
    changed = LoopChanged(
        loop_id=loop.id,
        item_id=loop.item_id,
        customer_id=loop.customer_id,
        feedback_ids=loop.feedback_ids,
        round=event.round,
        state=event.state,
        code=event.code,
        reason=event.reason,
        at=event.at,
    )
    envelope = Envelope(
        id=derived_id("ev", loop.id, event.sequence),
        source=SOURCE,
        type=LOOP_CHANGED,
        data=to_bytes(changed),
        time=event.at,
        subject=loop.id,
        tenant_id=tenant_id,
        key=loop.item_id,
    )
    return Outgoing(BACKLOG.name, envelope)
