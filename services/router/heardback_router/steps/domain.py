"""Which steps an item calls for. Pure: templates whose condition holds turn their steps on.

A step that is on stays on: what was asked for a strategic customer is not dropped because the item was read
again. So the chosen steps only ever grow.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from heardback_router.backlog.domain import Item, ItemEvent
from heardback_router.backlog.duties import Step
from heardback_router.routing.conditions import Condition, ConditionError

CHAIN = "/"
"""Between a step and the level that approves it, where several approve in turn."""


@dataclass(frozen=True, slots=True)
class StepSpec:
    """`approvals` are the levels that approve it in turn; none: whoever works on it settles it."""

    id: str
    title: str
    mandatory: bool = False
    approvals: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepTemplate:
    name: str
    condition: Condition
    because: str
    steps: tuple[StepSpec, ...]


@dataclass(frozen=True)
class StepsPolicy:
    name: str
    templates: tuple[StepTemplate, ...]


def variables_of(item: Item, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What conditions are over. Text that is not known is "", so that no condition meets a gap."""
    return {
        "item": {
            "domain": item.domain or "",
            "category": item.category or "",
            "severity": item.weight.score,
            "band": item.weight.band,
            "team": item.team,
            "flag": item.flag or "",
            "customers": len(item.customers),
        },
        "customer": {
            "tier": facts.get("tier") or "",
            "region": facts.get("region") or "",
        },
        "event": {
            "channel": facts.get("channel") or "",
            "touchpoint": facts.get("touchpoint") or "",
            "context": dict(facts.get("context") or {}),
        },
    }


def facts_in(log: Iterable[ItemEvent]) -> list[Mapping[str, Any]]:
    """What each feedback of the item said about its customer and contract; each once."""
    found = {repr(event.data["facts"]): event.data["facts"] for event in log if event.data.get("facts")}
    return list(found.values()) or [{}]


def called_for(item: Item, facts: Sequence[Mapping[str, Any]], policy: StepsPolicy) -> tuple[Step, ...]:
    """The steps of every template that holds for any of the item's feedback, each once, in policy order.

    A step that two templates ask for is mandatory if one of them says so. A condition that cannot be
    evaluated does not hold.
    """
    chosen: dict[str, Step] = {}
    for template in policy.templates:
        if any(_holds(template.condition, variables_of(item, one)) for one in facts):
            for step in _steps_of(template):
                chosen[step.id] = _both(chosen.get(step.id), step)
    return tuple(chosen.values())


def newly_called_for(
    item: Item, facts: Sequence[Mapping[str, Any]], policy: StepsPolicy
) -> dict[str, Any] | None:
    """The data of the `steps_chosen` entry that is due; None where nothing new is called for."""
    present = {step.id for step in item.steps}
    new = [step for step in called_for(item, facts, policy) if step.id not in present]
    if not new:
        return None
    kept = [step for step in item.steps if step.asked_by is None]
    return {"policy": policy.name, "steps": [_json(step) for step in (*kept, *new)]}


def _holds(condition: Condition, variables: Mapping[str, Any]) -> bool:
    try:
        return condition.holds(variables)
    except ConditionError:
        return False


def _steps_of(template: StepTemplate) -> Iterable[Step]:
    for spec in template.steps:
        if len(spec.approvals) < 2:
            approval = spec.approvals[0] if spec.approvals else None
            yield Step(spec.id, spec.title, spec.mandatory, approval, template.because)
            continue
        for level in spec.approvals:
            title = f"{spec.title} ({level})"
            yield Step(f"{spec.id}{CHAIN}{level}", title, spec.mandatory, level, template.because)


def _both(before: Step | None, step: Step) -> Step:
    if before is None:
        return step
    because = before.because if step.because in before.because else f"{before.because} {step.because}"
    return Step(
        step.id, before.title, before.mandatory or step.mandatory, before.approval or step.approval, because
    )


def _json(step: Step) -> dict[str, Any]:
    return {
        "id": step.id,
        "title": step.title,
        "mandatory": step.mandatory,
        "approval": step.approval,
        "because": step.because,
    }
