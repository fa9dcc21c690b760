"""Who is asked at which distance, by lot: the only way to learn what asking does to customers."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

GAPS = (30, 60, 90)
SHARE = 0.10
ARM = "customer.arm"
"""The attribute by which rules of the surveys policy know the arm."""
NONE = "none"
"""The arm of those who take no part."""
_SPAN = 2**64


@dataclass(frozen=True, slots=True)
class Experiment:
    """`share` of the customers, spread evenly over the gaps in days. `id` makes the lot: another experiment
    draws others."""

    id: str
    gaps: tuple[int, ...] = GAPS
    share: float = SHARE

    def __post_init__(self) -> None:
        if len(set(self.gaps)) < 2 or any(gap < 1 for gap in self.gaps):
            raise ValueError("at least two different gaps of at least one day are needed")
        if not 0 < self.share <= 1:
            raise ValueError("the share must be above 0 and at most 1")

    @property
    def arms(self) -> Sequence[str]:
        return [arm_name(gap) for gap in self.gaps]


def arm_name(gap: int) -> str:
    return f"gap-{gap}"


def drawn(experiment: Experiment, tenant_id: str, customer_id: str) -> int | None:
    """The customer's gap in days; None for those who take no part. Depends on nothing but these names."""
    name = "\x00".join((experiment.id, tenant_id, customer_id)).encode()
    digest = sha256(name).digest()
    place = int.from_bytes(digest[:8]) / _SPAN
    if place >= experiment.share:
        return None
    # Other bits, so that the arm does not depend on where in the share the customer fell.
    return experiment.gaps[int.from_bytes(digest[8:16]) * len(experiment.gaps) // _SPAN]
