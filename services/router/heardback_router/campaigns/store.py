"""Campaigns in Postgres: what they are, everybody they concern, and how far they are."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, TEXT, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.campaigns.domain import Campaign
from heardback_router.campaigns.people import WHY, LeftOut, Person, Stake
from heardback_router.campaigns.tables import campaign_events, campaign_recipients, campaigns, change_told
from heardback_shared.db.bulk import insert_rows

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('heardback.campaign.' || :tenant, 0))")
_TOLD = text("""
SELECT found.* FROM unnest(CAST(:changes AS text[])) AS asked (change_id)
CROSS JOIN LATERAL (
    SELECT change_id, person_id FROM router.change_told
    WHERE tenant_id = :tenant AND change_id = asked.change_id) AS found
""")
_IN_HAND = text("""
SELECT approved_at, tenant_id, id FROM router.campaign
WHERE state = 'sending' AND (approved_at, tenant_id, id) > (:at, :tenant, :id)
ORDER BY approved_at, tenant_id, id LIMIT 1
""")
_ANSWERS = text("""
SELECT count(*) FILTER (WHERE answers.disputed) AS disputed,
    count(*) FILTER (WHERE answers.confirmed AND NOT answers.disputed) AS confirmed,
    count(*) FILTER (WHERE answers.told AND NOT answers.confirmed AND NOT answers.disputed) AS told
FROM (SELECT stakes FROM router.campaign_recipient
    WHERE tenant_id = :tenant AND campaign_id = :campaign AND number <= :fed) AS recipient
CROSS JOIN LATERAL (
    SELECT bool_or(found.state = 'disputed') AS disputed, bool_or(found.state = 'confirmed') AS confirmed,
        bool_or(found.state = 'told') AS told
    FROM jsonb_array_elements(recipient.stakes) AS stake (value)
    CROSS JOIN LATERAL (
        SELECT state FROM router.loop
        WHERE tenant_id = :tenant AND id = stake.value ->> 'loop_id' LIMIT 1) AS found) AS answers
""")


class InHand(NamedTuple):
    """A campaign that is sending; in this order they take turns."""

    approved_at: datetime
    tenant_id: str
    id: str


class PostgresCampaigns:
    async def one_at_a_time(self, connection: AsyncConnection, tenant_id: str) -> None:
        """Of two campaigns of the tenant that are approved at once, the later sees whom the other tells."""
        await connection.execute(_ONE_AT_A_TIME, {"tenant": tenant_id})

    async def add(self, connection: AsyncConnection, tenant_id: str, campaign: Campaign) -> None:
        await connection.execute(insert(campaigns).values(tenant_id=tenant_id, **_row(campaign)))

    async def save(self, connection: AsyncConnection, tenant_id: str, campaign: Campaign) -> None:
        row = _row(campaign)
        await connection.execute(
            update(campaigns)
            .where(campaigns.c.tenant_id == tenant_id, campaigns.c.id == row.pop("id"))
            .values(**row)
        )

    async def get(
        self, connection: AsyncConnection, tenant_id: str, campaign_id: str, *, lock: bool = False
    ) -> Campaign | None:
        query = select(campaigns).where(campaigns.c.tenant_id == tenant_id, campaigns.c.id == campaign_id)
        query = query.with_for_update() if lock else query
        row = (await connection.execute(query)).mappings().first()
        return _campaign(row) if row else None

    async def newest(
        self, connection: AsyncConnection, tenant_id: str, state: str | None, limit: int
    ) -> Sequence[Campaign]:
        query = select(campaigns).where(campaigns.c.tenant_id == tenant_id)
        query = query.where(campaigns.c.state == state) if state else query
        query = query.order_by(campaigns.c.made_at.desc(), campaigns.c.id).limit(limit)
        return [_campaign(row) for row in (await connection.execute(query)).mappings()]

    async def next_in_hand(self, connection: AsyncConnection, after: InHand) -> InHand | None:
        """The next campaign that is sending, of any tenant."""
        at, tenant_id, campaign_id = after
        values = {"at": at, "tenant": tenant_id, "id": campaign_id}
        row = (await connection.execute(_IN_HAND, values)).first()
        return InHand(row.approved_at, row.tenant_id, row.id) if row else None

    async def note(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        campaign_id: str,
        kind: str,
        actor: str,
        at: datetime,
        reason: str | None = None,
    ) -> None:
        """One more entry of its history. The campaign is locked, so that the numbers have no gap."""
        of_it = (campaign_events.c.tenant_id == tenant_id, campaign_events.c.campaign_id == campaign_id)
        last = select(func.coalesce(func.max(campaign_events.c.sequence), 0)).where(*of_it)
        await connection.execute(
            insert(campaign_events).values(
                tenant_id=tenant_id,
                campaign_id=campaign_id,
                sequence=last.scalar_subquery() + 1,
                kind=kind,
                actor=actor,
                at=at,
                reason=reason,
            )
        )

    async def history(
        self, connection: AsyncConnection, tenant_id: str, campaign_id: str
    ) -> list[dict[str, Any]]:
        c = campaign_events.c
        query = select(c.kind, c.actor, c.at, c.reason).where(
            c.tenant_id == tenant_id, c.campaign_id == campaign_id
        )
        rows = await connection.execute(query.order_by(c.sequence))
        return [{"kind": kind, "actor": actor, "at": at, "reason": why} for kind, actor, at, why in rows]

    async def told(
        self, connection: AsyncConnection, tenant_id: str, change_ids: Sequence[str]
    ) -> Mapping[str, frozenset[str]]:
        """By person, which of the changes campaigns have told them, or are about to."""
        told: dict[str, frozenset[str]] = {}
        rows = await connection.execute(_TOLD, {"tenant": tenant_id, "changes": list(change_ids)})
        for row in rows:
            told[row.person_id] = told.get(row.person_id, frozenset()) | {row.change_id}
        return told

    async def keep_people(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        campaign_id: str,
        people: Sequence[Person],
        message_ids: Mapping[str, str],
    ) -> None:
        """Everybody, whether they are told or not; `message_ids` by person, of those who are."""
        rows, number = [], 0
        for person in people:
            number += person.code is None
            rows.append(
                {
                    "tenant_id": tenant_id,
                    "campaign_id": campaign_id,
                    "person_id": person.person_id,
                    "number": number if person.code is None else None,
                    "customer_id": person.customer_id,
                    "stakes": [_stake_row(one) for one in person.stakes],
                    "change_ids": list(person.change_ids),
                    "left_out": [asdict(one) for one in person.left_out],
                    "code": person.code,
                    "because": person.because,
                    "message_id": message_ids.get(person.person_id),
                }
            )
        await insert_rows(connection, campaign_recipients, rows)
        told = [
            {
                "tenant_id": tenant_id,
                "change_id": change_id,
                "person_id": person.person_id,
                "message_id": message_ids[person.person_id],
            }
            for person in people
            for change_id in person.change_ids
        ]
        await insert_rows(connection, change_told, told)

    async def batch(
        self, connection: AsyncConnection, tenant_id: str, campaign_id: str, after: int, most: int
    ) -> Sequence[tuple[Person, str]]:
        """The next people to be told after the number, each with the id of their message."""
        c = campaign_recipients.c
        query = select(campaign_recipients).where(
            c.tenant_id == tenant_id, c.campaign_id == campaign_id, c.number > after, c.number <= after + most
        )
        rows = (await connection.execute(query.order_by(c.number))).mappings()
        return [(_person(row), str(row["message_id"])) for row in rows]

    async def page(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        campaign_id: str,
        after: str,
        code: str | None,
        limit: int,
    ) -> Sequence[tuple[Person, str | None]]:
        """People after a person, in order of their ids, each with the id of their message if they get one."""
        c = campaign_recipients.c
        query = select(campaign_recipients).where(
            c.tenant_id == tenant_id, c.campaign_id == campaign_id, c.person_id > after
        )
        query = query.where(c.code == code) if code else query
        rows = (await connection.execute(query.order_by(c.person_id).limit(limit))).mappings()
        return [(_person(row), row["message_id"]) for row in rows]

    async def excluded(self, connection: AsyncConnection, tenant_id: str, campaign_id: str) -> dict[str, int]:
        c = campaign_recipients.c
        query = (
            select(c.code, func.count().label("number"))
            .where(c.tenant_id == tenant_id, c.campaign_id == campaign_id, c.code.is_not(None))
            .group_by(c.code)
            .order_by(c.code)
        )
        return {str(row.code): row.number for row in await connection.execute(query)}

    async def answers(
        self, connection: AsyncConnection, tenant_id: str, campaign: Campaign
    ) -> dict[str, int]:
        """How many people were told and have not answered, confirmed, and disputed."""
        values = {"tenant": tenant_id, "campaign": campaign.id, "fed": campaign.fed}
        row = (await connection.execute(_ANSWERS, values)).one()
        return {"told": row.told, "confirmed": row.confirmed, "disputed": row.disputed}

    async def forget_untold(
        self, connection: AsyncConnection, tenant_id: str, message_ids: Sequence[str]
    ) -> None:
        """These messages reached nobody, so that another campaign may tell the same."""
        wanted = text("ANY(:ids)").bindparams(bindparam("ids", list(message_ids), type_=ARRAY(TEXT)))
        await connection.execute(
            delete(change_told).where(
                change_told.c.tenant_id == tenant_id, change_told.c.message_id == wanted
            )
        )


def _row(campaign: Campaign) -> dict[str, Any]:
    return {
        "id": campaign.id,
        "name": campaign.name,
        "state": campaign.state,
        "version": campaign.version,
        "picked": dict(campaign.picked),
        "item_ids": list(campaign.item_ids),
        "change_ids": list(campaign.change_ids),
        "made_by": campaign.made_by,
        "made_at": campaign.made_at,
        "submitted_by": campaign.submitted_by,
        "submitted_at": campaign.submitted_at,
        "approved_by": campaign.approved_by,
        "approved_at": campaign.approved_at,
        "decision": dict(campaign.decision) if campaign.decision is not None else None,
        "recipients": campaign.recipients,
        "fed": campaign.fed,
        "paused_at": campaign.paused_at,
        "paused_seconds": int(campaign.paused.total_seconds()),
        "ended_at": campaign.ended_at,
    }


def _campaign(row: Mapping[Any, Any]) -> Campaign:
    values = {name: value for name, value in row.items() if name not in {"tenant_id", "paused_seconds"}}
    lists = {"item_ids": tuple(row["item_ids"]), "change_ids": tuple(row["change_ids"])}
    return Campaign(**{**values, **lists, "paused": timedelta(seconds=row["paused_seconds"])})


def _stake_row(stake: Stake) -> dict[str, Any]:
    return {
        "item_id": stake.item_id,
        "customer_id": stake.customer_id,
        "feedback_ids": list(stake.feedback_ids),
        "raised_at": stake.raised_at.isoformat(),
        "loop_id": stake.loop_id,
    }


def _person(row: Mapping[Any, Any]) -> Person:
    if row["code"] is not None and row["code"] not in WHY:
        raise ValueError(f"campaign_recipient has the unknown code {row['code']}")
    return Person(
        row["person_id"],
        row["customer_id"],
        tuple(_stake(one) for one in row["stakes"]),
        tuple(row["change_ids"]),
        tuple(LeftOut(**one) for one in row["left_out"]),
        row["code"],
    )


def _stake(row: Mapping[str, Any]) -> Stake:
    return Stake(
        row["item_id"],
        row["customer_id"],
        tuple(row["feedback_ids"]),
        datetime.fromisoformat(row["raised_at"]),
        row["loop_id"],
    )
