"""A customer's mail server: real SMTP on loopback, keeps what it accepted."""

import asyncio
import email
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import Any, Self

from aiosmtpd.smtp import SMTP

from heardback_router.mail.settings import MailSettings


@dataclass
class Mailbox:
    """`replies` are answers to DATA, one per mail, then `250`; `refused` are recipients it does not know."""

    replies: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    mails: list[EmailMessage] = field(default_factory=list)
    """Accepted, in order."""
    recipients: list[str] = field(default_factory=list)
    tried: int = 0
    on_accept: Callable[[], None] | None = None
    hang: bool = False

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="mail.example.com", loop=loop), "127.0.0.1", 0
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def settings(self) -> MailSettings:
        return MailSettings(
            host="127.0.0.1", port=self.port, tls="none", sender="care@shop.example", timeout_seconds=30
        )

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.tried += 1
        if self.hang:
            await asyncio.sleep(3_600)
        reply = self.replies.pop(0) if self.replies else "250 OK"
        if reply.startswith("250"):
            self.mails.append(email.message_from_bytes(envelope.original_content, policy=default))
            self.recipients.extend(envelope.rcpt_tos)
            if self.on_accept is not None:
                self.on_accept()
        return reply

    def ids(self) -> list[str]:
        return [str(mail["Message-ID"]) for mail in self.mails]
