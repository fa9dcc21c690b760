"""Loops as colleagues see them. Pure."""

from collections.abc import Sequence
from typing import Any

from heardback_router.loops.domain import LoopEvent
from heardback_router.loops.ports import Loop, Telling


def shown(loop: Loop, events: Sequence[LoopEvent], said: Sequence[Telling]) -> dict[str, Any]:
    """A loop with every step it took and every decision about telling, plain values for JSON."""
    return {
        "id": loop.id,
        "customer_id": loop.customer_id,
        "feedback_ids": list(loop.feedback_ids),
        "round": loop.status.round,
        "state": loop.state,
        "code": loop.status.code,
        "reason": loop.status.reason,
        "result": loop.result,
        "message": loop.message.text if loop.message else None,
        "raised_at": loop.raised_at,
        "opened_at": loop.opened_at,
        "since": loop.status.since,
        "history": [
            {
                "round": e.round,
                "state": e.state,
                "at": e.at,
                "actor": e.actor,
                "code": e.code,
                "reason": e.reason,
            }
            for e in events
        ],
        "decisions": [decision_shown(one) for one in said],
    }


def decision_shown(one: Telling) -> dict[str, Any]:
    return {
        "message_id": one.message_id,
        "round": one.round,
        "step": one.step,
        "way": one.decision.way,
        "rule": one.decision.rule,
        "because": one.decision.because,
        "policy": one.policy,
        "inputs": one.stakes.record,
        "review_id": one.review_id,
        "at": one.at,
    }
