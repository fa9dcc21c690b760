"""Reading policies: YAML into checked shapes. One that cannot be used is refused whole, every fault named."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Version = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+@[A-Za-z0-9._-]+$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


class PolicyError(ValueError):
    """The policy cannot be used; nothing of it is. The message names every fault and its place."""


class Shape(BaseModel):
    """Part of a policy file. Unknown fields are refused, so that a misspelt one is never lost."""

    model_config = ConfigDict(frozen=True, extra="forbid")


S = TypeVar("S", bound=Shape)


def packaged(name: str) -> str:
    """The text of a policy that comes with heardback."""
    return files("heardback_router.policies").joinpath(name).read_text("utf-8")


def text_of(name: str, folder: Path | None) -> str:
    """The deployment's own file of this name if there is one, else the packaged one. Raises PolicyError."""
    path = folder / name if folder is not None else None
    if path is None or not path.exists():
        return packaged(name)
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise PolicyError(f"{path} cannot be read: {error.strerror}") from error


def parsed(text: str, shape: type[S]) -> S:
    """Raises PolicyError."""
    try:
        raw: Any = yaml.safe_load(text)
        return shape.model_validate(raw)
    except yaml.YAMLError as error:
        raise PolicyError(f"the policy is not YAML: {error}") from error
    except ValidationError as error:
        faults = [f"{'/'.join(str(p) for p in e['loc']) or 'policy'}: {e['msg']}" for e in error.errors()]
        raise PolicyError("the policy has faults: " + "; ".join(faults)) from error
