"""Identifiers: a short prefix that says what it is, then 26 characters of base 32.

Whatever a repeat must find again is derived from its natural key; everything else is random.
"""

import base64
import secrets
import uuid

_NAMESPACE = uuid.UUID("9f5a2b9e-6c0e-5d63-9d0c-0b8c1b1d7e42")


def derived_id(prefix: str, *parts: str | int) -> str:
    """The same id for the same parts, in every process and release."""
    name = "\x1f".join(str(part) for part in parts)
    return f"{prefix}_{_base32(uuid.uuid5(_NAMESPACE, f'{prefix}{chr(31)}{name}').bytes)}"


def new_id(prefix: str) -> str:
    return f"{prefix}_{_base32(secrets.token_bytes(16))}"


def new_traceparent() -> str:
    """A W3C Trace Context `traceparent` that starts a new trace."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def trace_id(traceparent: str | None) -> str | None:
    parts = (traceparent or "").split("-")
    return parts[1] if len(parts) == 4 and len(parts[1]) == 32 else None


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()
