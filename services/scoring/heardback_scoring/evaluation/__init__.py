"""How well a model reads customers: the scorecard, the release gate, and their data."""
