"""What was said to the customers of an item: agents' turns, and what resolutions told them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Text, cast, select
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.domain import Item
from heardback_router.backlog.tables import item_events, links
from heardback_router.promises.suggest import suggestions_in
from heardback_shared.contracts.feedback import FeedbackContent
from heardback_shared.ids import derived_id

FEEDBACK_READ = 100
RESOLUTIONS_READ = 20


@dataclass(frozen=True, slots=True)
class Said:
    """One text of ours. `source` names where it stands, `by` who said it and `language` in which, as far as
    that is known."""

    text: str
    at: datetime
    to: str | None
    by: str | None
    source: Mapping[str, Any]
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Suggested:
    """A promise that a text seems to give. The same text gives the same id again."""

    id: str
    what: str
    due_at: datetime | None
    said: Said


async def read_texts(connection: AsyncConnection, tenant_id: str, item_id: str) -> list[Said]:
    """Of the newest feedback and resolutions of the item, oldest first."""
    feedback = await connection.execute(
        select(links.c.feedback_id, links.c.customer_id, links.c.accepted_at, cast(links.c.content, Text))
        .where(links.c.tenant_id == tenant_id, links.c.item_id == item_id)
        .order_by(links.c.accepted_at.desc(), links.c.feedback_id)
        .limit(FEEDBACK_READ)
    )
    resolved = await connection.execute(
        select(item_events.c.sequence, item_events.c.actor, item_events.c.at, item_events.c.data)
        .where(
            item_events.c.tenant_id == tenant_id,
            item_events.c.item_id == item_id,
            item_events.c.kind == "resolved",
        )
        .order_by(item_events.c.sequence.desc())
        .limit(RESOLUTIONS_READ)
    )
    texts = [
        said
        for feedback_id, customer_id, accepted_at, content in feedback
        for said in said_in(
            feedback_id, customer_id, accepted_at, FeedbackContent.model_validate_json(content)
        )
    ]
    texts += [
        Said(data["tell_customer"], at, None, actor, {"resolution": data["number"]})
        for _, actor, at, data in resolved
        if data["tell_customer"]
    ]
    return sorted(texts, key=lambda said: said.at)


def said_in(
    feedback_id: str, customer_id: str | None, accepted_at: datetime, content: FeedbackContent
) -> Iterator[Said]:
    """The agents' turns. One without a time counts as said when the conversation ended, if that is known."""
    ended = content.closed_at or content.happened_at or content.opened_at or accepted_at
    for index, turn in enumerate(content.turns):
        if turn.role == "agent" and turn.text.strip():
            source = {"feedback_id": feedback_id, "turn": index}
            yield Said(turn.text, turn.at or ended, customer_id, turn.speaker, source, content.language)


def suggested(texts: Iterable[Said], item: Item) -> Sequence[Suggested]:
    """What the texts promise and nobody has confirmed or dismissed yet."""
    known = {promise.id for promise in item.promises}
    found = []
    for said in texts:
        where = said.source.get("feedback_id") or item.id
        part = said.source.get("turn", said.source.get("resolution"))
        for one in suggestions_in(said.text, said.at, said.language):
            promise_id = derived_id("pr", where, str(part), one.span[0])
            if promise_id not in known:
                found.append(Suggested(promise_id, one.what, one.due_at, said))
    return found
