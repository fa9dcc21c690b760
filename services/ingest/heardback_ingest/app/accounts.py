"""Accounts of customers, in a tree without circles, with who belongs to them and since when."""

from dataclasses import dataclass
from datetime import datetime

from heardback_ingest.app.cards import WriteCards
from heardback_ingest.customer_ports import Account, Accounts, Profiles
from heardback_ingest.domain.accounts import DEEPEST, Membership, makes_a_circle
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database

SHOWN = 1_000
"""Customers of an account tree that are listed at once."""


class AccountRefusedError(Exception):
    """The account cannot be like that. (`pointer`, `detail`) says what to mend."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.detail = detail


@dataclass(frozen=True, slots=True)
class AccountTree:
    account: Account
    above: tuple[str, ...]
    """Parents, the nearest first."""
    below: tuple[Account, ...]
    people: tuple[Membership, ...]
    """Of the account and all below it."""
    more: bool
    """Whether there are more people than are listed."""


class KeepAccounts:
    def __init__(
        self, database: Database, accounts: Accounts, profiles: Profiles, cards: WriteCards, clock: Clock
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._profiles = profiles
        self._cards = cards
        self._clock = clock

    async def put(
        self, tenant_id: str, account_id: str, name: str, parent_id: str | None, source: str
    ) -> Account:
        """Raises AccountRefusedError for a parent that is unknown, below the account, or too deep down."""
        account = Account(account_id, name, parent_id, source, self._clock.now())
        async with self._database.tenant(tenant_id) as c:
            await self._accounts.lock_tree(c, tenant_id)
            if parent_id is not None:
                parents = await self._accounts.above(c, tenant_id, parent_id)
                if not parents:
                    raise AccountRefusedError("/parent", "names no account; make the parent first")
                if account_id == parent_id or makes_a_circle(account_id, parent_id, parents):
                    raise AccountRefusedError("/parent", "lies below this account, which makes a circle")
                below = await self._accounts.below(c, tenant_id, account_id, DEEPEST)
                if len(parents) + 1 + _depth(account_id, below) > DEEPEST:
                    raise AccountRefusedError("/parent", f"makes a tree of more than {DEEPEST} levels")
            await self._accounts.put_account(c, tenant_id, account)
        return account

    async def join(
        self, tenant_id: str, customer_id: str, account_id: str | None, from_at: datetime | None, source: str
    ) -> Membership:
        """From then on, until a later entry, the customer belongs to the account; None: to none.

        Raises AccountRefusedError for an unknown account.
        """
        now = self._clock.now()
        membership = Membership(customer_id, from_at or now, account_id)
        async with self._database.tenant(tenant_id) as c:
            if account_id is not None and await self._accounts.account(c, tenant_id, account_id) is None:
                raise AccountRefusedError("/account", "names no account; make it first")
            await self._profiles.lock(c, tenant_id, [customer_id])
            await self._accounts.join(c, tenant_id, membership, source, now)
            profiles = await self._profiles.read(c, tenant_id, [customer_id])
            await self._cards.write(c, tenant_id, list(profiles.values()), now)
        return membership

    async def of(self, tenant_id: str, customer_id: str) -> list[Membership]:
        """Oldest first."""
        async with self._database.tenant(tenant_id) as c:
            return (await self._accounts.memberships(c, tenant_id, [customer_id])).get(customer_id, [])

    async def tree(self, tenant_id: str, account_id: str, at: datetime | None) -> AccountTree | None:
        """The account, what is above and below it, and who belongs to it at a moment."""
        async with self._database.tenant(tenant_id) as c:
            account = await self._accounts.account(c, tenant_id, account_id)
            if account is None:
                return None
            above = await self._accounts.above(c, tenant_id, account_id)
            below = await self._accounts.below(c, tenant_id, account_id, DEEPEST)
            ids = [account_id, *(a.id for a in below)]
            people = await self._accounts.members(c, tenant_id, ids, at or self._clock.now(), SHOWN + 1)
        parents = tuple(i for i in above if i != account_id)
        return AccountTree(account, parents, tuple(below), tuple(people[:SHOWN]), len(people) > SHOWN)


def _depth(account_id: str, below: list[Account]) -> int:
    """Levels under the account. `below` comes nearest first."""
    level = {account_id: 0}
    for account in below:
        level[account.id] = level[account.parent_id or account_id] + 1
    return max(level.values())
