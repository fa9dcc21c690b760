"""Items: one problem, one owning team, every change an event, the current state a fold of the log."""
