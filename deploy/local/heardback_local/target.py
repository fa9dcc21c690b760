"""Which stack a command talks to: the one named by the environment, or the embedded one of a data folder."""

import os
from pathlib import Path

from heardback_local.failures import MendableError
from heardback_local.folder import DataFolder

DEFAULT_FOLDER = Path(".heardback")


class NoTargetError(MendableError):
    """There is nothing to talk to. The message says what to start or to set."""


def adopt(folder: Path) -> bool:
    """Makes the environment that of the embedded stack running on `folder`; True if it was adopted.

    An environment that already names a database is left as it is.
    """
    if os.environ.get("HEARDBACK_DATABASE_URL"):
        return False
    found = DataFolder(folder).environment() if folder.is_dir() else {}
    if not found:
        raise NoTargetError(
            f"no stack runs on {folder}: start one with `heardback run`, "
            "or set HEARDBACK_DATABASE_URL (and HEARDBACK_KAFKA_BOOTSTRAP_SERVERS, HEARDBACK_SECRET_KEY)"
        )
    os.environ.update(found)
    os.environ["HEARDBACK_SECRET_KEY"] = DataFolder(folder).secret_key()
    return True


def ingest_url() -> str:
    """Where ingest answers HTTP: HEARDBACK_INGEST_URL, or host and port as it would take them itself."""
    return _url("INGEST", "8701")


def router_url() -> str:
    """As `ingest_url`, of router: HEARDBACK_ROUTER_URL, or host and port."""
    return _url("ROUTER", "8703")


def _url(service: str, default_port: str) -> str:
    host = os.environ.get("HEARDBACK_HOST", "127.0.0.1")
    port = os.environ.get(f"HEARDBACK_{service}_PORT", default_port)
    return os.environ.get(f"HEARDBACK_{service}_URL", f"http://{host}:{port}").rstrip("/")
