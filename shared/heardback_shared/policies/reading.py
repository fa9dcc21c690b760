"""Reading policies: YAML into checked shapes. One that cannot be used is refused whole, every fault named."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Version = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+@[A-Za-z0-9._-]+$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
Origin = Literal["deployment", "packaged"]


class PolicyError(ValueError):
    """The policy cannot be used; nothing of it is. The message names every fault and its place.

    `faults` are (JSON pointer into the policy, what to mend), empty where only the message tells.
    """

    def __init__(self, message: str, faults: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.faults = faults


class Shape(BaseModel):
    """Part of a policy file. Unknown fields are refused, so that a misspelt one is never lost."""

    model_config = ConfigDict(frozen=True, extra="forbid")


S = TypeVar("S", bound=Shape)


class _Loader(yaml.SafeLoader):
    """Refuses what would be lost or blown up: a key given twice, and aliases."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "aliases are not taken; write it out", None)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    problem = f"{key.value!r} is given twice; keep one"
                    raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def shipped(package: str, name: str) -> str:
    """The text of a policy that comes with a service, in folder `policies` of its package."""
    return files(f"{package}.policies").joinpath(name).read_text("utf-8")


def found(package: str, name: str, folder: Path | None) -> tuple[str, Origin]:
    """The deployment's own file of this name if there is one, else the shipped one. Raises PolicyError."""
    path = folder / name if folder is not None else None
    if path is None or not path.exists():
        return shipped(package, name), "packaged"
    try:
        return path.read_text("utf-8"), "deployment"
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise PolicyError(f"{path} cannot be read: {why}") from error


def content_of(text: str) -> Any:
    """The policy as plain data, unchecked. Raises PolicyError where it is not YAML as taken here."""
    try:
        return yaml.load(text, _Loader)  # noqa: S506  a SafeLoader
    except yaml.YAMLError as error:
        raise PolicyError(f"the policy is not YAML: {error}") from error
    except ValueError as error:  # what looks like a date and is none
        raise PolicyError(f"the policy is not YAML: {error}") from error
    except RecursionError as error:
        raise PolicyError("the policy is nested too deep") from error


def parsed(text: str, shape: type[S]) -> S:
    """Raises PolicyError."""
    try:
        return shape.model_validate(content_of(text))
    except ValidationError as error:
        faults = tuple((_pointer(e["loc"]), e["msg"].removeprefix("Value error, ")) for e in error.errors())
        told = "; ".join(f"{pointer.lstrip('/') or 'policy'}: {detail}" for pointer, detail in faults)
        raise PolicyError(f"the policy has faults: {told}", faults) from error


def _pointer(location: tuple[int | str, ...]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)
