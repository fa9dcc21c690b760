"""What changes for one feedback or item, and what that comes to. Pure."""

REPLAYED = frozenset({"severity", "taxonomy", "routing", "weighing", "sla"})
"""Kinds of which stored feedback tells what they would change; they need a run before they are activated."""
