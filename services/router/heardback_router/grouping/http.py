"""The routes of grouping: why things are together, what people change about it, the rules that come of it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from heardback_router.backlog.deeds import (
    Actor,
    Deed,
    IfMatch,
    actor_of,
    as_json,
    deeds,
    etag,
    known,
    problems,
    versions_of,
)
from heardback_router.backlog.domain import Item
from heardback_router.backlog.reader import PostgresBacklog
from heardback_router.backlog.schemas import ItemOut, shown
from heardback_router.configuration.source import PolicySource
from heardback_router.grouping.app import Regroup
from heardback_router.grouping.cases import PostgresCases
from heardback_router.grouping.deed import UnknownFeedbackError, UnknownSourceError, Wish
from heardback_router.grouping.explaining import why
from heardback_router.grouping.reader import PostgresGroups
from heardback_router.grouping.schemas import (
    CaseOut,
    GroupingOut,
    MergeIn,
    MoveIn,
    RuleOut,
    RulesOut,
    SplitIn,
    WhyOut,
    shown_placed,
    shown_rule,
)
from heardback_router.grouping.store import PostgresGrouping
from heardback_shared.access.keys import Principal
from heardback_shared.db.database import Database
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid, not_found

Id = Annotated[str, Query(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
Why = Annotated[str, Query(min_length=1, max_length=1_000, pattern=r"^[^\x00]+$")]


def grouping_routes(
    database: Database,
    regroup: Regroup,
    reader: PostgresGroups,
    store: PostgresGrouping,
    cases: PostgresCases,
    policies: PolicySource,
    guard: Guard,
) -> APIRouter:
    router = APIRouter(tags=["grouping"])
    _add_deeds(router, regroup, guard)
    _add_rules(router, database, regroup, store, guard)
    _add_reasons(router, database, reader, store, policies, guard)
    _add_cases(router, database, cases, guard)
    return router


def _add_deeds(router: APIRouter, regroup: Regroup, guard: Guard) -> None:
    deeds_of = Annotated[Deed, deeds(guard)]
    writers = Annotated[Principal, Depends(guard.needs("items:write"))]

    @router.post(
        "/v1/items/{item_id}:merge", response_model=ItemOut, summary="Other items are this same problem"
    )
    async def merge(body: MergeIn, deed: deeds_of) -> Response:
        with problems(deed), _refusals("/from"):
            item = await regroup.merge(_wish(deed, body.reason), deed.item_id, body.from_)
        return _answer(item)

    @router.post(
        "/v1/items/{item_id}:split",
        response_model=ItemOut,
        status_code=201,
        summary="Some of its feedback is another problem",
    )
    async def split(body: SplitIn, deed: deeds_of) -> Response:
        with problems(deed), _refusals("/feedback"):
            item = await regroup.split(_wish(deed, body.reason), deed.item_id, body.feedback)
        return _answer(item, 201)

    @router.post(
        "/v1/feedback/{feedback_id}:move",
        response_model=ItemOut,
        summary="One feedback belongs elsewhere; If-Match is of the item that it leaves",
    )
    async def move(
        request: Request,
        feedback_id: str,
        body: MoveIn,
        who: writers,
        if_match: IfMatch = None,
        actor: Actor = None,
    ) -> Response:
        traceparent = getattr(request.state, "traceparent", None)
        deed = Deed(who.tenant_id, known(feedback_id), actor_of(actor, who), if_match, traceparent)
        with problems(deed), _refusals("/item", of_feedback=feedback_id):
            target = None if body.item == "new" else body.item
            item = await regroup.move(_wish(deed, body.reason), feedback_id, target)
        return _answer(item)


def _add_rules(
    router: APIRouter, database: Database, regroup: Regroup, store: PostgresGrouping, guard: Guard
) -> None:
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]
    writers = Annotated[Principal, Depends(guard.needs("items:write"))]

    @router.get(
        "/v1/grouping/rules",
        response_model=RulesOut,
        summary="What people decided about groups, newest first; the newest wins where two disagree",
    )
    async def rules(who: readers, ended: bool = False) -> Response:
        async with database.tenant(who.tenant_id) as connection:
            found = await store.rules(connection, who.tenant_id, ended=ended)
        return as_json({"rules": [shown_rule(rule) for rule in found]})

    @router.delete(
        "/v1/grouping/rules/{rule_id}",
        response_model=RuleOut,
        summary="Later feedback no longer falls under it; what it did stays",
    )
    async def withdraw(rule_id: str, who: writers, reason: Why, actor: Actor = None) -> Response:
        name = actor_of(actor, who)
        await regroup.end_rule(who.tenant_id, known(rule_id), name, reason)
        async with database.tenant(who.tenant_id) as connection:
            rule = await store.rule(connection, who.tenant_id, rule_id)
        if rule is None:
            raise not_found(f"Rule {rule_id}")
        return as_json(shown_rule(rule))


def _add_reasons(
    router: APIRouter,
    database: Database,
    reader: PostgresGroups,
    store: PostgresGrouping,
    policies: PolicySource,
    guard: Guard,
) -> None:
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]
    backlog = PostgresBacklog()

    @router.get(
        "/v1/items/{item_id}/grouping",
        response_model=GroupingOut,
        summary="Why its feedback is one problem; the newest 100, newest first",
    )
    async def of_item(item_id: str, who: readers) -> Response:
        async with database.tenant(who.tenant_id) as connection:
            item = await backlog.item(connection, who.tenant_id, known(item_id))
            if item is None:
                raise not_found(f"Item {item_id}")
            placed = await reader.newest(connection, who.tenant_id, item_id)
            rules = await store.rules(connection, who.tenant_id, ended=True, item_id=item_id)
        body = {
            "item": item_id,
            "feedback_count": item.feedback_count,
            "alarmed": list(item.alarmed),
            "case": item.case_id,
            "merged_into": item.merged_into,
            "feedback": [shown_placed(one) for one in placed],
            "rules": [shown_rule(rule) for rule in rules],
        }
        return as_json(body)

    @router.get(
        "/v1/grouping/why",
        response_model=WhyOut,
        summary="Why two feedbacks are together, step by step, or what keeps them apart",
    )
    async def pair(left: Id, right: Id, who: readers) -> Response:
        async with database.tenant(who.tenant_id) as connection:
            policy = (await policies.of(connection, who.tenant_id)).grouping
            found = [await reader.one(connection, who.tenant_id, one) for one in (left, right)]
            for name, given, one in (("left", left, found[0]), ("right", right, found[1])):
                if one is None:
                    raise invalid(((f"query:{name}", f"there is no routed feedback {given}"),))
            mine, theirs = found
            if mine is None or theirs is None:
                raise not_found("This feedback")
            members = []
            if mine.item_id == theirs.item_id:
                members = await reader.ties(connection, who.tenant_id, mine.item_id)
        return as_json({"left": left, "right": right, **why(mine, theirs, members, policy)})


def _add_cases(router: APIRouter, database: Database, cases: PostgresCases, guard: Guard) -> None:
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]

    @router.get(
        "/v1/cases/{case_id}",
        response_model=CaseOut,
        summary="The items of one customer about one matter, over several channels",
    )
    async def case(case_id: str, who: readers) -> Response:
        async with database.tenant(who.tenant_id) as connection:
            items = await cases.items(connection, who.tenant_id, known(case_id))
        if not items:
            raise not_found(f"Case {case_id}")
        unresolved = [item for item in items if item.state in {"open", "in_progress"}]
        body: Mapping[str, Any] = {
            "id": case_id,
            "team": (unresolved or items)[0].team,
            "assignee": (unresolved or items)[0].assignee,
            "resolved": not unresolved,
            "items": [shown(item) for item in items],
        }
        return as_json(body)


def _wish(deed: Deed, reason: str) -> Wish:
    return Wish(deed.tenant_id, deed.actor, reason, versions_of(deed.if_match), deed.traceparent)


def _answer(item: Item, status: int = 200) -> Response:
    answer = as_json(shown(item), {"ETag": etag(item)})
    answer.status_code = status
    return answer


@contextmanager
def _refusals(pointer: str, of_feedback: str | None = None) -> Iterator[None]:
    """Turns what only grouping refuses into problems that name the field."""
    try:
        yield
    except UnknownFeedbackError as error:
        if error.feedback_id == of_feedback:
            raise not_found(f"Feedback {error.feedback_id}") from error
        detail = f"{error.feedback_id} is not among the feedback of this item"
        raise invalid(((f"{pointer}/{error.place}", detail),)) from error
    except UnknownSourceError as error:
        where = pointer if of_feedback else f"{pointer}/{error.place}"
        raise invalid(((where, f"there is no item {error.item_id}"),)) from error
