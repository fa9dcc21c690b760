"""Characters that hide or disguise words: what may not stand in a text for customers, and how two texts that
look alike are compared. Pure."""

import unicodedata

_LOOKALIKES = str.maketrans(
    "аеорсухіјѕԁһԛԝвкмтнαορικτυχεβζημνı",
    "aeopcyxijsdhqwbkmthaopiktyxebzhmvi",
)
"""Cyrillic and Greek letters by the Latin ones they are drawn like; both sides of a comparison are mapped."""
_INVISIBLE = frozenset("\u00ad\u061c\u180e\u200b\u2028\u2029\u2060\ufeff")
_JOINERS = frozenset("\u200c\u200d\u200e\u200f")
"""Needed to write some languages and emoji."""


def plain(text: str) -> str:
    """For comparing: without case, accents, compatibility forms (such as full-width digits) and characters
    that are not seen; letters that are drawn alike are one."""
    if text.isascii():
        return text.casefold()
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    seen = (one for one in folded if unicodedata.category(one) not in {"Mn", "Me", "Cf"})
    return "".join(seen).translate(_LOOKALIKES)


def unreadable(text: str) -> str | None:
    """The first character by which a reader sees something else than what is written, such as `U+202E`: one
    that is not seen, turns the direction around, or controls a device. None where there is none."""
    found = next((one for one in text if _is_unreadable(one)), None)
    return f"U+{ord(found):04X}" if found else None


def _is_unreadable(one: str) -> bool:
    if one in "\n\t" or one in _JOINERS:
        return False
    return one in _INVISIBLE or unicodedata.category(one) in {"Cc", "Cf", "Cs", "Co"}
