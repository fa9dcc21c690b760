"""Command groups of the console script."""
