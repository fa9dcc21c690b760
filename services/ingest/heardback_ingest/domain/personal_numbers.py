"""Numbers that lead to a person: cards, bank accounts, national ids, telephones. Each yields (start, end).

The text has ASCII digits, spaces and dashes. Checks are those of python-stdnum and phonenumbers; the issuer
ranges of cards follow ISO/IEC 7812 as the schemes publish them.
"""

import ipaddress
import re
from collections.abc import Iterator
from itertools import pairwise

import phonenumbers
from stdnum import iban, luhn
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.pl import pesel
from stdnum.us import ssn

PHONE_REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "AT", "CH", "IN", "AU")
"""Where a number without country code may come from; the first that takes it as valid decides."""

_IBAN_START = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[ -]?\d{2}(?=[ -]?[A-Za-z0-9])")
_COUNTRIES_BY_LENGTH = {
    15: "NO",
    16: "BE",
    18: "DK FI FO GL NL",
    19: "MK SI",
    20: "AT BA EE KZ LT LU XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HU LB PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU",
    31: "MT SC",
    32: "LC",
}
_IBAN_LENGTHS = {
    country: length for length, countries in _COUNTRIES_BY_LENGTH.items() for country in countries.split()
}
"""Length of an IBAN by country, as registered under ISO 13616."""
_GROUPS = re.compile(r"(?<![\d,])\d+(?:[ .-]{1,2}\d+)*(?![\d])")
_CARD_RANGES = (
    (re.compile(r"4"), (13, 16, 19)),
    (re.compile(r"5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)"), (16,)),
    (re.compile(r"3[47]"), (15,)),
    (re.compile(r"3(?:0[0-5]|[689])"), (14, 16, 17, 18, 19)),
    (re.compile(r"35(?:2[89]|[3-8])"), (16, 17, 18, 19)),
    (re.compile(r"6(?:011|4[4-9]|5|2)"), (16, 17, 18, 19)),
    (re.compile(r"50|5[6-8]|6[0-9]"), (16, 17, 18, 19)),
)
_NUMBER = re.compile(r"\d+")

_SSN = re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")
_NINO = re.compile(
    r"(?<!\w)(?![DFIQUV]|.[DFIQUVO]|BG|GB|NK|KN|TN|NT|ZZ)[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)",
    re.IGNORECASE,
)
_DNI = re.compile(r"(?<!\w)(?:\d{8}|[XYZxyz]-?\d{7})-?[A-Za-z](?!\w)")
_CODICE = re.compile(r"(?<!\w)[A-Za-z]{6}\d{2}[A-Za-z]\d{2}[A-Za-z]\d{3}[A-Za-z](?!\w)")
_NIR = re.compile(r"(?<![\d.-])[12] ?\d{2} ?\d{2} ?\d{2} ?\d{3} ?\d{3} ?\d{2}(?![\d])")
_ELEVEN = re.compile(r"(?<![\d.-])\d(?:[ ]?\d){8,10}(?![\d-])")
_ID_WORD = re.compile(
    r"(?:\bbsn|burgerservicenummer|\bpesel|steuer-?\s?id\w*|steueridentifikationsnummer|\bidnr"
    r"|\btax id|\bsofi)\W",
    re.IGNORECASE,
)

_PHONE = re.compile(r"(?<![\w@#=/.-])(?:\+|00)?\(?\+?\d(?:[ ()./-]{0,3}\d){6,15}(?!\w)")
_DATE = re.compile(
    r"(?<![\d./-])(?:(?:19|20)\d{2}([./-])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])([./-])(?:0?[1-9]|1[0-2])\2(?:(?:19|20)\d{2}|\d{2})"
    r"|(?:0?[1-9]|1[0-2])([/-])(?:0?[1-9]|[12]\d|3[01])\3(?:(?:19|20)\d{2}|\d{2}))(?![./-]?\d)"
)
_TIME = re.compile(r"(?<!\d)\d{1,2}:\d{2}(?::\d{2})?(?!\d)")
_SHAPES = (
    re.compile(r"\(?\b[2-9]\d{2}\)?[ .-]\s?\d{3}[ .-]\d{4}$"),
    re.compile(r"1[ .-]\(?[2-9]\d{2}\)?[ .-]\s?\d{3}[ .-]\d{4}$"),
    re.compile(r"\(0?\d{2,5}\)[ /-]?\d"),
    re.compile(r"0[1-9]"),
    re.compile(r"[67]\d{2} \d{3} \d{3}$|[67]\d{2}(?: \d{2}){3}$"),
)
_PHONE_WORD = re.compile(
    r"\b(?:call|calls|called|phone|telephone|tel|mobile|cell|ring|text|whats ?app|sms|fax|reach|contact|dial"
    r"|number is|my number|anruf\w*|telefon\w*|handy\w*|mobil\w*|erreich\w*|rufnummer|tele?fono|móvil"
    r"|portable|téléphone|numéro)\b",
    re.IGNORECASE,
)
_THING_WORD = re.compile(
    r"(?:\b(?:order|orders|invoice|ticket|case|tracking|track|parcel|shipment|article|item|sku|serial|model|imei"
    r"|reference|ref|booking|confirmation|account|contract|policy|customer no|customer number|product|part"
    r"|version|bestell\w*|rechnung\w*|sendung\w*|auftrag\w*|kunden\w*|artikel\w*|vertrag\w*|paket\w*|pedido|factura"
    r"|commande|facture|id|no|nr|number)\b\.?|#)",
    re.IGNORECASE,
)
_NEAR = 40

Found = Iterator[tuple[int, int]]


def find_ibans(text: str) -> Found:
    """Valid IBANs, spaced in groups or not; what follows them is left alone."""
    for match in _IBAN_START.finditer(text):
        if match.group()[:2].upper() in _IBAN_LENGTHS:
            end = _iban_end(text, match.start())
            if end:
                yield match.start(), end


def _iban_end(text: str, start: int) -> int | None:
    compact: list[str] = []
    ends: list[int] = []
    at = start
    while at < len(text) and len(compact) < 34:
        if text[at].isascii() and text[at].isalnum():
            compact.append(text[at])
            ends.append(at + 1)
        elif text[at] not in " -" or text[at - 1] in " -":
            break
        at += 1
    length = _IBAN_LENGTHS["".join(compact[:2]).upper()]
    if len(compact) < length:
        return None
    end = ends[length - 1]
    if end < len(text) and text[end].isalnum():
        return None
    return end if iban.is_valid("".join(compact[:length]), check_country=False) else None


def find_cards(text: str) -> Found:
    """Numbers of 13 to 19 digits in a card scheme's range that pass the Luhn check."""
    for run in _GROUPS.finditer(text):
        if run.end() - run.start() < 13:
            continue
        groups = [(m.start() + run.start(), m.end() + run.start()) for m in _NUMBER.finditer(run.group())]
        first = 0
        while first < len(groups):
            last = _card_end(text, groups, first)
            if last is None:
                first += 1
            else:
                yield groups[first][0], groups[last][1]
                first = last + 1


def _card_end(text: str, groups: list[tuple[int, int]], first: int) -> int | None:
    digits = ""
    found = None
    for last in range(first, len(groups)):
        digits += text[groups[last][0] : groups[last][1]]
        if len(digits) > 19:
            break
        if len(digits) >= 13 and _is_card(digits):
            found = last
    return found


def _is_card(digits: str) -> bool:
    in_range = any(start.match(digits) and len(digits) in lengths for start, lengths in _CARD_RANGES)
    return in_range and bool(luhn.is_valid(digits))


def find_lettered_ids(text: str) -> Found:
    """National ids that carry letters: Spain (DNI, NIE), Italy (codice fiscale), United Kingdom (NINO)."""
    for match in _DNI.finditer(text):
        if dni.is_valid(match.group()) or nie.is_valid(match.group()):
            yield match.span()
    for match in _CODICE.finditer(text):
        if codicefiscale.is_valid(match.group()):
            yield match.span()
    for match in _NINO.finditer(text):
        yield match.span()


def find_national_ids(text: str) -> Found:
    """National ids of digits. Where the check is weak (nl, de, pl), only after a word that names them."""
    for match in _SSN.finditer(text):
        if ssn.is_valid(match.group()):
            yield match.span()
    for match in _NIR.finditer(text):
        if nir.is_valid(match.group()):
            yield match.span()
    for match in _ELEVEN.finditer(text):
        if _ID_WORD.search(text, max(match.start() - _NEAR, 0), match.start()):
            digits = match.group().replace(" ", "")
            if bsn.is_valid(digits) or idnr.is_valid(digits) or pesel.is_valid(digits):
                yield match.span()


def find_phones(text: str) -> Found:
    """Telephone numbers: international ones always, national ones when their shape or a word says so."""
    masked = _TIME.sub(_mask, _DATE.sub(_mask, text))
    for match in _PHONE.finditer(masked):
        start, end = match.span()
        said = match.group()
        if said.startswith(("+", "(+", "00")):
            if _parses(said.lstrip("("), None):
                yield start, end
        elif _is_national(masked, start, said) and any(_parses(said, region) for region in PHONE_REGIONS):
            yield start, end


def _mask(match: re.Match[str]) -> str:
    return "x" * (match.end() - match.start())


def _is_national(text: str, start: int, said: str) -> bool:
    before = text[max(start - _NEAR, 0) : start]
    phone_word = max((m.end() for m in _PHONE_WORD.finditer(before)), default=-1)
    thing_word = max((m.end() for m in _THING_WORD.finditer(before)), default=-1)
    if phone_word >= 0 and (phone_word >= thing_word or "number" in before[thing_word - 7 :].lower()):
        return True
    if thing_word >= 0:
        return False
    return any(shape.match(said) for shape in _SHAPES)


def _parses(said: str, region: str | None) -> bool:
    number = "+" + said[2:] if region is None and said.startswith("00") else said
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False


def is_ipv6(text: str) -> bool:
    """A whole IPv6 address, not a time or a ratio."""
    if text.count(":") < 3 and "::" not in text:
        return False
    if not any(a.isalnum() and b == ":" for a, b in pairwise(text)):
        return False
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
