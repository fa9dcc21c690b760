"""What becomes of customers' stakes when feedback goes from one item to another. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from heardback_shared.contracts.events import LoopState


@dataclass(frozen=True, slots=True)
class Stake:
    """A loop as it matters here. Without a customer its one feedback speaks for itself."""

    loop_id: str
    customer_id: str | None
    feedback_ids: frozenset[str]
    state: LoopState = "acknowledged"


@dataclass(frozen=True, slots=True)
class Carried:
    """`moved` loops are of the target from now on. `merged` loops end in one that the customer has there.
    `opened` are stakes that were split: (customer, the feedback that left). `linked` says of moved feedback
    which loop it has now, those of `opened` left out. `anew` are loops that wait for what becomes of the
    target, whatever was told before: that was of another item. Who had confirmed is content all the same."""

    moved: tuple[str, ...]
    merged: Mapping[str, str]
    opened: tuple[tuple[str, tuple[str, ...]], ...]
    linked: Mapping[str, str]
    anew: frozenset[str] = frozenset()


def carried(leaving: Sequence[Stake], there: Sequence[Stake], feedback: frozenset[str]) -> Carried:
    """A customer has one loop in an item, before and after. `leaving` are all loops of the item that the
    feedback leaves, `there` those of the item it comes to."""
    held = {stake.customer_id: stake.loop_id for stake in there if stake.customer_id is not None}
    moved: list[str] = []
    merged: dict[str, str] = {}
    opened: list[tuple[str, tuple[str, ...]]] = []
    linked: dict[str, str] = {}
    anew: set[str] = set()
    for stake in leaving:
        going = stake.feedback_ids & feedback
        if not going:
            continue
        into = held.get(stake.customer_id) if stake.customer_id is not None else None
        if into is not None:
            linked.update(dict.fromkeys(going, into))
            if stake.state != "confirmed":
                anew.add(into)
            if going == stake.feedback_ids:
                merged[stake.loop_id] = into
        elif going == stake.feedback_ids or stake.customer_id is None:
            moved.append(stake.loop_id)
            if stake.state == "told":
                anew.add(stake.loop_id)
        else:
            opened.append((stake.customer_id, tuple(sorted(going))))
    return Carried(tuple(moved), merged, tuple(opened), linked, frozenset(anew))
