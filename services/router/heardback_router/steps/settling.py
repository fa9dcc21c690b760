"""Who may settle a step, and how. Pure."""

from heardback_router.backlog.domain import Item
from heardback_router.backlog.duties import DONE, Step, StepOutcome
from heardback_router.steps.domain import CHAIN
from heardback_router.steps.thresholds import ThresholdPolicy


class UnknownStepError(Exception):
    """The item has no such step. The message names those it has."""


class StepRefusedError(Exception):
    """This outcome is not for this step, or not now. The message says what is."""


class NotAnApproverError(Exception):
    """Somebody else has to approve. The message says who may."""


def settled(item: Item, step_id: str, outcome: StepOutcome, actor: str, thresholds: ThresholdPolicy) -> Step:
    """The step that is settled so. Raises UnknownStepError, StepRefusedError, NotAnApproverError."""
    step = next((s for s in item.steps if s.id == step_id), None)
    if step is None:
        there = ", ".join(s.id for s in item.steps) or "none"
        raise UnknownStepError(f"is no step of the item; it has: {there}")
    if step.asked_by is not None and outcome == "skipped":
        _may_take_back(step, actor)
    elif step.approval is not None:
        _may_approve(item, step, outcome, actor, thresholds)
    else:
        _may_do(step, outcome)
    return step


def _may_do(step: Step, outcome: StepOutcome) -> None:
    if outcome not in {"done", "skipped"}:
        raise StepRefusedError(f"The step “{step.title}” needs no approval; settle it as done or skipped.")
    if step.mandatory and outcome == "skipped":
        raise StepRefusedError(f"The step “{step.title}” is mandatory: it can be done, not skipped.")
    if step.outcome in DONE:
        raise StepRefusedError(f"The step “{step.title}” is done already, by {step.settled_by}.")


def _may_take_back(step: Step, actor: str) -> None:
    if actor != step.asked_by:
        raise NotAnApproverError(f"Only {step.asked_by}, who asked for it, can take the deviation back.")
    if step.outcome in DONE:
        raise StepRefusedError(f"The deviation was approved already, by {step.settled_by}.")


def _may_approve(
    item: Item, step: Step, outcome: StepOutcome, actor: str, thresholds: ThresholdPolicy
) -> None:
    if outcome not in {"approved", "refused"}:
        raise StepRefusedError(
            f"The step “{step.title}” waits for approval: settle it as approved or refused."
        )
    if step.outcome in DONE:
        raise StepRefusedError(f"The step “{step.title}” was approved already, by {step.settled_by}.")
    if actor in {step.asked_by, item.assignee}:
        raise NotAnApproverError(
            f"Nobody approves what they do themselves; somebody else than {actor} has to."
        )
    level = step.approval or ""
    approvers = thresholds.approvers_of(level)
    if actor not in approvers:
        who = ", ".join(sorted(approvers)) or "nobody yet: name approvers in the thresholds policy"
        raise NotAnApproverError(f"Level {level} or above approves this: {who}.")
    for earlier in _earlier(item, step):
        if earlier.outcome != "approved":
            raise StepRefusedError(f"“{earlier.title}” comes first; it is not approved yet.")
        if earlier.settled_by == actor:
            raise NotAnApproverError(
                f"{actor} has approved “{earlier.title}”; the next approval is somebody else's."
            )


def _earlier(item: Item, step: Step) -> list[Step]:
    """The approvals of the same chain that come before this one."""
    if CHAIN not in step.id:
        return []
    chain = step.id.rsplit(CHAIN, 1)[0] + CHAIN
    links = [s for s in item.steps if s.id.startswith(chain)]
    return links[: links.index(step)]
