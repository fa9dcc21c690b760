"""Mail goes out by real SMTP: what arrives, what is final and what may come again."""

import socket

import pytest
from tests.support.clock import FakeClock
from tests.support.mailbox import Mailbox

from heardback_router.mail.domain import Mail, unsubscribe_headers
from heardback_router.mail.settings import MailSettings
from heardback_router.mail.smtp import SmtpMailer

MAIL = Mail("out_1", "ann@example.com", "Ihre Rückmeldung", "Guten Tag,\n.\nés ist erledigt.\r\n.punkt")


async def test_what_was_written_arrives(mailbox: Mailbox) -> None:
    mailer = SmtpMailer(mailbox.settings, FakeClock())
    headers = unsubscribe_headers("https://f.example/v1/preferences/t")
    sent = Mail(MAIL.id, MAIL.to, MAIL.subject, MAIL.text, headers)
    outcome = await mailer.send(sent)
    assert (outcome.state, outcome.code) == ("accepted", 250)
    (got,) = mailbox.mails
    assert got["To"] == "ann@example.com"
    assert got["From"] == "care@shop.example"
    assert got["Subject"] == "Ihre Rückmeldung"
    assert got["Message-ID"] == "<out_1@shop.example>"
    assert got["List-Unsubscribe"] == "<https://f.example/v1/preferences/t>"
    assert got["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert got["Auto-Submitted"] == "auto-generated"
    assert got.get_content().replace("\r\n", "\n") == "Guten Tag,\n.\nés ist erledigt.\n.punkt\n"


async def test_the_same_mail_has_the_same_id(mailbox: Mailbox) -> None:
    clock = FakeClock()
    mailer = SmtpMailer(mailbox.settings, clock)
    await mailer.send(MAIL)
    clock.forward(hours=3)
    await mailer.send(MAIL)
    assert mailbox.ids() == ["<out_1@shop.example>"] * 2


@pytest.mark.parametrize(
    ("reply", "state"), [("451 busy", "later"), ("452 full", "later"), ("554 no", "refused")]
)
async def test_what_the_server_says_of_the_content(mailbox: Mailbox, reply: str, state: str) -> None:
    mailbox.replies.append(reply)
    outcome = await SmtpMailer(mailbox.settings, FakeClock()).send(MAIL)
    assert (outcome.state, outcome.code) == (state, int(reply[:3]))
    assert mailbox.mails == []


@pytest.mark.parametrize(("reply", "state"), [("450 grey", "later"), ("550 unknown", "refused")])
async def test_what_the_server_says_of_the_recipient(mailbox: Mailbox, reply: str, state: str) -> None:
    mailbox.refused["ann@example.com"] = reply
    outcome = await SmtpMailer(mailbox.settings, FakeClock()).send(MAIL)
    assert (outcome.state, outcome.code) == (state, int(reply[:3]))
    assert "ann" not in outcome.because


async def test_a_server_that_hangs_is_left_in_time(mailbox: Mailbox) -> None:
    mailbox.hang = True
    settings = mailbox.settings.model_copy(update={"timeout_seconds": 0.2})
    outcome = await SmtpMailer(settings, FakeClock()).send(MAIL)
    assert (outcome.state, outcome.code) == ("later", None)


async def test_nobody_there_is_no_final_answer() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = MailSettings(host="127.0.0.1", port=port, tls="none", sender="care@shop.example")
    outcome = await SmtpMailer(settings, FakeClock()).send(MAIL)
    assert (outcome.state, outcome.code) == ("later", None)


async def test_a_server_without_tls_gets_nothing_where_tls_is_asked(mailbox: Mailbox) -> None:
    settings = mailbox.settings.model_copy(update={"tls": "starttls"})
    outcome = await SmtpMailer(settings, FakeClock()).send(MAIL)
    assert outcome.state == "later"
    assert mailbox.tried == 0


async def test_without_a_server_mail_is_not_usable() -> None:
    mailer = SmtpMailer(MailSettings(), FakeClock())
    assert not mailer.usable
    assert (await mailer.send(MAIL)).state == "later"
