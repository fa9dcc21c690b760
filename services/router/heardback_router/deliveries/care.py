"""Looks after endpoints: is a disabled one back, what waits for one in vain, who is to be mailed."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.deliveries.alarms import MACHINE, Alarms
from heardback_router.deliveries.breaker import BreakerPolicy
from heardback_router.deliveries.care_store import due_probes, held_too_long
from heardback_router.deliveries.endpoint import enabled
from heardback_router.deliveries.ports import (
    AlertMail,
    AlertMails,
    DeliveryQueue,
    EndpointEvent,
    Endpoints,
    Settler,
    Waker,
)
from heardback_router.deliveries.proving import Prover
from heardback_router.mail.domain import Mail, MailOutcome, UnfitMailError
from heardback_router.mail.ports import Mailer
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database, is_unavailable
from heardback_shared.db.outbox import Outbox

_log = structlog.get_logger(__name__)

AT_ONCE = 20
MAIL_LEASE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class CarePolicy:
    """What waits for an endpoint that is disabled by hand, or unproven, fails after `hold`."""

    hold: timedelta
    look_seconds: float
    breaker: BreakerPolicy
    mail_delays: tuple[float, ...]


class Caretaker:
    """Several processes may run it: everything is taken under a row lock and pushed into the future first."""

    def __init__(
        self,
        database: Database,
        endpoints: Endpoints,
        queue: DeliveryQueue,
        mails: AlertMails,
        alarms: Alarms,
        *,
        prover: Prover,
        mailer: Mailer,
        settler: Settler,
        outbox: Outbox,
        waker: Waker,
        clock: Clock,
        policy: CarePolicy,
    ) -> None:
        self._database = database
        self._endpoints = endpoints
        self._queue = queue
        self._mails = mails
        self._alarms = alarms
        self._prover = prover
        self._mailer = mailer
        self._settler = settler
        self._outbox = outbox
        self._waker = waker
        self._clock = clock
        self._policy = policy

    async def run(self, stop: asyncio.Event) -> None:
        """Looks now and then until told to stop."""
        while not stop.is_set():
            try:
                await self.look()
            except Exception as error:
                if not is_unavailable(error):
                    raise
                _log.warning("endpoints.database_unavailable", error=type(error).__name__)
            try:
                await asyncio.wait_for(stop.wait(), self._policy.look_seconds)
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Everything that is due now, once."""
        now = self._clock.now()
        await self._probe(now)
        await self._let_go(now)
        await self._mail(now)

    async def _probe(self, now: datetime) -> None:
        async with self._database.worker() as connection:
            due = await due_probes(connection, now, AT_ONCE, self._policy.breaker)
        for tenant_id, endpoint_id in due:
            asked, pinged = await self._prover.ping(tenant_id, endpoint_id)
            status = pinged.response.status
            answered = status is not None and 200 <= status < 300
            at = self._clock.now()
            async with self._database.tenant(tenant_id) as connection:
                endpoint = await self._endpoints.find(connection, tenant_id, endpoint_id, lock=True)
                if endpoint is None or endpoint.url != asked.url or endpoint.disabled_by != "failures":
                    continue
                if answered:
                    back = enabled(endpoint, at)
                    await self._endpoints.save(connection, tenant_id, back)
                    await self._alarms.recovered(connection, tenant_id, back, at)
                else:
                    said = pinged.response.error or f"the receiver answered {status}"
                    event = EndpointEvent(at, "probe_failed", said, MACHINE)
                    await self._endpoints.note(connection, tenant_id, endpoint_id, event)
            self._waker.wake()

    async def _let_go(self, now: datetime) -> None:
        async with self._database.worker() as connection:
            held = await held_too_long(connection, now - self._policy.hold, AT_ONCE)
        for tenant_id, endpoint_id in held:
            async with self._database.tenant(tenant_id) as connection:
                await self._fail_held(connection, tenant_id, endpoint_id, now)
            self._outbox.wake()

    async def _fail_held(
        self, connection: AsyncConnection, tenant_id: str, endpoint_id: str, now: datetime
    ) -> None:
        endpoint = await self._endpoints.find(connection, tenant_id, endpoint_id, lock=True)
        if endpoint is None or (endpoint.enabled and endpoint.proven):
            return
        hours = self._policy.hold / timedelta(hours=1)
        what = "was not proven" if endpoint.enabled else "was disabled"
        because = f"the endpoint {what} for {hours:g} hours"
        about = await self._queue.fail_pending(connection, tenant_id, endpoint_id, because, now)
        changes = await self._settler.settle(connection, tenant_id, sorted(set(about)), now)
        await self._outbox.add(connection, changes)
        event = EndpointEvent(now, "held_failed", because, MACHINE)
        await self._endpoints.note(connection, tenant_id, endpoint_id, event)

    async def _mail(self, now: datetime) -> None:
        async with self._database.worker() as connection:
            due = await self._mails.claim(connection, now, now + MAIL_LEASE, AT_ONCE)
        for tenant_id, mail, tries in due:
            outcome = await self._send(mail)
            at = self._clock.now()
            async with self._database.tenant(tenant_id) as connection:
                await self._record(connection, tenant_id, mail, tries, outcome, at)

    async def _send(self, mail: AlertMail) -> MailOutcome:
        if not self._mailer.usable:
            return MailOutcome("refused", None, "no mail server is set (HEARDBACK_SMTP_HOST)")
        try:
            whole = Mail(mail.id, mail.address, mail.subject, mail.text)
        except UnfitMailError as error:
            return MailOutcome("refused", None, str(error))
        return await self._mailer.send(whole)

    async def _record(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        mail: AlertMail,
        tries: int,
        outcome: MailOutcome,
        at: datetime,
    ) -> None:
        delays = self._policy.mail_delays
        if outcome.state == "accepted":
            await self._mails.ended(connection, tenant_id, mail.id, "sent", None, at)
        elif outcome.state == "later" and tries < len(delays):
            again = at + timedelta(seconds=delays[tries])
            await self._mails.again(connection, tenant_id, mail.id, outcome.because, again)
        else:
            await self._mails.ended(connection, tenant_id, mail.id, "failed", outcome.because, at)
            event = EndpointEvent(at, "mail_failed", outcome.because[:300], MACHINE)
            await self._endpoints.note(connection, tenant_id, mail.endpoint_id, event)
