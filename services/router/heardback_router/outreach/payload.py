"""What a tenant's webhook is told: which message is for whom, by which channel. Thin: no text and nothing
about the customer but their id, unless the endpoint asked for the field. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from heardback_router.messages.domain import MessageLinks, Rendered
from heardback_router.outreach.domain import MOST_IDS, Draft
from heardback_shared.contact.domain import Channel

MAX_BYTES = 20_000
_LARGEST = ("feedback", "message", "changes")
DIGEST = "loop.digest"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a feedback came from, in the words of the platform that posted it."""

    feedback_id: str
    source: str
    external_id: str


@dataclass(frozen=True, slots=True)
class Part:
    """One message of those that go out together."""

    draft: Draft
    rendered: Rendered
    links: MessageLinks
    origins: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What one channel is given at once: a message, or several as a digest."""

    id: str
    customer_id: str
    channel: Channel
    parts: tuple[Part, ...]
    details_url: str
    at: datetime


def event_type(drafts: Sequence[Draft]) -> str:
    return f"loop.{drafts[0].step}" if len(drafts) == 1 else DIGEST


def webhook_body(given: Outgoing, fields: frozenset[str]) -> bytes:
    """Under 20 kB in UTF-8. `fields` are what the endpoint asked for beyond the thin body; what does not fit
    is left out, from the largest on; `left_out` says so, and all is behind `details_url` anyway."""
    for size in range(len(_LARGEST) + 1):
        left_out = frozenset(_LARGEST[:size])
        body = _body(given, fields - left_out, sorted(fields & left_out))
        if len(body) < MAX_BYTES:
            return body
    return _body(given, frozenset(), sorted(fields), links=False)


def _body(given: Outgoing, fields: frozenset[str], left_out: list[str], *, links: bool = True) -> bytes:
    first = given.parts[0]
    data: dict[str, Any] = {
        "message_id": given.id,
        "customer_id": given.customer_id,
        "channel": given.channel,
        "language": first.rendered.language,
        "details_url": given.details_url,
    }
    if len(given.parts) == 1:
        data |= _part(first, fields, links=links)
    else:
        data["steps"] = [_part(part, fields, links=links) for part in given.parts]
    if left_out:
        data["left_out"] = left_out
    kind = event_type([part.draft for part in given.parts])
    return orjson.dumps({"type": kind, "timestamp": instant(given.at), "data": data})


def _part(part: Part, fields: frozenset[str], *, links: bool) -> dict[str, Any]:
    draft = part.draft
    data: dict[str, Any] = {
        "step": draft.step,
        "draft_id": draft.id,
        "loop_ids": list(draft.loop_ids[:MOST_IDS]),
        "item_ids": list(draft.item_ids[:MOST_IDS]),
        "template": part.rendered.template,
    }
    if links:
        data["links"] = shown_links(part.links)
    asked: Mapping[str, Any] = {
        "message": {"subject": part.rendered.subject.text, "text": part.rendered.body.text},
        "feedback": [
            {"id": o.feedback_id, "source": o.source, "external_id": o.external_id} for o in part.origins
        ],
        "changes": shown_changes(draft),
    }
    return data | {field: value for field, value in asked.items() if field in fields}


def shown_changes(draft: Draft) -> list[dict[str, Any]]:
    """What the message claims, and what each claim rests on."""
    return [
        {"id": c.change_id, "result": c.result, "reviewed": c.reviewed, "reference": c.reference}
        for c in draft.facts.changes
    ]


def shown_links(links: MessageLinks) -> Mapping[str, Any]:
    given: dict[str, Any] = {
        "page": links.page,
        "confirm": links.confirm,
        "dispute": links.dispute,
        "answers": [
            {"loop_id": one.loop_id, "confirm": one.confirm, "dispute": one.dispute} for one in links.answers
        ]
        or None,
        "contest": links.contest,
        "preferences": links.preferences,
        "unsubscribe": links.unsubscribe,
        "expires_at": instant(links.expires_at) if links.expires_at else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
