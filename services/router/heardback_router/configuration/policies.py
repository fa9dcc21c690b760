"""The policies that decide about one tenant's feedback at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from heardback_router.assignment.domain import CapacityPolicy
from heardback_router.backlog.weighing import WeighingPolicy
from heardback_router.forms.domain import FormsPolicy
from heardback_router.grouping.domain import GroupingPolicy
from heardback_router.loops.telling import TellingPolicy
from heardback_router.messages.rendering import MessagesPolicy
from heardback_router.routing.domain import RoutingPolicy
from heardback_router.routing.ladder import LadderPolicy
from heardback_router.sla.domain import SlaPolicy
from heardback_router.steps.domain import StepsPolicy
from heardback_router.steps.thresholds import ThresholdPolicy
from heardback_shared.contact.domain import ContactRules


@dataclass(frozen=True)
class Policies:
    routing: RoutingPolicy
    grouping: GroupingPolicy
    weighing: WeighingPolicy
    sla: SlaPolicy
    ladder: LadderPolicy
    steps: StepsPolicy
    thresholds: ThresholdPolicy
    forms: FormsPolicy
    capacity: CapacityPolicy
    contact: ContactRules
    messages: MessagesPolicy
    telling: TellingPolicy
    sla_before: Mapping[str, SlaPolicy] = field(default_factory=dict)
    """Older versions of `sla` by name, as far as somebody has looked them up."""
