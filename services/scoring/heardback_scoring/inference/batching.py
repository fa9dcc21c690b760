"""Which texts go through the model together."""

from collections.abc import Sequence


def plan_batches(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Cut texts into micro-batches of about equal length; every index appears exactly once.

    A batch costs rows × its longest text, because shorter rows are padded. No batch costs more than
    `budget` tokens, except a single text that is longer by itself. Longest first, so that a thread pool
    or a memory arena meets its largest shape at the start.
    """
    if budget < 1:
        raise ValueError("the token budget must be at least 1")
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    batches: list[list[int]] = []
    rows = 0
    for index in order:
        if rows == 0:
            rows = max(1, budget // max(1, lengths[index]))
            batches.append([])
        batches[-1].append(index)
        rows -= 1
    return batches
