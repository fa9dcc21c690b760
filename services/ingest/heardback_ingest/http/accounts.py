"""Accounts: a tree, and the customers who belong to it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import StringConstraints

from heardback_ingest.app.accounts import AccountRefusedError, AccountTree, KeepAccounts
from heardback_ingest.customer_ports import Account
from heardback_ingest.domain.accounts import Membership
from heardback_ingest.http.customers import CustomerId
from heardback_shared.access.keys import Principal
from heardback_shared.contracts.base import Instant, Label, Submission
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid, not_found

AccountKey = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Plain = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=r"^[^\x00]*$")
]


class AccountIn(Submission):
    name: Plain
    parent: AccountKey | None = None
    """The account this one is part of."""
    source: Label


class MembershipIn(Submission):
    account: AccountKey | None
    """null: to none (any more)."""
    effective_from: Instant | None = None
    """Now, if left out. May lie in the past or the future; the latest begun one holds."""
    source: Label


def routes(guard: Guard, accounts: KeepAccounts) -> APIRouter:
    api = APIRouter(prefix="/v1", tags=["customers"])
    writer = Annotated[Principal, Depends(guard.needs("customers:write"))]
    reader = Annotated[Principal, Depends(guard.needs("customers:read"))]

    @api.put("/accounts/{account_id:path}", summary="Make or change an account")
    async def put_account(account_id: CustomerId, principal: writer, body: AccountIn) -> dict[str, Any]:
        try:
            account = await accounts.put(principal.tenant_id, account_id, body.name, body.parent, body.source)
        except AccountRefusedError as error:
            raise invalid(((error.pointer, error.detail),)) from error
        return _account(account)

    @api.get("/accounts/{account_id:path}", summary="An account with its people and the accounts below it")
    async def get_account(
        account_id: CustomerId, principal: reader, at: Annotated[Instant | None, Query()] = None
    ) -> dict[str, Any]:
        """`at`: who belonged to it at that moment. People of the accounts below are there too."""
        tree = await accounts.tree(principal.tenant_id, account_id, at)
        if tree is None:
            raise not_found("This account")
        return _tree(tree)

    @api.put("/customers/{customer_id:path}/account", summary="Say to which account a customer belongs")
    async def join(customer_id: CustomerId, principal: writer, body: MembershipIn) -> dict[str, Any]:
        try:
            joined = await accounts.join(
                principal.tenant_id, customer_id, body.account, body.effective_from, body.source
            )
        except AccountRefusedError as error:
            raise invalid(((error.pointer, error.detail),)) from error
        return _membership(joined)

    @api.get(
        "/customers/{customer_id:path}/account", summary="To which accounts a customer belonged, and when"
    )
    async def memberships(customer_id: CustomerId, principal: reader) -> dict[str, Any]:
        found = await accounts.of(principal.tenant_id, customer_id)
        return {"customer_id": customer_id, "accounts": [_membership(m) for m in found]}

    return api


def _account(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "parent": account.parent_id,
        "source": account.source,
        "at": account.at,
    }


def _membership(membership: Membership) -> dict[str, Any]:
    return {
        "customer_id": membership.customer_id,
        "account": membership.account_id,
        "effective_from": membership.from_at,
    }


def _tree(tree: AccountTree) -> dict[str, Any]:
    return {
        **_account(tree.account),
        "above": list(tree.above),
        "below": [_account(a) for a in tree.below],
        "people": [_membership(m) for m in tree.people],
        "more_people": tree.more,
    }
