"""Parents and children: one item is accountable, the others hold their domain's share of its work. Pure."""

from collections.abc import Sequence

from heardback_router.backlog.commands import Close, Command, IllegalCommandError, Reopen, Resolve
from heardback_router.backlog.domain import ROUTER, Item
from heardback_router.backlog.log import Entry
from heardback_router.wording import CustomerText
from heardback_shared.contracts.events import ItemState

PART_DONE = Entry(
    "closed", ROUTER, "Its part is done; the customer hears from the item it belongs to", {"loop_id": None}
)
"""What follows by itself when a child is resolved: nobody behind it waits for an answer."""


def refuse_against_family(
    item: Item, command: Command, children: Sequence[Item], parent_state: ItemState | None
) -> None:
    """Raises IllegalCommandError for what leaves a parent done before its child, or makes a child speak.

    `children` are those of the item, locked; `parent_state` that of its parent, if it has one.
    """
    if isinstance(command, Resolve | Close):
        waiting = [child for child in children if child.state not in {"closed", "merged"}]
        if waiting:
            named = ", ".join(f"{child.id} ({child.team}, {_plain(child.state)})" for child in waiting)
            raise IllegalCommandError(f"Its parts are not done yet: {named}. Resolve them first.")
    if isinstance(command, Resolve) and item.parent_id and isinstance(command.tell, CustomerText):
        raise IllegalCommandError(
            f"Customers hear from {item.parent_id}, of which this is a part; say not_telling_because instead."
        )
    if isinstance(command, Reopen) and parent_state in {"resolved", "closed"}:
        raise IllegalCommandError(
            f"{item.parent_id}, of which this is a part, is {parent_state}; reopen that first."
        )


def _plain(state: str) -> str:
    return state.replace("_", " ")
