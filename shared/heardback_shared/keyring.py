"""Keys and sealed secrets. One master key; every purpose gets its own key by HKDF-SHA256 (RFC 5869)."""

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12


class SealBrokenError(Exception):
    """The ciphertext was not made with this key, or was changed."""


class Keyring:
    def __init__(self, master_key: bytes) -> None:
        self._master = master_key
        self._keys: dict[str, bytes] = {}

    def key(self, purpose: str) -> bytes:
        """32 bytes that only this purpose uses."""
        if purpose not in self._keys:
            derivation = HKDF(SHA256(), length=32, salt=b"heardback", info=purpose.encode())
            self._keys[purpose] = derivation.derive(self._master)
        return self._keys[purpose]

    def digest(self, purpose: str, value: str) -> bytes:
        """HMAC-SHA256 of a high-entropy secret, for storing instead of it."""
        return hmac.new(self.key(purpose), value.encode(), hashlib.sha256).digest()

    def seal(self, purpose: str, plain: bytes, bound_to: str) -> bytes:
        return seal(self.key(purpose), plain, bound_to)

    def open(self, purpose: str, sealed: bytes, bound_to: str) -> bytes:
        """Raises SealBrokenError."""
        return unseal(self.key(purpose), sealed, bound_to)


def seal(key: bytes, plain: bytes, bound_to: str) -> bytes:
    """AES-256-GCM, nonce first. `bound_to` is authenticated, so a ciphertext cannot be moved elsewhere."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound_to.encode())


def unseal(key: bytes, sealed: bytes, bound_to: str) -> bytes:
    """Raises SealBrokenError."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to.encode())
    except InvalidTag as error:
        raise SealBrokenError("wrong key, or the data was changed") from error
