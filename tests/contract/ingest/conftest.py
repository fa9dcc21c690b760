"""The same wiring as in the integration tests."""

from tests.integration.ingest.conftest import (
    clock,
    http,
    ingest,
    key,
    service_settings,
    settings,
)

__all__ = ["clock", "http", "ingest", "key", "service_settings", "settings"]
