"""The mail worker: claim, ask once more, commit, send, record.

No transaction is open while a mail is sent. A crash between the mail server's yes and the record lets the
lease run out; the mail then goes again under the same Message-ID, by which the receiving side knows it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog

from heardback_router.deliveries.permits import Held, Stopped
from heardback_router.mail.domain import SUBJECT_LIMIT, Mail, MailOutcome, UnfitMailError, unsubscribe_headers
from heardback_router.mail.ports import Mailer
from heardback_router.outreach.ending import Ending, Outcome
from heardback_router.outreach.letters import ClaimedLetter, PostgresLetters
from heardback_router.outreach.settings import OutreachSettings
from heardback_router.outreach.waking import Bell
from heardback_shared.clock import Clock
from heardback_shared.contact.ports import Contacts
from heardback_shared.db.database import Database, is_unavailable
from heardback_shared.db.outbox import Outbox
from heardback_shared.metrics import Metrics

DELAYS: Sequence[timedelta] = tuple(
    timedelta(seconds=s) for s in (60, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""The waits after each attempt that may succeed later: 10 attempts over about three days."""
BETWEEN = "\n\n* * *\n\n"

_log = structlog.get_logger(__name__)


class Mailing:
    def __init__(
        self,
        database: Database,
        letters: PostgresLetters,
        mailer: Mailer,
        contacts: Contacts,
        ending: Ending,
        outbox: Outbox,
        *,
        clock: Clock,
        metrics: Metrics,
        settings: OutreachSettings,
    ) -> None:
        self._database = database
        self._letters = letters
        self._mailer = mailer
        self._contacts = contacts
        self._ending = ending
        self._outbox = outbox
        self._clock = clock
        self._metrics = metrics
        self._settings = settings
        self._bell = Bell(settings.poll_seconds)

    def wake(self) -> None:
        self._bell.ring()

    async def run(self, stop: asyncio.Event) -> None:
        """Sends until told to stop; what is being sent is finished and recorded first."""
        while not stop.is_set():
            try:
                if await self.send_batch():
                    continue
            except Exception as error:
                if not is_unavailable(error):
                    raise
                _log.warning("mailing.database_unavailable", error=type(error).__name__)
            await self._bell.rest(stop)

    async def send_due(self) -> int:
        """Tries everything that is due now, once each; how many that were."""
        tried = 0
        while found := await self.send_batch():
            tried += found
        return tried

    async def send_batch(self) -> int:
        if not self._mailer.usable:
            return 0
        now = self._clock.now()
        async with self._database.worker() as connection:
            claimed = await self._letters.claim(
                connection,
                now,
                now + timedelta(seconds=self._settings.mail_lease_seconds),
                self._settings.mail_concurrency,
            )
        async with asyncio.TaskGroup() as group:
            for letter in claimed:
                group.create_task(self._send(letter), name=f"letter-{letter.id}")
        return len(claimed)

    async def _send(self, letter: ClaimedLetter) -> None:
        try:
            mail = await self._prepared(letter)
            if mail is not None:
                await self._record(letter, await self._mailer.send(mail))
        except Exception as error:
            if not is_unavailable(error):
                raise
            # The lease runs out and the same mail goes out again under the same Message-ID.
            _log.warning("letter.not_recorded", letter=letter.id, error=type(error).__name__)

    async def _prepared(self, letter: ClaimedLetter) -> Mail | None:
        """The mail, if it may still go out and there is an address; what follows otherwise is recorded."""
        now = self._clock.now()
        async with self._database.tenant(letter.tenant_id) as connection:
            permits = await self._ending.permits(connection, letter.tenant_id, [letter.id], now)
            permit = permits.get(letter.id)
            if isinstance(permit, Held):
                await self._letters.postpone(connection, letter, permit.at)
                return None
            content = await self._letters.content(connection, letter)
            address = content and await self._contacts.address(
                connection, letter.tenant_id, content.customer_id, "email"
            )
        if isinstance(permit, Stopped):
            await self._record(letter, MailOutcome("refused", None, permit.because))
            return None
        if content is None or not address:
            await self._record(letter, MailOutcome("refused", None, "no e-mail address is known any more"))
            return None
        try:
            return composed_of(letter.id, address, content.parts)
        except UnfitMailError as error:
            await self._record(letter, MailOutcome("refused", None, str(error)))
            return None

    async def _record(self, letter: ClaimedLetter, outcome: MailOutcome) -> None:
        now = self._clock.now()
        ends = outcome.state != "later" or letter.attempts >= len(DELAYS)
        self._metrics.mails.labels(outcome.state).inc()
        _log.info("letter.tried", letter=letter.id, tenant_id=letter.tenant_id, outcome=outcome.state)
        async with self._database.tenant(letter.tenant_id) as connection:
            if not ends:
                until = now + DELAYS[letter.attempts]
                await self._letters.again(connection, letter, until, outcome.code, outcome.because)
                return
            ended: Outcome = "sent" if outcome.state == "accepted" else "failed"
            if not await self._letters.done(connection, letter, ended, outcome.code, outcome.because, now):
                return
            outgoing = await self._ending.end(
                connection, letter.tenant_id, letter.id, ended, outcome.because, now
            )
            await self._outbox.add(connection, outgoing)
        self._outbox.wake()


def composed_of(letter_id: str, address: str, parts: Sequence[Mapping[str, Any]]) -> Mail:
    """One mail of one or several messages. Raises UnfitMailError."""
    first = str(parts[0]["subject"])
    subject = first if len(parts) == 1 else f"{first} (+{len(parts) - 1})"
    text = BETWEEN.join(str(part["text"]) for part in parts)
    stop = next((p["links"]["unsubscribe"] for p in parts if p["links"].get("unsubscribe")), None)
    headers = unsubscribe_headers(stop) if stop else {}
    return Mail(letter_id, address, subject[:SUBJECT_LIMIT], text, headers)
