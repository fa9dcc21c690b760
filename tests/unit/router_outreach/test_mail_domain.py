"""An e-mail carries what was written and nothing else, whatever it was made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.support.clock import FakeClock

from heardback_router.mail.domain import Mail, UnfitMailError, checked_address, composed
from heardback_router.mail.settings import MailSettings

AT = FakeClock().now()
SAID = [
    "this is no e-mail address such as ann@example.com, in ASCII before the @",
    "the domain of the address cannot be read",
]
"""No refusal quotes the address: it goes to logs."""
BREAKS = ["\r\n", "\n", "\r", "\x00", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"]


@pytest.mark.parametrize("broken", BREAKS)
def test_no_field_can_start_another_header(broken: str) -> None:
    extra = f"{broken}Bcc: eve@example.com"
    with pytest.raises(UnfitMailError):
        Mail("out_1", "ann@example.com" + extra, "Hello", "text")
    with pytest.raises(UnfitMailError):
        Mail("out_1", "ann@example.com", "Hello" + extra, "text")
    with pytest.raises(UnfitMailError):
        Mail("out_1", "ann@example.com", "Hello", "text", {"List-Unsubscribe": "<https://x>" + extra})
    with pytest.raises(UnfitMailError):
        Mail("out_1", "ann@example.com", "Hello", "text", {"X-A" + extra: "b"})
    with pytest.raises(UnfitMailError):
        Mail("out_1" + extra, "ann@example.com", "Hello", "text")


@given(st.text(min_size=1, max_size=200), st.text(max_size=300))
def test_whatever_is_composed_has_one_recipient_and_our_headers_only(subject: str, text: str) -> None:
    try:
        mail = Mail("out_1", "ann@example.com", subject, text)
    except UnfitMailError:
        return
    raw = composed(mail, "care@shop.example", None, AT).as_bytes()
    names = [
        line.partition(b":")[0].lower()
        for line in raw.partition(b"\r\n\r\n")[0].split(b"\r\n")
        if line[:1] not in b" \t"
    ]
    assert sorted(set(names)) == sorted(names)
    assert set(names) == {
        b"from",
        b"to",
        b"subject",
        b"date",
        b"message-id",
        b"auto-submitted",
        b"mime-version",
        b"content-type",
        b"content-transfer-encoding",
    }


@pytest.mark.parametrize(
    "address",
    ["", "ann", "@example.com", "ann@", "a b@example.com", "ann@example.com, eve@example.com", "<ann@x.de>",
     "ann@exa_mple.com", "ann@example..com", ".ann@example.com", "ann@[127.0.0.1]", "a" * 65 + "@x.de",
     "ann@" + "d" * 260, "änn@example.com", '"a b"@example.com', "ann@example.com>"],
)  # fmt: skip
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UnfitMailError) as caught:
        checked_address(address)
    assert str(caught.value) in {str(UnfitMailError(said)) for said in SAID}


def test_a_domain_beyond_ascii_travels_encoded() -> None:
    assert checked_address("ann@bücher.example") == "ann@xn--bcher-kva.example"


def test_settings_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValidationError, match="FROM"):
        MailSettings(host="mail.example.com")
    with pytest.raises(ValidationError, match="go together"):
        MailSettings(host="mail.example.com", sender="a@b.example", user="u")
    with pytest.raises(ValidationError, match="unencrypted"):
        MailSettings(host="mail.example.com", sender="a@b.example", user="u", password="p", tls="none")


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARDBACK_SMTP_HOST", "mail.example.com")
    monkeypatch.setenv("HEARDBACK_SMTP_FROM", "care@shop.example")
    settings = MailSettings()
    assert (settings.host, settings.sender, settings.tls) == (
        "mail.example.com",
        "care@shop.example",
        "starttls",
    )
