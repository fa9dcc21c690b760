"""The references published under docs/reference, made from the code without any server."""

import base64
from typing import Any

from fastapi import FastAPI
from pydantic import SecretStr

from heardback_ingest.main import build
from heardback_ingest.settings import IngestSettings
from heardback_router.deliveries.settings import WebhookSettings
from heardback_router.loops.settings import LoopSettings
from heardback_router.main import Core, Settings
from heardback_router.settings import RouterSettings
from heardback_scoring.adapters.models import open_model
from heardback_scoring.app.serving import Serving
from heardback_scoring.main import http_app, understand
from heardback_scoring.settings import ScoringSettings
from heardback_shared.access.store import ApiKeys
from heardback_shared.clock import SystemClock
from heardback_shared.contracts.asyncapi import asyncapi
from heardback_shared.db.database import Database
from heardback_shared.health import Readiness
from heardback_shared.keyring import Keyring
from heardback_shared.metrics import Metrics
from heardback_shared.settings import DatabaseSettings, ServiceSettings

NOWHERE = "postgresql://nobody@localhost/nothing"


def references() -> dict[str, dict[str, Any]]:
    """File name → document."""
    service = ServiceSettings(secret_key=SecretStr(base64.b64encode(b"r" * 32).decode()))
    return {
        "asyncapi.json": asyncapi(),
        "ingest.openapi.json": _ingest(service).openapi(),
        "scoring.openapi.json": _scoring(service).openapi(),
        "router.openapi.json": _router(service).openapi(),
    }


def _database() -> Database:
    return Database(DatabaseSettings(url=NOWHERE))


def _ingest(service: ServiceSettings) -> FastAPI:
    return build(IngestSettings(), service, _database(), SystemClock(), Metrics(), Readiness()).http


def _scoring(service: ServiceSettings) -> FastAPI:
    settings, clock = ScoringSettings(), SystemClock()
    serving = Serving(understand(open_model("constant"), settings))
    keys = ApiKeys(_database(), Keyring(service.master_key), clock)
    return http_app(serving, keys, clock, Metrics(), Readiness(), service, settings)


def _router(service: ServiceSettings) -> FastAPI:
    settings = Settings(service, RouterSettings(), LoopSettings(), WebhookSettings())
    return Core(_database(), SystemClock(), Metrics(), Readiness(), settings).http
