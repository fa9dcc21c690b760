"""Identifiers: a short prefix that says what it is, then 26 characters of base 32.

Whatever a repeat must find again is derived from its natural key; everything else is random.
"""

import hashlib
import secrets

_NAMESPACE = bytes.fromhex("9f5a2b9e6c0e5d639d0c0b8c1b1d7e42")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = tuple(a + b for a in _ALPHABET for b in _ALPHABET)


def derived_id(prefix: str, *parts: str | int) -> str:
    """The same id for the same parts, in every process and release."""
    name = "\x1f".join([prefix, *map(str, parts)])
    digest = hashlib.sha1(_NAMESPACE + name.encode(), usedforsecurity=False).digest()[:16]
    return f"{prefix}_{_base32(digest)}"


def new_id(prefix: str) -> str:
    return f"{prefix}_{_base32(secrets.token_bytes(16))}"


def new_traceparent() -> str:
    """A W3C Trace Context `traceparent` that starts a new trace."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def trace_id(traceparent: str | None) -> str | None:
    parts = (traceparent or "").split("-")
    return parts[1] if len(parts) == 4 and len(parts[1]) == 32 else None


def _base32(raw: bytes) -> str:
    """26 characters for 16 bytes, as RFC 4648 without padding, in lower case."""
    number = int.from_bytes(raw, "big") << 2
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -10, -10)])
