"""What customers wish and agreed to; who is held; what is stopped; what is due to be asked again."""

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, Self

import structlog
from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import Field, StringConstraints, field_validator, model_validator

from heardback_ingest.app.preferences import FromTheFutureError, KeepPreferences, Known
from heardback_ingest.http import openapi
from heardback_ingest.http.requests import JSON_TYPES, media_type, parse
from heardback_shared.access.keys import Principal
from heardback_shared.contact.domain import Channel, Digest, Provenance
from heardback_shared.contact.policy import QuietShape, Zone
from heardback_shared.contact.wish_store import Due, Line
from heardback_shared.contact.wishes import Consent, Scope, Telling, Wish, in_force
from heardback_shared.contracts.base import Instant, Label, Submission
from heardback_shared.errors import ProblemError
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid

_log = structlog.get_logger(__name__)
WISHES: tuple[Wish, ...] = ("channels", "language", "time_zone", "quiet_hours", "digest")

_Name = Annotated[Label, StringConstraints(pattern=r"^[^\x00]*$")]


class PreferencesIn(Submission):
    """Wishes told by one source. One left out stays as it is; null takes back what this source told."""

    source: _Name
    provenance: Provenance
    """`stated`: the customer said so, or somebody on their behalf; `observed`; `inferred`."""
    owner: _Name | None = None
    """Who answers for it."""
    at: Instant | None = None
    """When it was last confirmed; now, if left out."""
    refresh_by: Instant | None = None
    """When it is to be asked again; after the days of the contact policy, if left out."""
    channels: Annotated[tuple[Channel, ...], Field(min_length=1, max_length=4)] | None = None
    """In order of preference; one that is not there is not used."""
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)] | None = (
        None
    )
    time_zone: Zone | None = None
    quiet_hours: QuietShape | None = None
    digest: Digest | None = None

    @field_validator("channels")
    @classmethod
    def _once_each(cls, channels: tuple[Channel, ...] | None) -> tuple[Channel, ...] | None:
        if channels and len(set(channels)) < len(channels):
            raise ValueError("names a channel twice; keep the place it is to have")
        return channels

    @model_validator(mode="after")
    def _say_something(self) -> Self:
        if not self.model_fields_set & set(WISHES):
            raise ValueError(f"tell at least one of {', '.join(WISHES)}")
        return self

    def tellings(self, at: datetime) -> list[Telling]:
        return [
            Telling(name, self._value(name), self.provenance, self.source, at, self.owner, self.refresh_by)
            for name in WISHES
            if name in self.model_fields_set
        ]

    def _value(self, name: Wish) -> Any:
        value = getattr(self, name)
        if isinstance(value, QuietShape):
            return {"start": f"{value.start:%H:%M}", "end": f"{value.end:%H:%M}"}
        return list(value) if isinstance(value, tuple) else value


class ConsentIn(Submission):
    """One line of the ledger: the customer agreed, or does not want it any more."""

    purpose: Scope
    given: bool
    source: _Name
    provenance: Provenance = "stated"
    item_id: Annotated[_Name, StringConstraints(max_length=100)] | None = None
    """With `case_updates`: only news of this one matter."""
    channel: _Name | None = None
    text_version: _Name | None = None
    """Which text the customer agreed to."""
    proof: Annotated[str, StringConstraints(min_length=1, max_length=4_000, pattern=r"^[^\x00]*$")] | None = (
        None
    )
    at: Instant | None = None

    @model_validator(mode="after")
    def _prove(self) -> Self:
        if self.item_id is not None and self.purpose != "case_updates":
            raise ValueError("item_id goes with the purpose case_updates only")
        if not self.given:
            return self
        if self.purpose == "everything":
            raise ValueError("consent is given purpose by purpose; only a withdrawal can be for everything")
        missing = [name for name in ("proof", "text_version", "channel") if getattr(self, name) is None]
        if missing or self.provenance != "stated":
            raise ValueError(
                "a consent is the customer's own word: provenance stated, proof, text_version and channel"
            )
        return self

    def consent(self, at: datetime) -> Consent:
        return Consent(
            "",
            self.purpose,
            self.given,
            self.provenance,
            self.source,
            at,
            self.item_id,
            self.channel,
            self.text_version,
            self.proof is not None,
        )


MODELS = (PreferencesIn, ConsentIn)
CustomerId = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]


def routes(guard: Guard, preferences: KeepPreferences) -> APIRouter:
    api = APIRouter(prefix="/v1", tags=["preferences"])
    writer = Annotated[Principal, Depends(guard.needs("customers:write"))]
    reader = Annotated[Principal, Depends(guard.needs("customers:read"))]
    one = "/customers/{customer_id:path}"

    @api.get(one + "/preferences", summary="How, when and for what a customer wants to be reached, and why")
    async def get_preferences(customer_id: CustomerId, principal: reader) -> dict[str, Any]:
        return _shown(await preferences.known(principal.tenant_id, customer_id))

    @api.put(
        one + "/preferences", summary="Tell what a customer wishes", openapi_extra=openapi.body(PreferencesIn)
    )
    async def put_preferences(request: Request, customer_id: CustomerId, principal: writer) -> dict[str, Any]:
        media_type(request, *JSON_TYPES)
        told = parse(PreferencesIn, await request.body())
        at = told.at or preferences.now()
        if told.refresh_by is not None and told.refresh_by <= at:
            raise invalid((("/refresh_by", "must lie after the time of confirmation"),))
        with _past():
            await preferences.tell(principal.tenant_id, customer_id, told.tellings(at))
        return _shown(await preferences.known(principal.tenant_id, customer_id))

    @api.post(
        one + "/consents",
        status_code=201,
        summary="Record that a customer agreed, or withdrew; withdrawals hold at once",
        openapi_extra=openapi.body(ConsentIn),
    )
    async def post_consent(request: Request, customer_id: CustomerId, principal: writer) -> dict[str, Any]:
        media_type(request, *JSON_TYPES)
        told = parse(ConsentIn, await request.body())
        consent = told.consent(told.at or preferences.now())
        with _past():
            kept = await preferences.record(
                principal.tenant_id, customer_id, consent, told.proof, principal.name
            )
        return _line(kept)

    @api.get(one + "/consents", summary="The consent ledger of a customer, oldest first")
    async def get_consents(
        customer_id: CustomerId, principal: reader, with_proof: bool = False
    ) -> dict[str, Any]:
        lines = await preferences.ledger(principal.tenant_id, customer_id)
        if with_proof:
            if not principal.may("admin"):
                raise ProblemError(
                    403,
                    "forbidden",
                    "The key may not do this",
                    "Proofs are shown to keys with the scope admin.",
                )
            _log.info("contact.proofs_read", key=principal.key_id, lines=len(lines))
        return {"customer_id": customer_id, "consents": [_kept(line, with_proof) for line in lines]}

    @api.get("/preferences/due-for-refresh", summary="Preferences that are due to be asked again")
    async def due_for_refresh(
        principal: reader, cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
    ) -> dict[str, Any]:
        after = _read_cursor(cursor) if cursor else None
        due, last = await preferences.due(principal.tenant_id, after, limit)
        tasks = [{"customer_id": d.customer_id, "name": d.wish.name, **_told(d.wish)} for d in due]
        return {"tasks": tasks, "next_cursor": _cursor(last) if last else None}

    return api


@contextmanager
def _past() -> Iterator[None]:
    try:
        yield
    except FromTheFutureError as error:
        raise invalid((("/at", "must not lie in the future"),)) from error


def _shown(known: Known) -> dict[str, Any]:
    who = known.recipient
    counting = in_force(known.told.tellings)
    return {
        "customer_id": who.customer_id,
        "person_id": who.person_id,
        "preferences": {
            name: {**_told(wish), "due": wish.refresh_by is not None and wish.refresh_by <= known.at}
            for name, wish in sorted(counting.items())
        },
        "outdone": [
            {"name": wish.name, **_told(wish)}
            for wish in sorted(known.told.tellings, key=lambda w: (w.name, w.source, w.provenance))
            if counting.get(wish.name) != wish
        ],
        "in_use": {
            "channels": list(who.channels),
            "language": who.language,
            "time_zone": who.time_zone,
            "digest": who.digest,
            "quiet_hours": who.quiet
            and {"start": f"{who.quiet.start:%H:%M}", "end": f"{who.quiet.end:%H:%M}"},
            "only_guessed": sorted(who.inferred),
        },
        "refused": sorted(who.refused),
        "refused_items": sorted(who.refused_items),
        "on_hold": who.held_because,
    }


def _told(wish: Telling) -> dict[str, Any]:
    return {
        "value": wish.value,
        "provenance": wish.provenance,
        "source": wish.source,
        "owner": wish.owner,
        "confirmed_at": wish.confirmed_at,
        "refresh_by": wish.refresh_by,
    }


def _line(consent: Consent) -> dict[str, Any]:
    return {
        "id": consent.id,
        "purpose": consent.scope,
        "item_id": consent.item_id,
        "given": consent.given,
        "provenance": consent.provenance,
        "source": consent.source,
        "channel": consent.channel,
        "text_version": consent.text_version,
        "proved": consent.proved,
        "at": consent.at,
    }


def _kept(line: Line, with_proof: bool) -> dict[str, Any]:
    proof = {"proof": line.proof} if with_proof else {}
    return {
        **_line(line.consent),
        **proof,
        "recorded_by": line.recorded_by,
        "recorded_at": line.recorded_at,
    }


def _cursor(due: Due) -> str:
    wish = due.wish
    at = wish.refresh_by.isoformat() if wish.refresh_by else ""
    place = "\x1f".join((at, due.customer_id, wish.name, wish.provenance, wish.source))
    return base64.urlsafe_b64encode(place.encode()).decode()


def _read_cursor(cursor: str) -> Due:
    try:
        at, customer_id, name, provenance, source = base64.urlsafe_b64decode(cursor).decode().split("\x1f")
        when = datetime.fromisoformat(at)
        if when.tzinfo is None or "\x00" in customer_id + source:
            raise ValueError("not one of ours")
    except (ValueError, binascii.Error) as error:
        raise invalid((("query:cursor", "is not one of ours; begin again without it"),)) from error
    wish = Telling(name, None, provenance, source, when, None, when)  # type: ignore[arg-type]
    return Due(customer_id, wish)
