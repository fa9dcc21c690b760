"""Fixtures every test may ask for."""

from tests.support.broker import broker
from tests.support.postgres import database, database_settings, databases, postgres

__all__ = ["broker", "database", "database_settings", "databases", "postgres"]
