"""What changes for one feedback or item, and what that comes to. Pure."""

REPLAYED = frozenset({"severity", "taxonomy", "routing", "weighing", "sla"})
"""Kinds of which it can be told from stored feedback what they would change; they need a run to be activated."""
