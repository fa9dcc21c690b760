"""The kinds of policy there are, and who reads each."""

from collections.abc import Callable, Mapping
from typing import Any

from heardback_router.assignment.policy import read_capacity
from heardback_router.backlog.policy import read_weighing
from heardback_router.forms.policy import read_forms
from heardback_router.grouping.policy import read_grouping
from heardback_router.loops.policy import read_telling
from heardback_router.messages.policy import read_messages
from heardback_router.routing.ladder_policy import read_ladder
from heardback_router.routing.policy import read_routing
from heardback_router.sla.policy import read_sla
from heardback_router.steps.policy import read_steps, read_thresholds
from heardback_shared.contact.policy import read_contact

KINDS: Mapping[str, Callable[[str], Any]] = {
    "routing": read_routing,
    "grouping": read_grouping,
    "weighing": read_weighing,
    "sla": read_sla,
    "ladder": read_ladder,
    "capacity": read_capacity,
    "steps": read_steps,
    "thresholds": read_thresholds,
    "forms": read_forms,
    "contact": read_contact,
    "messages": read_messages,
    "telling": read_telling,
}
"""Kind → its reader, which raises PolicyError. Each is a field of `Policies` and a file `<kind>.yaml`."""

SCORING_KINDS = ("severity", "taxonomy")
"""Kinds that scoring reads and follows. Router keeps their versions and tells scoring what is in force."""

INGEST_KINDS = ("surveys", "classes")
"""Kinds that ingest reads. Router keeps their versions; table `platform.policy_in_force` tells ingest."""

SHARED_KINDS = ("contact",)
"""Kinds that router and ingest both read, as both write to customers; the file is with what is shared."""

TOLD_INGEST = (*INGEST_KINDS, *SHARED_KINDS)

READ_BY = {**dict.fromkeys(SCORING_KINDS, "scoring"), **dict.fromkeys(INGEST_KINDS, "ingest")}
"""Kind → the service that reads it, for those that router does not read itself."""

ALL_KINDS = (*READ_BY, *KINDS)
