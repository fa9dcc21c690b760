"""Who finds what we write too personal is left alone by machines until a person has looked."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_shared.contact.holds import PostgresHolds
from heardback_shared.contact.lookups import lock_people
from heardback_shared.contracts.events import FeedbackScored

TOO_PERSONAL = "too_personal"
BY = "router"


class Discomfort:
    """Part of routing's transaction: not even the acknowledgement of that feedback goes out by itself."""

    def __init__(self, holds: PostgresHolds) -> None:
        self._holds = holds

    async def heed(
        self, connection: AsyncConnection, tenant_id: str, heard: Sequence[FeedbackScored], at: datetime
    ) -> Sequence[str]:
        """Puts the customers on hold; returns those who were not. Feedback that was heeded once is not heeded
        again when it is read anew: a person may have lifted the hold since."""
        uneasy = {
            one.accepted.customer.id: one.accepted.feedback_id
            for one in heard
            if one.accepted.customer is not None
            and one.accepted.customer.id is not None
            and any(cue.name == TOO_PERSONAL for cue in one.score.cues)
        }
        if not uneasy:
            return ()
        await lock_people(connection, tenant_id, sorted(uneasy))
        held = []
        for customer_id, feedback_id in sorted(uneasy.items()):
            because = f"The customer finds what is written to them too personal (feedback {feedback_id})."
            before = await self._holds.of_customer(connection, tenant_id, customer_id)
            if any(line.because == because for line in before):
                continue
            if await self._holds.hold(
                connection, tenant_id, customer_id, held=True, because=because, by=BY, at=at
            ):
                held.append(customer_id)
        return held
