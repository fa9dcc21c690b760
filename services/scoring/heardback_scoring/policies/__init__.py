"""Policies: data with a version, loaded once at start. No rule is hidden in code that is not named here."""
