"""A draft as it is kept, and back again: nothing is lost on the way. Pure."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from heardback_router.messages.domain import ChangeFacts, MessageFacts
from heardback_router.outreach.domain import Draft
from heardback_router.wording import CustomerText

VERSION = 1


class UnreadableDraftError(ValueError):
    """What is kept was written by a newer release, or is no draft."""


def to_plain(draft: Draft) -> dict[str, Any]:
    """Values that JSON has. Instants keep their offset."""
    return {
        "version": VERSION,
        "id": draft.id,
        "customer_id": draft.customer_id,
        "step": draft.step,
        "facts": facts_to_plain(draft.facts),
        "item_ids": list(draft.item_ids),
        "loop_ids": list(draft.loop_ids),
        "feedback_ids": list(draft.feedback_ids),
        "purpose": draft.purpose,
        "sensitivity": draft.sensitivity,
        "critical": draft.critical,
        "automatic": draft.automatic,
        "campaign_id": draft.campaign_id,
        "not_before": _written(draft.not_before),
        "expires_at": _written(draft.expires_at),
    }


def from_plain(kept: Mapping[str, Any]) -> Draft:
    """Raises UnreadableDraftError."""
    if kept.get("version") != VERSION:
        raise UnreadableDraftError(
            f"a draft of version {kept.get('version')!r}; this release reads {VERSION}"
        )
    try:
        return Draft(
            id=kept["id"],
            customer_id=kept["customer_id"],
            step=kept["step"],
            facts=_facts(kept["facts"]),
            item_ids=tuple(kept["item_ids"]),
            loop_ids=tuple(kept["loop_ids"]),
            feedback_ids=tuple(kept["feedback_ids"]),
            purpose=kept["purpose"],
            sensitivity=kept["sensitivity"],
            critical=kept["critical"],
            automatic=kept["automatic"],
            campaign_id=kept["campaign_id"],
            not_before=_instant(kept["not_before"]),
            expires_at=_instant(kept["expires_at"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableDraftError(f"not a draft: {type(error).__name__}") from error


def facts_to_plain(facts: MessageFacts) -> dict[str, Any]:
    return {
        "about": facts.about,
        "raised_on": facts.raised_on.isoformat() if facts.raised_on else None,
        "changes": [_change_to_plain(change) for change in facts.changes],
        "plan": facts.plan.text if facts.plan else None,
        "answer": facts.answer.text if facts.answer else None,
        "due": _written(facts.due),
        "automated": facts.automated,
    }


def _facts(kept: Mapping[str, Any]) -> MessageFacts:
    return MessageFacts(
        about=kept["about"],
        raised_on=date.fromisoformat(kept["raised_on"]) if kept["raised_on"] else None,
        changes=tuple(_change(change) for change in kept["changes"]),
        plan=_text(kept["plan"]),
        answer=_text(kept["answer"]),
        due=_instant(kept["due"]),
        automated=kept["automated"],
    )


def _change_to_plain(change: ChangeFacts) -> dict[str, Any]:
    return {
        "result": change.result,
        "text": change.text.text,
        "on": change.on.isoformat(),
        "change_id": change.change_id,
        "reference": change.reference,
        "reviewed": change.reviewed,
        "translations": [[language, text.text] for language, text in change.translations],
    }


def _change(kept: Mapping[str, Any]) -> ChangeFacts:
    return ChangeFacts(
        result=kept["result"],
        text=CustomerText(kept["text"]),
        on=date.fromisoformat(kept["on"]),
        change_id=kept["change_id"],
        reference=kept["reference"],
        reviewed=kept["reviewed"],
        translations=tuple((language, CustomerText(text)) for language, text in kept["translations"]),
    )


def _text(kept: str | None) -> CustomerText | None:
    return None if kept is None else CustomerText(kept)


def _written(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _instant(kept: str | None) -> datetime | None:
    return None if kept is None else datetime.fromisoformat(kept)
