"""Personal data out of free text, before any topic, model or log sees it.

`redact` replaces what it finds by a placeholder such as `[email]` and counts it. What carries a checksum
(cards, IBANs, most national ids) is verified, so that order and parcel numbers stay readable.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from heardback_ingest.domain import personal_numbers as numbers

VERSION = "redaction@1"
"""Changes whenever the same text may come out differently."""

PLACEHOLDERS = {
    "credentials": "[credentials]",
    "email": "[email]",
    "iban": "[iban]",
    "card": "[card]",
    "national_id": "[national-id]",
    "phone": "[phone]",
    "ip": "[ip]",
    "name": "[name]",
    "field": "[redacted]",
}

_SUSPECT = re.compile(
    r"[\d@＠﹫]|[(\[{<]\s?(?:at|AT|At|ät)\s?[)\]}>]|\b(?:at|AT|ät)\b.{1,80}?\b(?:dot|DOT|punkt|Punkt)\b|[?&]\w+="
)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_ALIKE = str.maketrans(
    {
        **dict.fromkeys(_SPACES, " "),
        **dict.fromkeys(_DASHES, "-"),
        "＠": "@",
        "﹫": "@",
        "．": ".",
        "。": ".",
        "＋": "+",
        "（": "(",
        "）": ")",
    }
)

_AT = r"(?:\s?[(\[{<]\s?(?:at|@|ät)\s?[)\]}>]\s?|\s+(?:at|ät)\s+(?!(?:the|a|an|this|your|our|my|their)\b))"
_DOT = r"(?:\.|\s?[(\[{<]\s?(?:dot|punkt|\.)\s?[)\]}>]\s?|\s+(?:dot|punkt)\s+)"
_TLD = r"(?:com|net|org|info|biz|io|co|eu|de|at|ch|uk|us|fr|es|it|nl|be|pl|se|no|dk|fi|pt|ie|ca|au|in|jp|br)"
_EMAIL = re.compile(r"[\w.%+'&-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_][\w-]{1,62}")
_HIDDEN_EMAIL = re.compile(
    rf"[\w.%+-]{{1,64}}(?:{_DOT}[\w%+-]{{1,64}}){{0,3}}{_AT}[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{0,3}}{_DOT}{_TLD}\b",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r"[(\[{<]\s?(?:at|@|ät)\s?[)\]}>]|\b(?:dot|punkt)\b", re.IGNORECASE)
_URL_USER = re.compile(r"(?<=://)[^\s/:@]{1,100}:[^\s/@]{1,200}(?=@)")
_URL_SECRET = re.compile(
    r"(?<=[?&])(?:password|passwd|pwd|token|access_token|api_?key|secret|sig|signature)=([^\s&#]+)",
    re.IGNORECASE,
)
_IPV4 = re.compile(
    r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.]?\d|\w)"
)
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_VERSION_WORD = re.compile(
    r"(?:version|release|build|firmware|ver\.?|v|app|ios|android)\s*:?\s*$", re.IGNORECASE
)

Span = tuple[int, int, str]
"""(start, end, kind) in the text it was found in."""


@dataclass(frozen=True, slots=True)
class Redacted:
    text: str
    counts: tuple[tuple[str, int], ...] = ()


def redact(text: str, names: Iterable[str] = ()) -> Redacted:
    """The text with personal data replaced. `names` are the people known to take part."""
    known = tuple(names)
    suspect = _SUSPECT.search(text) is not None or (not text.isascii() and _has_odd_digits(text))
    if not suspect and not known:
        return Redacted(text)
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
    spans = sorted(_spans(text, known, suspect))
    if not spans:
        return Redacted(text)
    parts, at = [], 0
    for start, end, kind in spans:
        parts += [text[at:start], PLACEHOLDERS[kind]]
        at = end
    parts.append(text[at:])
    return Redacted("".join(parts), tuple(sorted(Counter(kind for _, _, kind in spans).items())))


def _has_odd_digits(text: str) -> bool:
    return any(c.isdigit() for c in text)


def _plain(text: str) -> str:
    """The text with every digit, space and dash in its ASCII form, character for character."""
    if text.isascii():
        return text
    swapped = text.translate(_ALIKE)
    return "".join(c if c.isascii() or not c.isdigit() else str(unicodedata.digit(c)) for c in swapped)


def _spans(text: str, names: tuple[str, ...], suspect: bool) -> list[Span]:
    taken: list[Span] = []
    plain = _plain(text)
    finders: list[tuple[str, Callable[[str], Iterator[tuple[int, int]]]]] = []
    if suspect:
        finders += _finders(plain)
    if names:
        finders.append(("name", lambda t: _find_names(t, names)))
    for kind, find in finders:
        for start, end in find(plain):
            if all(end <= s or start >= e for s, e, _ in taken):
                taken.append((start, end, kind))
                plain = plain[:start] + "\x00" * (end - start) + plain[end:]
    return taken


def _finders(plain: str) -> list[tuple[str, Callable[[str], Iterator[tuple[int, int]]]]]:
    """In the order of precedence; those that cannot find anything in this text are left out."""
    found: list[tuple[str, Callable[[str], Iterator[tuple[int, int]]]]] = []
    if "://" in plain or "=" in plain:
        found.append(("credentials", _find_credentials))
    if "@" in plain:
        found.append(("email", lambda t: (m.span() for m in _EMAIL.finditer(t))))
    if _BRACKETED.search(plain):
        found.append(("email", lambda t: (m.span() for m in _HIDDEN_EMAIL.finditer(t))))
    digits = sum(c.isdigit() for c in plain)
    if digits >= 4:
        found.append(("ip", _find_addresses))
    if digits >= 5:
        found += [("national_id", numbers.find_lettered_ids)]
    if digits >= 7:
        found += [
            ("iban", numbers.find_ibans),
            ("card", numbers.find_cards),
            ("national_id", numbers.find_national_ids),
            ("phone", numbers.find_phones),
        ]
    elif ":" in plain and digits >= 1:
        found.append(("ip", _find_addresses))
    return found


def _find_credentials(text: str) -> Iterator[tuple[int, int]]:
    for match in _URL_USER.finditer(text):
        yield match.span()
    for match in _URL_SECRET.finditer(text):
        yield match.span(1)


def _find_addresses(text: str) -> Iterator[tuple[int, int]]:
    for match in _IPV4.finditer(text):
        if not _VERSION_WORD.search(text, max(match.start() - 12, 0), match.start()):
            yield match.span()
    for match in _IPV6.finditer(text):
        if numbers.is_ipv6(match.group()):
            yield match.span()


def _find_names(text: str, names: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Whole names in any case; surnames of three letters or more as they are written."""
    for name in names:
        words = name.split()
        if len(name) < 3 or not words:
            continue
        whole = r"\s+".join(re.escape(w) for w in words)
        flags = re.IGNORECASE if len(words) > 1 else 0
        for match in re.finditer(rf"(?<!\w){whole}(?!\w)", text, flags):
            yield match.span()
        if len(words) > 1 and len(words[-1]) >= 3:
            for match in re.finditer(rf"(?<!\w){re.escape(words[-1])}(?!\w)", text):
                yield match.span()
