"""Signing secrets at rest: sealed, and bound to the endpoint they sign for."""

from heardback_shared.keyring import Keyring

PURPOSE = "endpoint-secrets"


class SecretSeal:
    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def close(self, tenant_id: str, endpoint_id: str, secret_id: str, secret: str) -> bytes:
        return self._keyring.seal(PURPOSE, secret.encode(), _bound_to(tenant_id, endpoint_id, secret_id))

    def open(self, tenant_id: str, endpoint_id: str, secret_id: str, sealed: bytes) -> str:
        """Raises SealBrokenError."""
        return self._keyring.open(PURPOSE, sealed, _bound_to(tenant_id, endpoint_id, secret_id)).decode()


def _bound_to(tenant_id: str, endpoint_id: str, secret_id: str) -> str:
    return f"{tenant_id}\x1f{endpoint_id}\x1f{secret_id}"
