"""Mail as those use it who have something to send."""

from typing import Protocol

from heardback_router.mail.domain import Mail, MailOutcome


class Mailer(Protocol):
    @property
    def usable(self) -> bool:
        """Whether there is a mail server to send by."""
        ...

    async def send(self, mail: Mail) -> MailOutcome:
        """One try. Never raises for what the mail server does. Never call it inside a transaction."""
        ...
