"""Everybody a campaign concerns, page by page: what they would read, whether and when, or where it stands."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.campaigns.app import Campaigns, Concerned, Judged
from heardback_router.campaigns.domain import Campaign, ChangeRecord
from heardback_router.campaigns.drafting import STEP, ask_for, facts_for, sensitivity_for
from heardback_router.campaigns.people import WHY, Person
from heardback_router.campaigns.progress import Counts, PostgresProgress, pace_of
from heardback_router.messages.domain import MessageLinks
from heardback_router.messages.rendering import render
from heardback_router.outreach.domain import Standing
from heardback_shared.clock import Clock
from heardback_shared.contact.domain import Later, Never, Now, Recipient, Verdict
from heardback_shared.contact.verdict import WEEK, verdict
from heardback_shared.http.problems import not_found

LINK = "(link)"
LINKS = MessageLinks(LINK, LINK, LINK, LINK, LINK)
"""Real links are made for one customer when the message goes out, and for nobody else to see."""
_NOT_YET = frozenset({"draft", "submitted"})


class Previews:
    def __init__(self, campaigns: Campaigns, clock: Clock) -> None:
        self._campaigns = campaigns
        self._store = campaigns.store
        self._progress = PostgresProgress()
        self._clock = clock

    async def campaign(self, tenant_id: str, campaign_id: str) -> dict[str, Any]:
        """Before it is approved, what would come of it now; after that, how far it is."""
        at = self._clock.now()
        async with self._campaigns.database.tenant(tenant_id) as connection:
            campaign = await self._get(connection, tenant_id, campaign_id)
            shown = shown_campaign(campaign)
            shown["history"] = await self._store.history(connection, tenant_id, campaign_id)
            if campaign.state in _NOT_YET:
                judged = await self._campaigns.judged(connection, tenant_id, campaign)
                return shown | _would_be(judged)
            if campaign.approved_at is None:
                return shown
            counts = await self._progress.counts(connection, tenant_id, campaign, at)
            excluded = await self._store.excluded(connection, tenant_id, campaign_id)
            answers = await self._store.answers(connection, tenant_id, campaign)
            return shown | {"progress": _progress(campaign, counts, excluded, answers, at)}

    async def recipients(
        self, tenant_id: str, campaign_id: str, after: str, code: str | None, limit: int
    ) -> dict[str, Any]:
        async with self._campaigns.database.tenant(tenant_id) as connection:
            campaign = await self._get(connection, tenant_id, campaign_id)
            if campaign.approved_at is None:
                judged = await self._campaigns.concerned(connection, tenant_id, campaign)
                found = [one for one in judged.people if one.person_id > after and code in {None, one.code}]
                page = found[:limit]
                shown = await self._previewed(connection, tenant_id, judged, page)
                more = len(found) > limit
            else:
                kept = await self._store.page(connection, tenant_id, campaign_id, after, code, limit + 1)
                page = [person for person, _ in kept[:limit]]
                ids = [message_id for _, message_id in kept[:limit] if message_id is not None]
                standings = await self._campaigns.outreach.standings(connection, tenant_id, ids)
                shown = [
                    shown_person(person) | {"standing": _standing(message_id, standings)}
                    for person, message_id in kept[:limit]
                ]
                more = len(kept) > limit
        return {"recipients": shown, "next_cursor": page[-1].person_id if more else None}

    async def _previewed(
        self, connection: AsyncConnection, tenant_id: str, judged: Concerned, page: Sequence[Person]
    ) -> list[dict[str, Any]]:
        at = self._clock.now()
        contacts = self._campaigns.contacts
        ids = [one.customer_id for one in page if one.customer_id is not None]
        recipients = await contacts.recipients(connection, tenant_id, ids, at)
        people = [one.person_id for one in recipients.values()]
        touches = await contacts.touches(connection, tenant_id, people, at - WEEK - timedelta(days=1))
        stopped = await contacts.sending_stopped(connection, tenant_id)
        shown = []
        for one in page:
            known = recipients.get(one.customer_id or "")
            if one.code is not None or known is None:
                shown.append(shown_person(one))
                continue
            about = touches.get(known.person_id, ())
            said = verdict(known, ask_for(one), about, judged.policies.contact, at, stopped)
            shown.append(
                shown_person(one) | {"verdict": _verdict(said, at), "message": _message(one, known, judged)}
            )
        return shown

    async def _get(self, connection: AsyncConnection, tenant_id: str, campaign_id: str) -> Campaign:
        found = await self._store.get(connection, tenant_id, campaign_id)
        if found is None:
            raise not_found(f"Campaign {campaign_id}")
        return found


def shown_campaign(campaign: Campaign) -> dict[str, Any]:
    return {
        "id": campaign.id,
        "name": campaign.name,
        "state": campaign.state,
        "version": campaign.version,
        "picked": dict(campaign.picked),
        "items": list(campaign.item_ids),
        "changes": list(campaign.change_ids),
        "made_by": campaign.made_by,
        "made_at": campaign.made_at,
        "submitted_by": campaign.submitted_by,
        "submitted_at": campaign.submitted_at,
        "approved_by": campaign.approved_by,
        "approved_at": campaign.approved_at,
        "ended_at": campaign.ended_at,
        "decision": campaign.decision,
    }


def shown_change(change: ChangeRecord) -> dict[str, Any]:
    return {
        "id": change.id,
        "result": change.result,
        "what": change.what.text,
        "tell": change.tell.text,
        "translations": {language: said.text for language, said in change.translations},
        "on": change.on,
        "reference": change.reference,
        "items": list(change.item_ids),
        "recorded_by": change.recorded_by,
        "recorded_at": change.recorded_at,
        "reviewed_by": change.reviewed_by,
        "reviewed_at": change.reviewed_at,
    }


def shown_person(person: Person) -> dict[str, Any]:
    return {
        "person_id": person.person_id,
        "customer_id": person.customer_id,
        "items": [stake.item_id for stake in person.stakes],
        "loops": [stake.loop_id for stake in person.stakes if stake.loop_id is not None],
        "changes": list(person.change_ids),
        "left_out": [
            {"item": one.item_id, "code": one.code, "because": WHY[one.code]} for one in person.left_out
        ],
        "code": person.code,
        "because": person.because,
    }


def _would_be(judged: Judged) -> dict[str, Any]:
    decision = judged.decision
    return {
        "would_be": {name: decision[name] for name in ("to_tell", "excluded", "second_person", "because")},
        "refusals": [
            {"code": one.code, "pointer": one.pointer, "detail": one.detail} for one in judged.refusals
        ],
    }


def _progress(
    campaign: Campaign, counts: Counts, excluded: Mapping[str, int], answers: Mapping[str, int], at: datetime
) -> dict[str, Any]:
    pace = pace_of(counts, campaign.sending_time(at), at)
    return {
        "recipients": campaign.recipients,
        "excluded": dict(excluded),
        "waiting": counts.waiting,
        "deferred": counts.deferred,
        "deferred_by": counts.deferred_by,
        "handed": counts.handed,
        "sent": counts.sent,
        "failed": counts.failed,
        "refused": counts.refused,
        "cancelled": counts.cancelled,
        "ended_by": counts.ended_by,
        **answers,
        "per_minute": None if pace.per_minute is None else round(pace.per_minute, 1),
        "eta": pace.eta if campaign.state == "sending" else None,
    }


def _message(person: Person, known: Recipient, judged: Concerned) -> dict[str, str]:
    items = judged.decision["items"]
    said = render(
        judged.policies.messages,
        STEP,
        sensitivity_for(person, items),
        known.language,
        facts_for(person, judged.changes, items),
        LINKS,
        known.time_zone,
    )
    return {
        "subject": said.subject.text,
        "body": said.body.text,
        "language": said.language,
        "template": said.template,
    }


def _verdict(said: Verdict, at: datetime) -> dict[str, Any]:
    match said:
        case Now(channel):
            return {"answer": "now", "at": at, "channel": channel, "code": None, "because": None}
        case Later(later, code, because):
            return {"answer": "later", "at": later, "channel": None, "code": code, "because": because}
        case Never(code, because):
            return {"answer": "never", "at": None, "channel": None, "code": code, "because": because}


def _standing(message_id: str | None, standings: Mapping[str, Standing]) -> dict[str, Any] | None:
    """None for somebody who gets no message; one that has not been handed on yet is waiting."""
    if message_id is None:
        return None
    found = standings.get(message_id)
    if found is None:
        return {"message_id": message_id, "state": "waiting", "due_at": None, "code": None, "reason": None}
    return {
        "message_id": message_id,
        "state": found.state,
        "at": found.at,
        "due_at": found.due_at,
        "channel": found.channel,
        "code": found.code,
        "reason": found.reason,
    }
