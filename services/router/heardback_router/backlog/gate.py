"""What an item still lacks before it may be called solved. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from heardback_router.backlog.domain import Item


@dataclass(frozen=True, slots=True)
class Lack:
    """`pointer` names what is to be mended, `detail` how."""

    pointer: str
    detail: str


class GateError(Exception):
    """The item may not be resolved, or closed, yet. Every lack is named at once."""

    def __init__(self, lacks: Sequence[Lack]) -> None:
        super().__init__("; ".join(f"{lack.pointer}: {lack.detail}" for lack in lacks))
        self.lacks = tuple(lacks)


def lacks_of(item: Item) -> tuple[Lack, ...]:
    """The customer's criterion unsettled, and mandatory steps not taken."""
    lacks = []
    criterion = item.criterion
    if criterion is not None and criterion.outcome is None:
        lacks.append(
            Lack(
                "/criterion",
                f'the customer calls it solved when: "{criterion.text}". Say with :settle-criterion that '
                "this is met, or why it is waived",
            )
        )
    for step in item.steps:
        if step.holds_up:
            lacks.append(Lack(f"/steps/{step.id}", _step_lack(step.title, step.approval, step.outcome)))
    return tuple(lacks)


def lacks_to_close(item: Item) -> tuple[Lack, ...]:
    """As `lacks_of`, and the resolution itself: cause, action, and what the customer was told or why not."""
    outcome = item.resolution
    if outcome is None:
        return (Lack("/resolution", "the item has none; resolve it first"), *lacks_of(item))
    said = {
        "root_cause": outcome.root_cause,
        "action": outcome.action,
        "tell_customer": outcome.tell_customer or outcome.not_telling_because,
    }
    empty = [Lack(f"/resolution/{name}", "says nothing") for name, text in said.items() if not text]
    return (*empty, *lacks_of(item))


def _step_lack(title: str, approval: str | None, outcome: str | None) -> str:
    if approval is None:
        return f"the step “{title}” is mandatory and not done; settle it with :settle-step"
    if outcome == "refused":
        return f"the step “{title}” was refused; ask again, or take it back"
    return f"the step “{title}” waits for approval by someone of level {approval} or above"
