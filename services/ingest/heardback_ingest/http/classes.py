"""Tiers and segments by rules: what a draft would change, what waits, and passes over all customers."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from heardback_ingest.app.classes import Classes, NoRunError, Preview
from heardback_ingest.customer_ports import ClassRun
from heardback_ingest.domain.classes import Move
from heardback_ingest.domain.classes_policy import read_classes
from heardback_ingest.http.customers import CustomerId, class_view
from heardback_shared.access.keys import Principal
from heardback_shared.contracts.base import Submission
from heardback_shared.errors import ProblemError
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid, not_found
from heardback_shared.policies.reading import PolicyError

Cursor = Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")]


class PreviewIn(Submission):
    text: Annotated[str, Field(min_length=1)]
    """The whole policy of classes as YAML."""


class RunIn(Submission):
    state: Literal["running", "stopped"]


def routes(guard: Guard, classes: Classes) -> APIRouter:
    api = APIRouter(prefix="/v1", tags=["customers"])
    reader = Annotated[Principal, Depends(guard.needs("customers:read"))]
    writer = Annotated[Principal, Depends(guard.needs("customers:write"))]

    @api.post("/classes:preview", summary="Who would move where if this policy of classes came in force")
    async def preview(principal: reader, body: PreviewIn) -> dict[str, Any]:
        """Nothing is stored. Drafts are reviewed and activated in router's configuration."""
        try:
            draft = await asyncio.to_thread(read_classes, body.text)
        except PolicyError as error:
            faults = tuple(("/text" + pointer, detail) for pointer, detail in error.faults)
            raise invalid(faults or (("/text", str(error)),)) from error
        return _preview(await classes.preview(principal.tenant_id, draft))

    @api.get("/classes/waiting", summary="Customers who keep a tier for now although a lower one is known")
    async def waiting(
        principal: reader, cursor: Cursor = "", limit: Annotated[int, Query(ge=1, le=200)] = 50
    ) -> dict[str, Any]:
        found = await classes.waiting(principal.tenant_id, cursor, limit)
        return {
            "customers": [{"id": p.customer_id, "class": class_view(p.settled)} for p in found],
            "next_cursor": found[-1].customer_id if len(found) == limit else None,
        }

    @api.get("/classes/run", summary="The latest pass over all customers, and how far it has come")
    async def get_run(principal: reader) -> dict[str, Any]:
        run = await classes.newest(principal.tenant_id)
        if run is None:
            raise not_found("A pass")
        return _run(run)

    @api.post("/classes/run", status_code=202, summary="Go over all customers now")
    async def start(principal: writer) -> dict[str, Any]:
        """Happens by itself when other rules come in force, and once a day. One that runs is given back."""
        return _run(await classes.start(principal.tenant_id, principal.name))

    @api.put("/classes/run", summary="Stop the pass where it is, or let it go on from there")
    async def turn(principal: writer, body: RunIn) -> dict[str, Any]:
        try:
            return _run(await classes.turn(principal.tenant_id, body.state))
        except NoRunError as error:
            raise ProblemError(
                409, "no-such-run", "No such pass", "No pass is under way or stopped; start one by POST."
            ) from error

    @api.get("/customers/{customer_id:path}/class", summary="How a customer's tier and segment came about")
    async def history(
        customer_id: CustomerId, principal: reader, limit: Annotated[int, Query(ge=1, le=200)] = 50
    ) -> dict[str, Any]:
        """Every change with what it was decided from, newest first."""
        return {
            "customer_id": customer_id,
            "changes": await classes.history(principal.tenant_id, customer_id, limit),
        }

    return api


def _run(run: ClassRun) -> dict[str, Any]:
    return {name: value for name, value in asdict(run).items() if name != "cursor"}


def _preview(preview: Preview) -> dict[str, Any]:
    return {
        "policy": preview.policy,
        "against": preview.against,
        "customers": preview.looked_at,
        "whole": preview.whole,
        "tiers": [
            {"from": before, "to": after, "customers": count}
            for (before, after), count in sorted(preview.counts.items())
        ],
        "clocks": {"faster": preview.faster, "slower": preview.slower},
        "waiting": preview.waiting,
        "segments_changed": preview.segments,
        "moves": [_move(m) for m in preview.moves],
    }


def _move(move: Move) -> dict[str, Any]:
    return {
        "customer_id": move.customer_id,
        "tier": {"from": move.before, "to": move.after},
        "segment": {"from": move.segment_before, "to": move.segment_after},
        "waits": asdict(move.waits) if move.waits else None,
        "clocks": move.clocks,
        "because": list(move.because),
    }
