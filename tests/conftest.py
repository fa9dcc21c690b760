"""Fixtures every test may ask for."""

import gc

from hypothesis import HealthCheck, settings

from tests.support.broker import broker
from tests.support.postgres import database, database_settings, databases, postgres

__all__ = ["broker", "database", "database_settings", "databases", "postgres"]

# The same examples in every run, however busy the machine is: a change is judged by what it changes.
# `--hypothesis-profile=default` looks for new ones.
settings.register_profile(
    "same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("same")


def pytest_collection_finish() -> None:
    """What was imported is there to stay; looking through it for garbage again and again is in vain."""
    gc.collect()
    gc.freeze()
