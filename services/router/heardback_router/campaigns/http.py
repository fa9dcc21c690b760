"""Routes of change records and campaigns."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from heardback_router.backlog.deeds import Actor, IfMatch, actor_of, as_json, known, versions_of
from heardback_router.campaigns.app import Campaigns
from heardback_router.campaigns.domain import Campaign, CampaignState
from heardback_router.campaigns.preview import Previews, shown_campaign, shown_change
from heardback_router.campaigns.schemas import (
    CampaignIn,
    CampaignOut,
    CampaignPageOut,
    CampaignsOut,
    ChangeIn,
    ChangeOut,
    ChangesOut,
    RecipientsOut,
    ReturnIn,
)
from heardback_shared.access.keys import Principal
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import not_found

MOST_RECIPIENTS = 200
MOST_CAMPAIGNS = 200
ONE = "/v1/campaigns/{campaign_id}"


def campaign_routes(campaigns: Campaigns, previews: Previews, guard: Guard) -> APIRouter:
    router = APIRouter(tags=["campaigns"])
    _add_changes(router, campaigns, guard)
    _add_reading(router, campaigns, previews, guard)
    _add_making(router, campaigns, guard)
    _add_sending(router, campaigns, guard)
    return router


def _add_changes(router: APIRouter, campaigns: Campaigns, guard: Guard) -> None:
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]
    writers = Annotated[Principal, Depends(guard.needs("items:write"))]

    @router.post("/v1/changes", response_model=ChangeOut, status_code=201, summary="Something was changed")
    async def record(body: ChangeIn, who: writers, actor: Actor = None) -> Response:
        made = await campaigns.record(who.tenant_id, body.done, actor_of(actor, who))
        return as_json(shown_change(made), status=201)

    @router.post(
        "/v1/changes/{change_id}:review", response_model=ChangeOut, summary="Somebody else says it is so"
    )
    async def review(change_id: str, who: writers, actor: Actor = None) -> Response:
        after = await campaigns.review(who.tenant_id, known(change_id), actor_of(actor, who))
        return as_json(shown_change(after))

    @router.get("/v1/changes", response_model=ChangesOut, summary="What was done about an item, newest first")
    async def of_item(item: str, who: readers) -> Response:
        async with campaigns.database.tenant(who.tenant_id) as connection:
            found = await campaigns.changes.of_items(connection, who.tenant_id, [known(item)])
        return as_json({"changes": [shown_change(change) for change in found]})

    @router.get("/v1/changes/{change_id}", response_model=ChangeOut, summary="One change record")
    async def one(change_id: str, who: readers) -> Response:
        async with campaigns.database.tenant(who.tenant_id) as connection:
            found = await campaigns.changes.get(connection, who.tenant_id, [known(change_id)])
        if not found:
            raise not_found(f"Change {change_id}")
        return as_json(shown_change(found[0]))


def _add_reading(router: APIRouter, campaigns: Campaigns, previews: Previews, guard: Guard) -> None:
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]

    @router.get("/v1/campaigns", response_model=CampaignsOut, summary="Campaigns, newest first")
    async def newest(
        who: readers,
        state: CampaignState | None = None,
        limit: Annotated[int, Query(ge=1, le=MOST_CAMPAIGNS)] = 50,
    ) -> Response:
        async with campaigns.database.tenant(who.tenant_id) as connection:
            found = await campaigns.store.newest(connection, who.tenant_id, state, limit)
        return as_json({"campaigns": [shown_campaign(campaign) for campaign in found]})

    @router.get(ONE, response_model=CampaignPageOut, summary="One campaign: what would come of it, or has")
    async def show(campaign_id: str, who: readers) -> Response:
        body = await previews.campaign(who.tenant_id, known(campaign_id))
        return as_json(body, {"ETag": f'"{body["version"]}"'})

    @router.get(
        f"{ONE}/recipients",
        response_model=RecipientsOut,
        summary="Everybody it concerns: what they read and when, or why not",
    )
    async def recipients(
        campaign_id: str,
        who: readers,
        cursor: Annotated[str, Query(max_length=500)] = "",
        code: Annotated[str | None, Query(max_length=64)] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_RECIPIENTS)] = 50,
    ) -> Response:
        body = await previews.recipients(
            who.tenant_id, known(campaign_id), known(cursor), known(code) if code else None, limit
        )
        return as_json(body)


def _add_making(router: APIRouter, campaigns: Campaigns, guard: Guard) -> None:
    writers = Annotated[Principal, Depends(guard.needs("items:write"))]

    @router.post(
        "/v1/campaigns", response_model=CampaignOut, status_code=201, summary="A draft of a message to many"
    )
    async def make(body: CampaignIn, who: writers, actor: Actor = None) -> Response:
        made = await campaigns.make(
            who.tenant_id, body.name, body.picked, body.change_ids, actor_of(actor, who)
        )
        return _answer(made, 201)

    @router.put(ONE, response_model=CampaignOut, summary="Changes a draft")
    async def revise(
        campaign_id: str, body: CampaignIn, who: writers, actor: Actor = None, if_match: IfMatch = None
    ) -> Response:
        after = await campaigns.revise(
            who.tenant_id,
            known(campaign_id),
            versions_of(if_match),
            body.name,
            body.picked,
            body.change_ids,
            actor_of(actor, who),
        )
        return _answer(after)

    @router.post(f"{ONE}:submit", response_model=CampaignOut, summary="It is ready to be approved")
    async def submit(
        campaign_id: str, who: writers, actor: Actor = None, if_match: IfMatch = None
    ) -> Response:
        versions = versions_of(if_match)
        return _answer(
            await campaigns.submit(who.tenant_id, known(campaign_id), versions, actor_of(actor, who))
        )

    @router.post(f"{ONE}:return", response_model=CampaignOut, summary="Back to a draft, with words")
    async def return_(
        campaign_id: str, body: ReturnIn, who: writers, actor: Actor = None, if_match: IfMatch = None
    ) -> Response:
        versions, by = versions_of(if_match), actor_of(actor, who)
        return _answer(await campaigns.return_(who.tenant_id, known(campaign_id), versions, by, body.reason))


def _add_sending(router: APIRouter, campaigns: Campaigns, guard: Guard) -> None:
    writers = Annotated[Principal, Depends(guard.needs("items:write"))]

    @router.post(f"{ONE}:approve", response_model=CampaignOut, summary="It is sent from now on")
    async def approve(
        campaign_id: str, who: writers, actor: Actor = None, if_match: IfMatch = None
    ) -> Response:
        versions = versions_of(if_match)
        return _answer(
            await campaigns.approve(who.tenant_id, known(campaign_id), versions, actor_of(actor, who))
        )

    @router.post(f"{ONE}:pause", response_model=CampaignOut, summary="Nothing more goes out for now")
    async def pause(campaign_id: str, who: writers, actor: Actor = None) -> Response:
        return _answer(await campaigns.pause(who.tenant_id, known(campaign_id), actor_of(actor, who)))

    @router.post(f"{ONE}:resume", response_model=CampaignOut, summary="It goes on where it was paused")
    async def resume(campaign_id: str, who: writers, actor: Actor = None) -> Response:
        return _answer(await campaigns.resume(who.tenant_id, known(campaign_id), actor_of(actor, who)))

    @router.post(f"{ONE}:cancel", response_model=CampaignOut, summary="Nobody else is told by it")
    async def cancel(campaign_id: str, body: ReturnIn, who: writers, actor: Actor = None) -> Response:
        by = actor_of(actor, who)
        return _answer(await campaigns.cancel(who.tenant_id, known(campaign_id), by, body.reason))


def _answer(campaign: Campaign, status: int = 200) -> Response:
    body: dict[str, Any] = shown_campaign(campaign)
    return as_json(body, {"ETag": f'"{campaign.version}"'}, status=status)
