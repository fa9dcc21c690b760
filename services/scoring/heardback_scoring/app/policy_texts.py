"""Policies that come as text: read, checked, and refused whole with every fault named."""

from typing import Any, Literal

import yaml
from pydantic import ValidationError

from heardback_scoring.domain.severity_policy import SeverityPolicy
from heardback_scoring.domain.taxonomy import Taxonomy
from heardback_shared.http.problems import field_errors

PolicyKind = Literal["severity", "taxonomy"]
Policy = SeverityPolicy | Taxonomy


class PolicyRefused(ValueError):  # noqa: N818  (told to people as it is)
    """Nothing of the policy can be used. `faults` are (JSON pointer into it, what to write instead)."""

    def __init__(self, faults: tuple[tuple[str, str], ...]) -> None:
        super().__init__("; ".join(f"{pointer or '/'}: {mend}" for pointer, mend in faults))
        self.faults = faults


def read_policy(kind: PolicyKind, text: str) -> Policy:
    """Raises PolicyRefused."""
    return read_severity(text) if kind == "severity" else read_taxonomy(text)


def read_severity(text: str) -> SeverityPolicy:
    """Raises PolicyRefused."""
    try:
        return SeverityPolicy.model_validate(mapping_in(text))
    except ValidationError as error:
        raise PolicyRefused(field_errors(error)) from error


def read_taxonomy(text: str) -> Taxonomy:
    """Raises PolicyRefused."""
    try:
        return Taxonomy.model_validate(mapping_in(text))
    except ValidationError as error:
        raise PolicyRefused(field_errors(error)) from error


class _Plain(yaml.SafeLoader):
    """YAML without aliases: a few of them can stand for billions of values."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not taken; write out what they stand for")
        return super().compose_node(parent, index)


def mapping_in(text: str) -> dict[str, Any]:
    """Raises PolicyRefused."""
    try:
        data = yaml.load(text, _Plain)  # noqa: S506  (a safe loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        said = " ".join(str(error).split())[:300]
        raise PolicyRefused((("", f"is not YAML: {said}"),)) from error
    if not isinstance(data, dict):
        raise PolicyRefused((("", "must be a mapping of names to values, as in the packaged policy"),))
    return data
