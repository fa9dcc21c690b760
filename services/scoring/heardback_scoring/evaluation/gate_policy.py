"""When a model may take the place of another: bounds on how much worse each figure may get."""

from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from heardback_scoring.evaluation.record import FigureVerdict
from heardback_scoring.evaluation.statistics import Paired

LOWER_IS_BETTER = ("ece", "abstained", "failure_rate", "*_mean_shift", "*_pair_shift")


class PolicyRefused(Exception):  # noqa: N818  (told to people as it is)
    """The release policy cannot be used. The message names the field and the mend."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Bound(_Data):
    """How much worse the figures that fit may get; None: shown only. `min_rows` goes before the policy's."""

    set: str = "*"
    slice: str = "*"
    figure: str = "*"
    bound: Annotated[float, Field(ge=0)] | None
    min_rows: Annotated[int, Field(ge=1)] | None = None

    def fits(self, set_name: str, slice_name: str, figure: str) -> bool:
        pairs = ((set_name, self.set), (slice_name, self.slice), (figure, self.figure))
        return all(fnmatchcase(value, pattern) for value, pattern in pairs)


class ReleasePolicy(_Data):
    policy: str
    min_rows: Annotated[int, Field(ge=1)]
    expected: tuple[str, ...] = ()
    bounds: tuple[Bound, ...]

    def bound_of(self, set_name: str, slice_name: str, figure: str) -> Bound | None:
        """The first that fits."""
        return next((bound for bound in self.bounds if bound.fits(set_name, slice_name, figure)), None)

    def verdict(self, bound: Bound | None, figure: str, rows: int, found: Paired) -> FigureVerdict:
        """See `record.FigureVerdict`. A figure may get worse by exactly its bound."""
        if bound is None or bound.bound is None:
            return "unbound"
        if rows < (bound.min_rows or self.min_rows):
            return "too_small"
        if lower_is_better(figure):
            worse_by, certain = found.difference, found.low > 0
        else:
            worse_by, certain = -found.difference, found.high < 0
        # Differences of shares are sums of floats: the tenth decimal decides nothing.
        if worse_by <= bound.bound + 1e-9:
            return "holds"
        return "worse" if certain else "unsure"


def lower_is_better(figure: str) -> bool:
    return any(fnmatchcase(figure, pattern) for pattern in LOWER_IS_BETTER)


def load_release_policy(path: Path | None = None) -> ReleasePolicy:
    """The packaged policy, or the one in a file. Raises PolicyRefused."""
    where = str(path) if path is not None else "the packaged release policy"
    try:
        packaged = files("heardback_scoring.policies") / "release.yaml"
        text = packaged.read_text("utf-8") if path is None else path.read_text("utf-8")
        data: Any = yaml.safe_load(text)
        return ReleasePolicy.model_validate(data)
    except OSError as error:
        raise PolicyRefused(f"{where} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise PolicyRefused(f"{where} is not YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise PolicyRefused(f"{where} is wrong at '{field}': {first['msg']}") from error
