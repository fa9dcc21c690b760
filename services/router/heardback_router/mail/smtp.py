"""Sends mail by SMTP."""

import asyncio
from contextlib import suppress
from email.message import EmailMessage

from aiosmtplib import SMTP
from aiosmtplib.errors import (
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from heardback_router.mail.domain import Mail, MailOutcome, checked_address, composed
from heardback_router.mail.settings import MailSettings
from heardback_shared.clock import Clock

FAREWELL_SECONDS = 2


class SmtpMailer:
    """A connection per mail: a server that hangs holds up no other mail."""

    def __init__(self, settings: MailSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._places = asyncio.Semaphore(settings.concurrency)

    @property
    def usable(self) -> bool:
        return self._settings.host is not None

    async def send(self, mail: Mail) -> MailOutcome:
        sender = self._settings.sender
        if self._settings.host is None or sender is None:
            return MailOutcome("later", None, "no mail server is set (HEARDBACK_SMTP_HOST)")
        message = composed(mail, sender, self._settings.sender_name, self._clock.now())
        client = self._client()
        async with self._places:
            try:
                async with asyncio.timeout(self._settings.timeout_seconds):
                    said = await _handed(client, message, sender, checked_address(mail.to))
            except TimeoutError:
                return MailOutcome("later", None, "the mail server did not answer in time")
            except SMTPResponseException as error:
                return _judged(error)
            except (SMTPException, OSError) as error:
                return MailOutcome("later", None, f"the mail server was not reached ({type(error).__name__})")
            else:
                await _farewell(client)
                return MailOutcome("accepted", 250, said[:200])
            finally:
                client.close()

    def _client(self) -> SMTP:
        settings = self._settings
        return SMTP(
            hostname=settings.host,
            port=settings.port,
            use_tls=settings.tls == "tls",
            start_tls=settings.tls == "starttls",
            username=settings.user,
            password=settings.password.get_secret_value() if settings.password else None,
            timeout=settings.timeout_seconds,
        )


async def _handed(client: SMTP, message: EmailMessage, sender: str, to: str) -> str:
    await client.connect()
    try:
        _, said = await client.send_message(message, sender=sender, recipients=[to])
    except SMTPRecipientsRefused as error:
        raise error.recipients[0] from error
    return said


async def _farewell(client: SMTP) -> None:
    """The mail has been accepted: a farewell that fails changes nothing."""
    with suppress(SMTPException, OSError, TimeoutError):
        async with asyncio.timeout(FAREWELL_SECONDS):
            await client.quit()


def _judged(error: SMTPResponseException) -> MailOutcome:
    """Only what a server says about this recipient or content is final. What it says about us (login,
    sender, greeting) can be put right, and the mail then still goes out."""
    about_mail = isinstance(error, SMTPRecipientRefused | SMTPDataError)
    final = about_mail and 500 <= error.code < 600
    return MailOutcome("refused" if final else "later", error.code, f"the mail server answered {error.code}")
