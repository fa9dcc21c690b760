"""What people fill in on the page, read strictly. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from heardback_router.mail.domain import UnfitMailError, checked_address
from heardback_router.page.texts import LANGUAGES
from heardback_shared.contact.wishes import Wish

CHANNELS = ("webhook", "email", "sms", "in_app")
DIGESTS = ("none", "daily", "weekly")
COMMENT_LIMIT = 2_000
_FIELDS_AT_MOST = 40


class FormError(Exception):
    """`word` names a text `error_<word>` of the page, `field` the field that it is about."""

    def __init__(self, word: str, field: str) -> None:
        super().__init__(word)
        self.word = word
        self.field = field


@dataclass(frozen=True, slots=True)
class Fields:
    """A form as sent. A field that is missing is empty."""

    said: Mapping[str, str]

    def of(self, name: str) -> str:
        return self.said.get(name, "").strip()


def read_form(body: bytes) -> Fields:
    """URL-encoded; the first of fields that are there twice. What cannot be read is no field."""
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=_FIELDS_AT_MOST, errors="strict"
        )
    except ValueError:
        return Fields({})
    said: dict[str, str] = {}
    for name, value in pairs:
        said.setdefault(name, value.replace("\x00", ""))
    return Fields(said)


def wishes_of(form: Fields) -> list[tuple[Wish, object]]:
    """Every wish the page asks for; empty takes the customer's own word back. Raises FormError."""
    return [
        ("channels", _channels(form)),
        ("language", _language(form.of("language"))),
        ("time_zone", _zone(form.of("time_zone"))),
        ("quiet_hours", _quiet(form.of("quiet_from"), form.of("quiet_to"))),
        ("digest", _one_of(form.of("digest"), DIGESTS, "digest")),
    ]


def comment_of(form: Fields) -> str | None:
    """Raises FormError."""
    comment = form.of("comment").replace("\r\n", "\n")
    if len(comment) > COMMENT_LIMIT:
        raise FormError("comment", "comment")
    return comment or None


def address_of(form: Fields) -> str:
    """Raises FormError."""
    try:
        return checked_address(form.of("address"))
    except UnfitMailError as error:
        raise FormError("address", "address") from error


def _channels(form: Fields) -> list[str] | None:
    chosen = [form.of(f"channel_{n}") for n in range(1, len(CHANNELS) + 1)]
    named = [_one_of(name, CHANNELS, "channels") for name in chosen if name]
    if len(set(named)) < len(named):
        raise FormError("channels", "channels")
    return named or None


def _language(name: str) -> str | None:
    return _one_of(name, LANGUAGES, "language") if name else None


def _zone(name: str) -> str | None:
    if not name:
        return None
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise FormError("time_zone", "time_zone") from error
    return name


def _quiet(start: str, end: str) -> dict[str, str] | None:
    if not start and not end:
        return None
    if not _is_wall(start) or not _is_wall(end) or start == end:
        raise FormError("quiet", "quiet")
    return {"start": start, "end": end}


def _is_wall(text: str) -> bool:
    hour, colon, minute = text.partition(":")
    digits = hour.isascii() and minute.isascii() and hour.isdigit() and minute.isdigit()
    return digits and colon == ":" and len(text) == 5 and int(hour) < 24 and int(minute) < 60


def _one_of(value: str, known: tuple[str, ...], word: str) -> str:
    if value not in known:
        raise FormError(word, word)
    return value
