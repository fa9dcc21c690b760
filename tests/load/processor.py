"""What processes work, as the operating system counts it: other work on the machine changes it little."""

from collections.abc import Mapping

import psutil

from heardback_local.stack import LocalStack

PARTS = ("ingest", "scoring", "router", "broker", "postgres")


def seconds_of(pid: int | None) -> float:
    """User and system seconds of a process and of all it started, those that have ended included."""
    if pid is None:
        return 0.0
    found = 0.0
    root = psutil.Process(pid)
    for process in (root, *root.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        found += times.user + times.system + times.children_user + times.children_system
    return found


def seconds_of_stack(stack: LocalStack) -> dict[str, float]:
    """Per part of the stack, since it was started."""
    return {name: seconds_of(stack.child(name).pid) for name in PARTS}


def microseconds_each(
    before: Mapping[str, float], after: Mapping[str, float], events: int
) -> dict[str, float]:
    """Per part, and together."""
    each = {name: round((after[name] - before[name]) / events * 1e6) for name in after}
    return {**each, "together": sum(each.values())}
