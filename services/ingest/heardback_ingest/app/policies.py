"""The kinds of policy that ingest reads. Router keeps their versions and says which are in force."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from heardback_ingest.domain.classes_policy import read_classes
from heardback_ingest.domain.surveys.lint import lint
from heardback_ingest.domain.surveys.reading import read_surveys
from heardback_shared.contact.policy import read_contact
from heardback_shared.policies.in_force import PoliciesInForce, Reader, own_policies

_OWN: Mapping[str, Reader] = {"surveys": read_surveys, "classes": read_classes}
_SHARED: Mapping[str, Reader] = {"contact": read_contact}
READERS: Mapping[str, Reader] = {**_OWN, **_SHARED}
"""Kind → its reader, which raises PolicyError. Each has a file `<kind>.yaml`, in this package's policies or,
where router reads it too, in what is shared."""


def warnings_of(kind: str, policy: Any) -> list[str]:
    """What is strange about a policy that can be used, each with its place."""
    return [f"{f.pointer}: {f.detail}" for f in lint(policy)] if kind == "surveys" else []


def policies_in_force(folder: Path | None) -> PoliciesInForce:
    """`folder` holds files of the deployment's own, by kind. Raises PolicyError where one cannot be used."""
    own = own_policies("heardback_ingest", _OWN, folder) | own_policies("heardback_shared", _SHARED, folder)
    return PoliciesInForce(READERS, own)
