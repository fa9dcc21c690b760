"""The policies that decide about one tenant's feedback at one moment."""

from dataclasses import dataclass

from heardback_router.backlog.weighing import WeighingPolicy
from heardback_router.grouping.domain import GroupingPolicy
from heardback_router.routing.domain import RoutingPolicy


@dataclass(frozen=True)
class Policies:
    routing: RoutingPolicy
    grouping: GroupingPolicy
    weighing: WeighingPolicy
