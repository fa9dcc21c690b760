"""One e-mail, and what became of trying to send it. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Literal

ADDRESS_LIMIT = 254
"""RFC 5321, 4.5.3.1.3: a path has at most 256 octets, two of them angle brackets."""
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_OURS = frozenset(
    {"from", "to", "cc", "bcc", "subject", "date", "message-id", "sender", "return-path", "reply-to"}
    | {"mime-version", "content-type", "content-transfer-encoding"}
)
SUBJECT_LIMIT = 200


class UnfitMailError(ValueError):
    """What was given cannot be an e-mail; nothing is sent."""


@dataclass(frozen=True, slots=True)
class Mail:
    """Plain text to one person. The Message-ID is made of `id`, so what is sent twice can be told to be one.

    Raises UnfitMailError for an address, subject or header that could carry anything but itself.
    """

    id: str
    to: str
    subject: str
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", self.id):
            raise UnfitMailError("the id of a mail is letters, digits, - and _")
        checked_address(self.to)
        if not self.subject.strip() or len(self.subject) > SUBJECT_LIMIT or _CONTROL.search(self.subject):
            raise UnfitMailError(f"a subject is one line of 1 to {SUBJECT_LIMIT} characters")
        for name, value in self.headers.items():
            if not _NAME.fullmatch(name) or name.lower() in _OURS:
                raise UnfitMailError(f"header {name!r} cannot be set")
            if _CONTROL.search(value) or not value.isascii() or len(value) > 2_000:
                raise UnfitMailError(f"header {name} is one line of ASCII")


def checked_address(address: str) -> str:
    """The address with its domain as it travels (IDNA). Raises UnfitMailError; never quotes the address."""
    local, at, domain = address.rpartition("@")
    try:
        plain = f"{local}{at}{domain.encode('idna').decode('ascii') if domain else ''}"
    except UnicodeError as error:
        raise UnfitMailError("the domain of the address cannot be read") from error
    if len(plain) > ADDRESS_LIMIT or not _ADDRESS.fullmatch(plain) or ".." in plain or plain[0] == ".":
        raise UnfitMailError("this is no e-mail address such as ann@example.com, in ASCII before the @")
    return plain


def unsubscribe_headers(url: str) -> dict[str, str]:
    """List-Unsubscribe (RFC 2369) and, behind https, its one-click form (RFC 8058)."""
    headers = {"List-Unsubscribe": f"<{url}>"}
    if url.startswith("https://"):
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def message_id(mail_id: str, sender: str) -> str:
    return f"<{mail_id}@{sender.rpartition('@')[2]}>"


def composed(mail: Mail, sender: str, name: str | None, at: datetime) -> EmailMessage:
    """The e-mail as it travels. `name` is shown beside the sender's address."""
    message = EmailMessage(policy=SMTP)
    message["From"] = f'"{name}" <{sender}>' if name else sender
    message["To"] = checked_address(mail.to)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = message_id(mail.id, sender)
    message["Auto-Submitted"] = "auto-generated"
    for header, value in mail.headers.items():
        if header.lower() == "auto-submitted":
            del message["Auto-Submitted"]
        message[header] = value
    text = mail.text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    message.set_content(text)
    return message


@dataclass(frozen=True, slots=True)
class MailOutcome:
    """`accepted`: the mail server has it. `later`: it may take it another time. `refused`: never for this
    recipient or this content. `code` is the SMTP reply, None where there was none."""

    state: Literal["accepted", "later", "refused"]
    code: int | None
    because: str
