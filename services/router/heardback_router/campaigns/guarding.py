"""Looks at every text that a person writes for customers, before it is kept: what colleagues wrote, what
other customers said, and addresses that nobody named must not be in it."""

from collections.abc import Collection, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.campaigns.evidence import PostgresEvidence
from heardback_router.campaigns.guard import AWAY, Guarded, contacts_in, leaks
from heardback_router.messages.checking import BadTextError, Written
from heardback_router.messages.rendering import MessagesPolicy
from heardback_router.wording import InternalText

OURS = "repeats words of a note for colleagues; say it in words made for customers"
THEIRS = "repeats words of a customer's feedback, and others read it; say it in your own words"


class ContentGuard:
    def __init__(self, evidence: PostgresEvidence) -> None:
        self._evidence = evidence

    async def check(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        item_ids: Sequence[str],
        texts: Sequence[Written],
        policy: MessagesPolicy,
        *,
        notes: Collection[InternalText] = (),
        readers: Collection[str] | None = None,
    ) -> None:
        """Raises BadTextError, which never quotes what must not be seen. `notes` are written with the texts,
        `readers` the customers who get them; None: everybody who wrote about the items."""
        guarded = [one async for one in self._evidence.guarded(connection, tenant_id, item_ids)]
        wrote = {one.customer_id for one in guarded if one.kind == "feedback" and one.customer_id}
        told = frozenset(wrote if readers is None else readers)
        forbidden = [*(Guarded("internal", item_ids[0], note.text) for note in notes), *guarded]
        faults: list[tuple[str, str]] = []
        for pointer, _, text in texts:
            faults += [(pointer, AWAY.format(what)) for what in contacts_in(text, policy.may_name)]
            kinds = {one.kind for _, one in leaks([text], forbidden, told if len(told) == 1 else frozenset())}
            faults += [(pointer, OURS)] if "internal" in kinds else []
            faults += [(pointer, THEIRS)] if "feedback" in kinds else []
        if faults:
            raise BadTextError(faults)
