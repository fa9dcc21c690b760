"""Which model reads, which one may only watch, and who decided so. Pure: states in, states out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from heardback_shared.contracts.score import ModelRef

PACKAGED = ("default", "lexicon", "constant")
Share = Annotated[float, Field(gt=0, le=1)]
Words = Annotated[str, Field(min_length=1, max_length=500)]
Action = Literal["promote", "rollback", "shadow"]


class DecisionRefused(Exception):  # noqa: N818  (a verdict, told to people as it is)
    """The decision may not be taken. The message says why, and what to do."""


class Comparison(Protocol):
    """The record of a comparison that was checked, as far as a promotion rests on it."""

    @property
    def baseline(self) -> ModelRef: ...

    @property
    def candidate(self) -> ModelRef: ...

    @property
    def verdict(self) -> Literal["pass", "fail"]: ...

    @property
    def digest(self) -> str: ...


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Registered(_Value):
    """A model as people name it (default, lexicon, a manifest, NAME@COMMIT) and what it was when decided on.

    A manifest inside the registry's folder is named relative to it, so that the folder may be mounted
    anywhere.
    """

    model: Words
    ref: ModelRef

    @property
    def pinned(self) -> bool:
        """It must be these very bytes. What comes with the package is replaced by installing another one."""
        return self.model not in PACKAGED


class Candidate(_Value):
    """Reads along, after the model in force, a `share` of the feedback; nobody acts on what it says."""

    model: Registered
    share: Share = 1.0


class Decision(_Value):
    """One line of the log. `from` and `to` are the models in force, or the candidates for a shadow.

    `record`, `verdict` are of the comparison that a promotion rests on; `overridden` says that it was
    promoted against it, or without one.
    """

    number: Annotated[int, Field(ge=1)]
    action: Action
    at: AwareDatetime
    by: Words | None = None
    because: Words | None = None
    came_from: Annotated[Registered | None, Field(alias="from")] = None
    to: Registered | None = None
    share: Share | None = None
    record: str | None = None
    verdict: Literal["pass", "fail"] | None = None
    overridden: bool = False


class RegistryState(_Value):
    """What is in force. Carries the decision that made it, so that none is in force without its record.

    `active` None is the model of the service's own settings. `before` are those that a rollback goes back to,
    the latest last.
    """

    format: Literal["heardback.registry.v1"] = "heardback.registry.v1"
    active: Registered | None = None
    before: tuple[Registered | None, ...] = ()
    candidate: Candidate | None = None
    decision: Decision | None = None

    @property
    def next_number(self) -> int:
        return self.decision.number + 1 if self.decision else 1


UNDECIDED = RegistryState()


def promoted(
    state: RegistryState,
    model: Registered,
    in_force: Registered,
    comparison: Comparison | None,
    *,
    by: str,
    because: str,
    at: datetime,
    override: bool = False,
) -> RegistryState:
    """The model takes over from `in_force`; a shadow of the same model ends, for it would watch itself.

    Raises DecisionRefused where the comparison does not allow it; with `override` it only stands in the log.
    """
    if model == state.active:
        raise DecisionRefused(f"{model.model} is in force already.")
    faults = objections(model.ref, in_force.ref, comparison)
    if faults and not override:
        raise DecisionRefused(
            f"{model.model} is not promoted: {'; '.join(faults)}. Compare it with the model in force first, "
            "or decide against the record with --override."
        )
    decision = Decision(
        number=state.next_number,
        action="promote",
        at=at,
        by=by,
        because=because,
        came_from=in_force,
        to=model,
        record=comparison.digest if comparison else None,
        verdict=comparison.verdict if comparison else None,
        overridden=bool(faults),
    )
    watching = state.candidate
    if watching is not None and watching.model.ref == model.ref:
        watching = None
    return RegistryState(
        active=model, before=(*state.before, state.active), candidate=watching, decision=decision
    )


def objections(model: ModelRef, in_force: ModelRef, comparison: Comparison | None) -> Sequence[str]:
    """Why the comparison does not allow the promotion; empty if it does."""
    if comparison is None:
        return ("there is no comparison record",)
    faults = []
    if comparison.verdict != "pass":
        faults.append("the comparison's verdict is fail")
    if comparison.candidate.sha256 != model.sha256:
        faults.append(
            f"the comparison is of a model with sha256 {comparison.candidate.sha256}, "
            f"this one has {model.sha256}"
        )
    if comparison.baseline.sha256 != in_force.sha256:
        faults.append(
            f"it was compared with {comparison.baseline.name}@{comparison.baseline.revision}, "
            f"while {in_force.name}@{in_force.revision} is in force"
        )
    return tuple(faults)


def rolled_back(
    state: RegistryState, from_setting: Registered, *, by: str, because: str, at: datetime
) -> RegistryState:
    """The model before takes over again; `from_setting` is the one that reads while nothing is decided.

    Raises DecisionRefused when nothing was promoted, or all of it is rolled back.
    """
    if not state.before:
        raise DecisionRefused("There is nothing to go back to: no promotion is in force.")
    *before, target = state.before
    decision = Decision(
        number=state.next_number,
        action="rollback",
        at=at,
        by=by,
        because=because,
        came_from=state.active or from_setting,
        to=target or from_setting,
    )
    return RegistryState(active=target, before=tuple(before), candidate=state.candidate, decision=decision)


def shadowed(
    state: RegistryState,
    candidate: Candidate | None,
    in_force: Registered,
    *,
    by: str | None,
    because: str | None,
    at: datetime,
) -> RegistryState:
    """The candidate watches from now on; None ends it. Raises DecisionRefused for the model in force."""
    if candidate is None and state.candidate is None:
        raise DecisionRefused("There is no shadow to end.")
    if candidate is not None and candidate.model.ref == in_force.ref:
        raise DecisionRefused(f"{candidate.model.model} is the model in force; it cannot watch itself.")
    decision = Decision(
        number=state.next_number,
        action="shadow",
        at=at,
        by=by,
        because=because,
        came_from=state.candidate.model if state.candidate else None,
        to=candidate.model if candidate else None,
        share=candidate.share if candidate else None,
    )
    return RegistryState(active=state.active, before=state.before, candidate=candidate, decision=decision)
