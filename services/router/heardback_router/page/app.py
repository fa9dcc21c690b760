"""What the holder of a page's link may do. The link says whose page it is; nothing in a request does."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.configuration.source import PolicySource
from heardback_router.loops.domain import Answer
from heardback_router.loops.links import LinkClaim, PageClaim, read_page, sign_link
from heardback_router.page.domain import (
    CODE_DIGITS,
    CODE_LIVES,
    CODES_AN_HOUR,
    Code,
    CodeVerdict,
    Deed,
    Matter,
    PageView,
    gathered,
    judge_code,
    masked,
)
from heardback_router.page.erasures import PostgresErasures
from heardback_router.page.ports import Answering, Codes, CodeSender, Matters
from heardback_router.page.shared import newest_first
from heardback_router.page.texts import Language
from heardback_shared.clock import Clock
from heardback_shared.contact.domain import Address
from heardback_shared.contact.store import PostgresContacts
from heardback_shared.contact.wish_store import Line, PostgresWishes, consent_id
from heardback_shared.contact.wishes import Consent, Scope, Telling, Wish
from heardback_shared.db.database import Database
from heardback_shared.ids import new_id
from heardback_shared.keyring import Keyring

SHOWN = 50
"""Of a customer's feedback, the newest."""

SOURCE = "page"
CODES = "page-codes"
PAYLOADS = "page-payloads"


class NotTheirsError(Exception):
    """The loop or code is not this customer's, or there is none."""


class TooManyCodesError(Exception):
    """Enough codes were asked for within the hour."""


class NotSentError(Exception):
    """The code could not be sent just now."""


@dataclass(frozen=True, slots=True)
class Keys:
    page: bytes
    loops: bytes


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the customer pressed a button under: the whole text, its version, and by which link."""

    text: str
    version: str
    link: str


class CustomerPage:
    def __init__(
        self,
        database: Database,
        *,
        matters: Matters,
        contacts: PostgresContacts,
        wishes: PostgresWishes,
        codes: Codes,
        erasures: PostgresErasures,
        sender: CodeSender,
        answering: Answering,
        keyring: Keyring,
        keys: Keys,
        policies: PolicySource,
        clock: Clock,
        draw: Callable[[int], int] = secrets.randbelow,
    ) -> None:
        self._database = database
        self._matters = matters
        self._contacts = contacts
        self._wishes = wishes
        self._codes = codes
        self._erasures = erasures
        self._sender = sender
        self._answering = answering
        self._keyring = keyring
        self._keys = keys
        self._policies = policies
        self._clock = clock
        self._draw = draw

    def claim(self, token: str) -> PageClaim:
        """Raises TamperedError or ExpiredError."""
        return read_page(self._keys.page, token, self._clock.now())

    async def view(self, claim: PageClaim) -> PageView:
        tenant, customer = claim.tenant_id, claim.customer_id
        async with self._database.tenant(tenant) as c:
            matters = await self._matters.of_customer(c, tenant, customer, SHOWN + 1)
            told = (await self._contacts.told(c, tenant, [customer]))[customer]
            who = (await self._contacts.recipients(c, tenant, [customer], self._clock.now()))[customer]
            others = await self._others(c, claim)
            email = await self._contacts.address(c, tenant, customer, "email")
            asked = await self._erasures.open_since(c, tenant, customer)
            otherwise = (await self._policies.of(c, tenant)).messages.otherwise
        stated = sorted(
            (w for w in told.tellings if w.provenance == "stated"), key=lambda wish: wish.confirmed_at
        )
        own: dict[str, object] = {wish.name: wish.value for wish in stated if wish.value is not None}
        return PageView(
            [*gathered(matters[:SHOWN]), *newest_first(list(others.values()))],
            len(matters) > SHOWN,
            who,
            own,
            masked(email) if email else None,
            asked,
            otherwise,
        )

    async def answer(self, claim: PageClaim, loop_id: str, answer: Answer, comment: str | None) -> None:
        """Raises NotTheirsError, or ProblemError where it cannot be answered so."""
        await self._answering.give(await self._loop_link(claim, loop_id), answer, comment)

    async def contest(self, claim: PageClaim, loop_id: str, comment: str | None) -> None:
        """Raises NotTheirsError, or ProblemError where there is nothing to contest."""
        await self._answering.contest(await self._loop_link(claim, loop_id), comment)

    async def wish(self, claim: PageClaim, wishes: Sequence[tuple[Wish, object]]) -> None:
        """The customer's own word: it goes before what anybody else told."""
        now = self._clock.now()
        async with self._database.tenant(claim.tenant_id) as c:
            rules = (await self._policies.of(c, claim.tenant_id)).contact
            due = now + timedelta(days=rules.refresh_days)
            told = [Telling(name, value, "stated", SOURCE, now, "customer", due) for name, value in wishes]
            await self._wishes.tell(c, claim.tenant_id, claim.customer_id, told)

    async def refuse(self, claim: PageClaim, scope: Scope, item_id: str | None = None) -> None:
        """Holds at once."""
        line = Consent("", scope, False, "stated", SOURCE, self._clock.now(), item_id, SOURCE)
        await self._record(claim, line, None)

    async def allow(
        self, claim: PageClaim, scope: Scope, agreed: Agreement, item_id: str | None = None
    ) -> None:
        now = self._clock.now()
        line = Consent("", scope, True, "stated", SOURCE, now, item_id, SOURCE, agreed.version, proved=True)
        await self._record(
            claim, line, f"Button pressed on {now.isoformat()}, by link {agreed.link}, under: {agreed.text}"
        )

    async def _record(self, claim: PageClaim, line: Consent, proof: str | None) -> None:
        kept = replace(line, id=consent_id(claim.customer_id, line))
        async with self._database.tenant(claim.tenant_id) as c:
            await self._wishes.record(
                c, claim.tenant_id, claim.customer_id, [Line(kept, proof, "customer", line.at)]
            )

    async def ask(self, claim: PageClaim, deed: Deed, payload: str | None, language: Language) -> str | None:
        """Sends a code to the customer's own address and returns the id it is kept under.

        None where no address of theirs is known: an erasure is then left to a person, who makes sure who is
        asking. Raises TooManyCodesError, NotSentError; NotTheirsError for a new address without an old one.
        """
        now, tenant, customer = self._clock.now(), claim.tenant_id, claim.customer_id
        code = f"{self._draw(10**CODE_DIGITS):0{CODE_DIGITS}d}"
        async with self._database.tenant(tenant) as c:
            await self._contacts.lock(c, tenant, [customer])
            address = await self._contacts.address(c, tenant, customer, "email")
            if address is None:
                if deed != "erase":
                    raise NotTheirsError
                await self._erasures.make(c, tenant, customer, now, confirmed=False)
                return None
            if await self._codes.made_since(c, tenant, customer, now - timedelta(hours=1)) >= CODES_AN_HOUR:
                raise TooManyCodesError
            kept = self._kept(claim, deed, payload, code, now)
            await self._codes.add(c, tenant, kept, now)
        if not await self._sender.send(kept.id, address, code, language):
            raise NotSentError
        return kept.id

    async def enter(self, claim: PageClaim, code_id: str, code: str) -> tuple[CodeVerdict, Deed]:
        """What the code was good for. The right one has its effect in the same transaction, and only then.

        Raises NotTheirsError.
        """
        tenant = claim.tenant_id
        async with self._database.tenant(tenant) as c:
            kept = await self._codes.lock(c, tenant, code_id)
            if kept is None or kept.customer_id != claim.customer_id:
                raise NotTheirsError
            now = self._clock.now()
            fits = secrets.compare_digest(self._digest(claim, code_id, code), kept.digest)
            judged = judge_code(kept, fits, now)
            if judged == "wrong":
                await self._codes.put(c, tenant, code_id, kept.wrong + 1, None)
            if judged == "right":
                await self._codes.put(c, tenant, code_id, kept.wrong, now)
                if kept.deed == "erase":
                    await self._erasures.make(c, tenant, claim.customer_id, now, confirmed=True)
                else:
                    address = Address(self._payload(claim, kept), "stated", SOURCE, now)
                    await self._contacts.put_address(c, tenant, claim.customer_id, "email", address)
        return judged, kept.deed

    def _kept(self, claim: PageClaim, deed: Deed, payload: str | None, code: str, now: datetime) -> Code:
        code_id = new_id("pc")
        bound = _bound_to(claim, code_id)
        sealed = None if payload is None else self._keyring.seal(PAYLOADS, payload.encode(), bound)
        digest = self._digest(claim, code_id, code)
        return Code(code_id, claim.customer_id, deed, digest, 0, now + CODE_LIVES, None, sealed)

    def _digest(self, claim: PageClaim, code_id: str, code: str) -> bytes:
        return self._keyring.digest(CODES, f"{_bound_to(claim, code_id)}\x1f{code}")

    def _payload(self, claim: PageClaim, kept: Code) -> str:
        return self._keyring.open(PAYLOADS, kept.sealed or b"", _bound_to(claim, kept.id)).decode()

    async def _others(self, connection: AsyncConnection, claim: PageClaim) -> dict[str, Matter]:
        """What the same person raised under other ids, as far as a message to this one told of it."""
        tenant, customer = claim.tenant_id, claim.customer_id
        found = await self._matters.shared(connection, tenant, customer, SHOWN)
        ids = [customer, *{owner for owner, _ in found.values()}]
        people = await self._contacts.recipients(connection, tenant, ids, self._clock.now())
        person = people[customer].person_id
        return {
            loop_id: matter for loop_id, (owner, matter) in found.items() if people[owner].person_id == person
        }

    async def _loop_link(self, claim: PageClaim, loop_id: str) -> str:
        async with self._database.tenant(claim.tenant_id) as c:
            owner = await self._matters.owner_of_loop(c, claim.tenant_id, loop_id)
            if owner != claim.customer_id and loop_id not in await self._others(c, claim):
                raise NotTheirsError
        return sign_link(self._keys.loops, LinkClaim(claim.tenant_id, loop_id, claim.expires_at))


def _bound_to(claim: PageClaim, code_id: str) -> str:
    return f"{claim.tenant_id}\x1f{claim.customer_id}\x1f{code_id}"
