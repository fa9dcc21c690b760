"""Invitations to surveys in PostgreSQL, and what ingest knows of those who would be asked."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from pydantic import TypeAdapter
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.adapters import tables
from heardback_ingest.app.surveys.ports import Answered, Asked, Circumstances, Held, Since
from heardback_ingest.domain.surveys.facts import Invitation
from heardback_shared.db.bulk import insert_rows
from heardback_shared.db.planning import look_up_by_key

HEARD = 200
"""Feedbacks of one customer that are looked at, the newest."""

_FIELDS = (
    "id, survey, type, channel, touchpoint, kind, state, reserved_at, expires_at, sent_at, seen_at, "
    "answered_at"
)
_ROW = "customer_id, person_id, account_id, late, feedback_id, decision_id, policy"
_BUILT = "json_build_object(" + ", ".join(f"'{f}', i.{f}" for f in _FIELDS.split(", ")) + ")"
_LOCK_ACCOUNTS = text("""
SELECT pg_advisory_xact_lock(key) FROM (
    SELECT DISTINCT hashtextextended('heardback.survey.account/' || :tenant || '/' || id, 0) AS key
    FROM unnest(CAST(:ids AS text[])) AS asked(id) ORDER BY key
) AS keys
""")
_CIRCUMSTANCES = text(f"""
SELECT who.known, who.erased, who.open_items, skipped.because, past.found AS past, heard.found AS heard,
    colleagues.found AS colleagues
FROM unnest(CAST(:customers AS text[]), CAST(:persons AS text[]), CAST(:conversations AS text[]),
    CAST(:accounts AS text[])) WITH ORDINALITY AS asked(customer, person, conversation, account, number)
CROSS JOIN LATERAL (
    SELECT array_agg(id) AS ids FROM (
        SELECT asked.customer AS id UNION
        SELECT customer_id FROM platform.contact_card WHERE tenant_id = :tenant AND person_id = asked.person
    ) AS one
) AS same
CROSS JOIN LATERAL (
    SELECT bool_or(told.id IS NOT NULL OR spoke.id IS NOT NULL) AS known,
        bool_or(gone.at IS NOT NULL) AS erased, sum(stands.open_items) AS open_items
    FROM unnest(same.ids) AS each(id)
    LEFT JOIN LATERAL (
        SELECT id FROM ingest.customer WHERE tenant_id = :tenant AND id = each.id LIMIT 1
    ) AS told ON true
    LEFT JOIN LATERAL (
        SELECT id FROM ingest.feedback WHERE tenant_id = :tenant AND customer_id = each.id
        ORDER BY accepted_at DESC LIMIT 1
    ) AS spoke ON true
    LEFT JOIN LATERAL (
        SELECT at FROM ingest.erased_customer WHERE tenant_id = :tenant AND customer_id = each.id LIMIT 1
    ) AS gone ON true
    LEFT JOIN LATERAL (
        SELECT CAST(figures ->> 'open_items' AS integer) AS open_items FROM ingest.standing
        WHERE tenant_id = :tenant AND customer_id = each.id LIMIT 1
    ) AS stands ON true
) AS who
LEFT JOIN LATERAL (
    SELECT because FROM ingest.survey_skip
    WHERE tenant_id = :tenant AND conversation_id = asked.conversation LIMIT 1
) AS skipped ON true
CROSS JOIN LATERAL (
    SELECT json_agg({_BUILT} ORDER BY i.reserved_at, i.id)::text AS found
    FROM unnest(same.ids) AS each(id)
    CROSS JOIN LATERAL (
        SELECT {_FIELDS} FROM ingest.survey_invitation
        WHERE tenant_id = :tenant AND customer_id = each.id AND last_at > :since
    ) AS i
) AS past
CROSS JOIN LATERAL (
    SELECT json_agg(json_build_object(
        'kind', f.kind, 'at', f.accepted_at, 'band', f.band, 'cues', f.cues
    ))::text AS found
    FROM unnest(same.ids) AS each(id)
    CROSS JOIN LATERAL (
        SELECT kind, accepted_at, score -> 'severity' ->> 'band' AS band, score -> 'cues' AS cues
        FROM ingest.feedback
        WHERE tenant_id = :tenant AND customer_id = each.id AND accepted_at > :heard_since
        ORDER BY accepted_at DESC LIMIT {HEARD}
    ) AS f
) AS heard
CROSS JOIN LATERAL (
    SELECT json_agg({_BUILT} ORDER BY i.reserved_at, i.id)::text AS found FROM (
        SELECT {_FIELDS} FROM ingest.survey_invitation
        WHERE tenant_id = :tenant AND account_id = asked.account AND last_at > :account_since
    ) AS i
) AS colleagues
ORDER BY asked.number
""")  # noqa: S608
_HELD = f"""
SELECT {_FIELDS}, {_ROW} FROM unnest(CAST(:ids AS text[])) AS asked(wanted)
CROSS JOIN LATERAL (
    SELECT * FROM ingest.survey_invitation WHERE tenant_id = :tenant AND id = asked.wanted LIMIT 1
) AS one
"""  # noqa: S608
_LOCK_HELD = text("""
SELECT i.id FROM (SELECT wanted FROM unnest(CAST(:ids AS text[])) AS a(wanted) ORDER BY wanted) AS asked
JOIN ingest.survey_invitation i ON i.tenant_id = :tenant AND i.id = asked.wanted
FOR UPDATE OF i
""")
_CHANGE = text("""
UPDATE ingest.survey_invitation i SET state = r.state, late = r.late, sent_at = r.sent_at,
    seen_at = r.seen_at, answered_at = r.answered_at,
    last_at = greatest(i.last_at, r.sent_at, r.seen_at, r.answered_at)
FROM unnest(CAST(:ids AS text[]), CAST(:states AS text[]), CAST(:lates AS boolean[]),
    CAST(:sent AS timestamptz[]), CAST(:seen AS timestamptz[]), CAST(:answered AS timestamptz[]))
    AS r(id, state, late, sent_at, seen_at, answered_at)
WHERE i.tenant_id = :tenant AND i.id = r.id
""")
_LAPSED = text(f"""
SELECT tenant_id, {_FIELDS}, {_ROW} FROM ingest.survey_invitation
WHERE state = 'reserved' AND expires_at <= :now ORDER BY expires_at LIMIT :limit FOR UPDATE SKIP LOCKED
""")  # noqa: S608
_ANSWERED = text("""
UPDATE ingest.survey_invitation i SET state = 'answered', answered_at = least(i.answered_at, r.at),
    seen_at = least(i.seen_at, r.at), sent_at = least(i.sent_at, r.at), last_at = greatest(i.last_at, r.at),
    feedback_id = r.feedback, late = i.late OR i.state IN ('released', 'expired')
FROM (
    SELECT DISTINCT ON (found.id) found.id, told.at, told.feedback
    FROM unnest(CAST(:feedbacks AS text[]), CAST(:times AS timestamptz[]), CAST(:customers AS text[]),
        CAST(:invitations AS text[]), CAST(:surveys AS text[]), CAST(:types AS text[]),
        CAST(:touchpoints AS text[])) AS told(feedback, at, customer, invitation, survey, type, touchpoint)
    CROSS JOIN LATERAL (
        (SELECT id FROM ingest.survey_invitation
        WHERE tenant_id = :tenant AND id = told.invitation AND answered_at IS NULL LIMIT 1)
        UNION ALL
        (SELECT id FROM ingest.survey_invitation
        WHERE tenant_id = :tenant AND customer_id = told.customer AND told.invitation IS NULL
            AND answered_at IS NULL AND state IN ('reserved', 'sent', 'seen') AND reserved_at <= told.at
            AND (survey = told.survey OR told.survey IS NULL AND type = told.type)
            AND (told.touchpoint IS NULL OR touchpoint IS NULL OR touchpoint = told.touchpoint)
        ORDER BY last_at DESC, id LIMIT 1)
    ) AS found
    ORDER BY found.id, told.at
) AS r
WHERE i.tenant_id = :tenant AND i.id = r.id
""")
_MANY: TypeAdapter[tuple[Invitation, ...]] = TypeAdapter(tuple[Invitation, ...])
_EARLIEST = datetime.fromisoformat("0001-01-02T00:00:00+00:00")


class PostgresInvitations:
    async def lock_accounts(self, c: AsyncConnection, tenant_id: str, account_ids: Sequence[str]) -> None:
        if account_ids:
            await c.execute(_LOCK_ACCOUNTS, {"tenant": tenant_id, "ids": list(account_ids)})

    async def circumstances(
        self,
        c: AsyncConnection,
        tenant_id: str,
        asked: Sequence[Asked],
        since: Since,
    ) -> list[Circumstances]:
        await look_up_by_key(c)
        arguments = {
            "tenant": tenant_id,
            "customers": [one.customer_id for one in asked],
            "persons": [one.person_id for one in asked],
            "conversations": [one.conversation_id for one in asked],
            "accounts": [one.account_id for one in asked],
            "since": since.invitations or _EARLIEST,
            "account_since": since.of_account or _EARLIEST,
            "heard_since": since.heard,
        }
        return [_circumstances(row) for row in await c.execute(_CIRCUMSTANCES, arguments)]

    async def held(
        self, c: AsyncConnection, tenant_id: str, ids: Sequence[str], *, for_update: bool = False
    ) -> Mapping[str, Held]:
        asked = {"tenant": tenant_id, "ids": sorted(set(ids))}
        await look_up_by_key(c)
        if for_update:
            await c.execute(_LOCK_HELD, asked)
        return {row.id: _held(row) for row in await c.execute(text(_HELD), asked)}

    async def add(self, c: AsyncConnection, tenant_id: str, held: Sequence[Held]) -> bool:
        rows = [_row(tenant_id, one) for one in held]
        new = await insert_rows(
            c, tables.survey_invitation, rows, on_conflict="ON CONFLICT DO NOTHING", returning=("id",)
        )
        return len(new) == len(held)

    async def change(self, c: AsyncConnection, tenant_id: str, held: Sequence[Held]) -> None:
        if not held:
            return
        told = [one.invitation for one in held]
        arguments = {
            "tenant": tenant_id,
            "ids": [one.id for one in told],
            "states": [one.state for one in told],
            "lates": [one.late for one in held],
            "sent": [one.sent_at for one in told],
            "seen": [one.seen_at for one in told],
            "answered": [one.answered_at for one in told],
        }
        await c.execute(_CHANGE, arguments)

    async def lapsed(self, c: AsyncConnection, now: datetime, limit: int) -> list[tuple[str, Held]]:
        await look_up_by_key(c)
        rows = await c.execute(_LAPSED, {"now": now, "limit": limit})
        return [(row.tenant_id, _held(row)) for row in rows]

    async def answered(self, c: AsyncConnection, tenant_id: str, answers: Sequence[Answered]) -> None:
        if not answers:
            return
        arguments = {
            "tenant": tenant_id,
            "feedbacks": [one.feedback_id for one in answers],
            "times": [one.at for one in answers],
            "customers": [one.customer_id for one in answers],
            "invitations": [one.invitation_id for one in answers],
            "surveys": [one.survey for one in answers],
            "types": [one.type for one in answers],
            "touchpoints": [one.touchpoint for one in answers],
        }
        await c.execute(_ANSWERED, arguments)


def _circumstances(row: Row[Any]) -> Circumstances:
    heard = orjson.loads(row.heard) if row.heard else []
    times = [datetime.fromisoformat(one["at"]) for one in heard]
    pairs = list(zip(heard, times, strict=True))
    return Circumstances(
        bool(row.known),
        bool(row.erased),
        None if row.open_items is None else int(row.open_items),
        row.because,
        _invitations(row.past),
        tuple(sorted({(one["band"], at) for one, at in pairs if one["band"]})),
        tuple(sorted({(cue["name"], at) for one, at in pairs for cue in one["cues"] or ()})),
        tuple(sorted(at for one, at in pairs if one["kind"] == "survey")),
        _invitations(row.colleagues),
    )


def _invitations(found: str | None) -> tuple[Invitation, ...]:
    return _MANY.validate_json(found) if found else ()


def _held(row: Row[Any]) -> Held:
    return Held(
        Invitation(**{name: getattr(row, name) for name in _FIELDS.split(", ")}),
        row.customer_id,
        row.person_id,
        row.account_id,
        row.decision_id,
        row.policy,
        row.late,
        row.feedback_id,
    )


def _row(tenant_id: str, held: Held) -> dict[str, Any]:
    of = held.invitation
    fields = {name: getattr(of, name) for name in _FIELDS.split(", ")}
    more = {name: getattr(held, name) for name in _ROW.split(", ")}
    return {"tenant_id": tenant_id, **fields, **more, "last_at": _last(of)}


def _last(of: Invitation) -> datetime:
    times: Iterable[datetime | None] = (of.reserved_at, of.sent_at, of.seen_at, of.answered_at)
    return max(at for at in times if at is not None)
