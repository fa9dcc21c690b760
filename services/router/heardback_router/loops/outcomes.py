"""What the end of a message means for a loop. Pure."""

from dataclasses import dataclass

from heardback_router.loops.domain import LoopStatus, may_follow
from heardback_router.messages.domain import Step
from heardback_router.outreach.domain import Standing
from heardback_shared.contracts.events import LoopState


@dataclass(frozen=True, slots=True)
class Outcome:
    """`before` are the steps that have to be taken first, because the message came from elsewhere."""

    state: LoopState
    code: str | None
    reason: str | None
    before: tuple[LoopState, ...] = ()


TOLD_NOTHING = Outcome("not_told", "told_nothing", "The team decided to tell nothing; the item says why.")
NO_CUSTOMER = Outcome("not_told", "no_customer", "the feedback names no customer")

_ENDS: dict[str, LoopState] = {
    "sent": "told",
    "failed": "failed",
    "refused": "not_told",
    "cancelled": "not_told",
}


def outcome_of(standing: Standing, known: tuple[int, Step] | None, status: LoopStatus) -> Outcome | None:
    """What follows for a loop; None where nothing does.

    `known` is the round and the step of a message that the loops themselves had drafted; others tell of a
    change to the item. A message of an earlier round, or of another step, moves nothing; neither does one of
    others that reached nobody, as the loop's own may be on its way.
    """
    state = _ENDS.get(standing.state)
    if state is None or (known is not None and known != (status.round, "told")):
        return None
    if known is None and state != "told":
        return None
    code = standing.channel if state == "told" else standing.code
    reason = None if state == "told" else standing.reason
    if may_follow(status.state, state):
        return Outcome(state, code, reason)
    # A campaign may tell of what nobody had told them one by one.
    if known is None and state == "told" and status.state in {"acknowledged", "planned", "not_told"}:
        return Outcome(state, code, reason, ("changed",))
    return None
