"""Implementations of ports that lean on other libraries or on files."""
